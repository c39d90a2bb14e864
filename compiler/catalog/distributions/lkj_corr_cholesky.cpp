#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"eta", SupportKind::positive}};
}

Value log_prob(Builder& builder, Value value, Values p) {
  const Value eta = p[0];
  const Shape batch = batch_of(value.type().shape, 2);
  const std::int64_t size = known(value.type().shape.back());
  const auto last = static_cast<double>(size - 1);
  Value constant = last * lgamma(eta + 0.5 * last);
  std::vector<double> power(1, 0.0);
  for (std::int64_t k = 1; k < size; ++k) {
    constant = constant - lgamma(eta + 0.5 * (last - static_cast<double>(k))) -
               0.5 * static_cast<double>(k) * log_pi;
    power.push_back(static_cast<double>(size - k - 1));
  }
  const Value log_diagonal = log_clamped(diagonal(value));
  const Value fixed = builder.sum_last(repeat(vector_literal(builder, power), batch) * log_diagonal);
  return constant + fixed + 2.0 * (eta - 1.0) * builder.sum_last(log_diagonal);
}

// The partial correlation of entries j < i given those before j is 2 b - 1, b ~ beta(a_j, a_j), a_j = eta +
// (K - 2 - j) / 2. With b = g / (g + h), 2 b - 1 = tanh((log g - log h) / 2), and tanh is what the bijector
// of the support applies.
Value sample(Draws& draws, Values p, const Shape& shape) {
  Builder& builder = draws.builder();
  const Shape batch = batch_of(shape, 2);
  const std::int64_t size = known(shape.back());
  std::vector<double> offset;
  for (std::int64_t i = 1; i < size; ++i)
    for (std::int64_t j = 0; j < i; ++j)
      offset.push_back(0.5 * static_cast<double>(size - 2 - j));
  const Support support{SupportKind::cholesky_corr};
  if (size == 1)
    return constrain(builder, support, {}, draws.uniform(batch), shape).value;
  const Extent count = Extent::known(static_cast<std::int64_t>(offset.size()));
  const Value alpha = spread_last(fill(p[0], batch), count) + repeat(vector_literal(builder, offset), batch);
  // One draw per statement: the order of draws names their streams.
  const Value log_first = draws.log_gamma(alpha);
  const Value log_odds = log_first - draws.log_gamma(alpha);
  return constrain(builder, support, {}, 0.5 * log_odds, shape).value;
}

} // namespace

// p(L) is proportional to prod_{k=1}^{K-1} L_kk^(K - k - 1 + 2 (eta - 1)), L the Cholesky factor of a K x K
// correlation matrix, rows counted from 0: Lewandowski, Kurowicka & Joe, "Generating random correlation
// matrices based on vines and extended onion method", 2009. Stan: lkj_corr_cholesky.
constinit const Distribution row::lkj_corr_cholesky = {
    .name = "lkj_corr_cholesky",
    .parameters = &parameters,
    .event_rank = 2,
    .support = Support{SupportKind::cholesky_corr},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::implicit_derivative,
};

} // namespace plait::catalog
