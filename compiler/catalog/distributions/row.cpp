#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {

std::optional<Extent> size_of_counts(Values parameters) {
  const ir::Node& trials = parameters[0].builder().graph().node(parameters[0].id());
  if (trials.kind != ir::Kind::constant || !trials.type.is_scalar())
    return std::nullopt;
  return Extent::known(static_cast<std::int64_t>(trials.literal[0]) + 1);
}

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

Value draw_multinomial(Draws& draws, Value trials, Value weights, const Shape& shape) {
  Builder& builder = draws.builder();
  const Shape batch = batch_of(shape, 1);
  const auto last = static_cast<std::int32_t>(batch.size());
  const auto with_last = [&](std::initializer_list<std::int64_t> lengths) {
    Shape result = batch;
    for (const std::int64_t length : lengths)
      result.push_back(Extent::known(length));
    return result;
  };
  const std::int64_t length = known(shape.back());
  std::int64_t padded = 1;
  while (padded < length)
    padded *= 2;
  const Value padded_weights = builder.pad(weights, last, Extent::known(0), Extent::known(padded));
  Value counts = spread_last(fill(as_real(trials), batch), Extent::known(1));
  for (std::int64_t blocks = 1; blocks < padded; blocks *= 2) {
    const Value halves =
        builder.sum_last(builder.reshape(padded_weights, with_last({blocks, 2, padded / blocks / 2})));
    const Value left = builder.gather(halves, builder.integer(0), last + 1);
    const Value both = maximum(builder.sum_last(halves), builder.real(smallest_positive));
    const Value taken = draws.binomial(counts, minimum(left / both, builder.real(1)));
    const std::vector<Value> parts = {spread_last(taken, Extent::known(1)),
                                      spread_last(counts - taken, Extent::known(1))};
    counts = builder.reshape(builder.concat(parts, last + 1), with_last({2 * blocks}));
  }
  return as_integer(builder.slice(counts, last, Extent::known(0), Extent::known(length)));
}

} // namespace plait::catalog
