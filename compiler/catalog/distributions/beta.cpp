#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"alpha", SupportKind::positive}, {"beta", SupportKind::positive}};
}

Value log_prob(Builder&, Value value, Values p) {
  const Value alpha = p[0];
  const Value beta = p[1];
  return (alpha - 1.0) * log_clamped(value) + (beta - 1.0) * log_one_minus(value) -
         log_beta_function(alpha, beta);
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value alpha = p[0];
  const Value beta = p[1];
  // One draw per statement: the order of draws names their streams.
  const Value log_first = draws.log_gamma(fill(alpha, shape));
  const Value log_odds = log_first - draws.log_gamma(fill(beta, shape));
  return maximum(sigmoid(log_odds), draws.builder().real(smallest_positive));
}

Value entropy(Builder&, Values p) {
  const Value alpha = p[0];
  const Value beta = p[1];
  return log_beta_function(alpha, beta) - (alpha - 1.0) * digamma(alpha) - (beta - 1.0) * digamma(beta) +
         (alpha + beta - 2.0) * digamma(alpha + beta);
}

} // namespace

// p(x) = x^(alpha-1) (1-x)^(beta-1) / B(alpha, beta), 0 < x < 1. Stan: beta. Drawn as g / (g + h) with g and
// h standard gamma draws, computed as the logistic function of log g - log h: nothing underflows before the
// result does.
constinit const Distribution row::beta = {
    .name = "beta",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::unit_interval},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::implicit_derivative,
    .entropy = &entropy,
};

} // namespace plait::catalog
