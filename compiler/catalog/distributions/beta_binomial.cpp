#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"trials", SupportKind::count, 0, true},
          {"alpha", SupportKind::positive},
          {"beta", SupportKind::positive}};
}

Value log_prob(Builder&, Value value, Values p) {
  const Value trials = p[0];
  const Value alpha = p[1];
  const Value beta = p[2];
  const Value n = as_real(trials);
  const Value k = as_real(value);
  return log_choose(n, k) + log_beta_function(alpha + k, beta + (n - k)) - log_beta_function(alpha, beta);
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value trials = p[0];
  const Value alpha = p[1];
  const Value beta = p[2];
  // One draw per statement: the order of draws names their streams.
  const Value log_first = draws.log_gamma(fill(alpha, shape));
  const Value log_odds = log_first - draws.log_gamma(fill(beta, shape));
  return as_integer(draws.binomial(fill(as_real(trials), shape), sigmoid(log_odds)));
}

} // namespace

// p(k) = choose(trials, k) B(alpha + k, beta + trials - k) / B(alpha, beta). Stan: beta_binomial.
constinit const Distribution row::beta_binomial = {
    .name = "beta_binomial",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::bounded_count},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::none,
    .support_size = &size_of_counts,
};

} // namespace plait::catalog
