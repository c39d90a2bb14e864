#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {

Value draw_category(Draws& draws, Value weights, const Shape& batch) {
  Builder& builder = weights.builder();
  const Value uniform = draws.uniform(batch);
  const std::int64_t length = known(weights.type().shape.back());
  if (length == 1)
    return as_integer(0.0 * uniform);
  const auto last = static_cast<std::int32_t>(weights.type().shape.size()) - 1;
  const Value sums = cumulative_sum(weights);
  const Value inner = builder.slice(sums, last, Extent::known(0), Extent::known(length - 1));
  const Value total = builder.gather(sums, builder.integer(length - 1), last);
  const Value threshold = spread_last(uniform * total, Extent::known(length - 1));
  return as_integer(builder.sum_last(as_real(less_equal(with_batch(inner, batch, 1), threshold))));
}

} // namespace plait::catalog
