#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"trials", SupportKind::count, 0, true}, {"probabilities", SupportKind::simplex, 1}};
}

Value log_prob(Builder& builder, Value value, Values p) {
  const Value counts = as_real(value);
  const Value ways = lgamma(as_real(p[0]) + 1.0) - builder.sum_last(lgamma(counts + 1.0));
  return ways + builder.sum_last(x_log_y(counts, p[1]));
}

// Halves the categories again and again: a binomial draw splits the count of every block between its two
// halves. That takes log2(K) vector draws instead of K dependent ones.
Value sample(Draws& draws, Values p, const Shape& shape) {
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
  const Value weights = builder.pad(p[1], last, Extent::known(0), Extent::known(padded));
  Value counts = spread_last(fill(as_real(p[0]), batch), Extent::known(1));
  for (std::int64_t blocks = 1; blocks < padded; blocks *= 2) {
    const Value halves =
        builder.sum_last(builder.reshape(weights, with_last({blocks, 2, padded / blocks / 2})));
    const Value left = builder.gather(halves, builder.integer(0), last + 1);
    const Value both = maximum(builder.sum_last(halves), builder.real(smallest_positive));
    const Value taken = draws.binomial(counts, minimum(left / both, builder.real(1)));
    const std::vector<Value> parts = {spread_last(taken, Extent::known(1)),
                                      spread_last(counts - taken, Extent::known(1))};
    counts = builder.reshape(builder.concat(parts, last + 1), with_last({2 * blocks}));
  }
  return as_integer(builder.slice(counts, last, Extent::known(0), Extent::known(length)));
}

} // namespace

// p(x) = trials! prod_k probabilities[k]^x_k / x_k!, sum_k x_k = trials. Pyro: Multinomial.
constinit const Distribution row::multinomial = {
    .name = "multinomial",
    .parameters = &parameters,
    .event_rank = 1,
    .support = Support{SupportKind::count_vector},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::none,
};

} // namespace plait::catalog
