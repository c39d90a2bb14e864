#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"shape", SupportKind::positive}, {"rate", SupportKind::positive}};
}

Value log_prob(Builder&, Value value, Values p) {
  const Value alpha = p[0];
  const Value rate = p[1];
  return (alpha - 1.0) * log(value) - rate * value + (alpha * log(rate) - lgamma(alpha));
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value draw = exp(draws.log_gamma(fill(p[0], shape))) / p[1];
  return maximum(draw, draws.builder().real(smallest_positive));
}

Value entropy(Builder&, Values p) {
  const Value alpha = p[0];
  return alpha - log(p[1]) + lgamma(alpha) + (1.0 - alpha) * digamma(alpha);
}

} // namespace

// p(x) = rate^shape / Gamma(shape) x^(shape-1) exp(-rate x), x > 0. Stan: gamma. A draw is held above the
// smallest float: with a small shape most of the mass lies below it.
constinit const Distribution row::gamma = {
    .name = "gamma",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::positive},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::implicit_derivative,
    .entropy = &entropy,
};

} // namespace plait::catalog
