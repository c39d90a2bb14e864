#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

// log of the largest float, less a little: a draw with a small shape overflows beyond it.
constexpr double log_largest = 88;

Parameters parameters() {
  return {{"shape", SupportKind::positive}, {"scale", SupportKind::positive}};
}

Value log_prob(Builder&, Value value, Values p) {
  const Value alpha = p[0];
  const Value scale = p[1];
  return alpha * log(scale) - lgamma(alpha) - (alpha + 1.0) * log(value) - scale / value;
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value log_draw = log(p[1]) - draws.log_gamma(fill(p[0], shape));
  return exp(minimum(log_draw, draws.builder().real(log_largest)));
}

Value entropy(Builder&, Values p) {
  const Value alpha = p[0];
  return alpha + log(p[1]) + lgamma(alpha) - (1.0 + alpha) * digamma(alpha);
}

} // namespace

// p(x) = scale^shape / Gamma(shape) x^(-shape-1) exp(-scale / x), x > 0: the law of 1 / g for g ~
// gamma(shape, scale). Stan: inv_gamma.
constinit const Distribution row::inverse_gamma = {
    .name = "inverse_gamma",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::positive},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::implicit_derivative,
    .entropy = &entropy,
};

} // namespace plait::catalog
