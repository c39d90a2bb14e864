#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"loc"}, {"scale", SupportKind::positive}};
}

Value log_prob(Builder&, Value value, Values p) {
  const Value loc = p[0];
  const Value scale = p[1];
  const Value log_value = log(value);
  return -0.5 * square(standardize(log_value, loc, scale)) - log_value - (log(scale) + half_log_2pi);
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value loc = p[0];
  const Value scale = p[1];
  return exp(loc + scale * draws.normal(shape));
}

Value entropy(Builder&, Values p) {
  const Value loc = p[0];
  const Value scale = p[1];
  return loc + log(scale) + (half_log_2pi + 0.5);
}

} // namespace

// p(x) = exp(-z^2 / 2) / (x scale sqrt(2 pi)), z = (log x - loc) / scale. Stan: lognormal.
constinit const Distribution row::lognormal = {
    .name = "lognormal",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::positive},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::explicit_derivative,
    .entropy = &entropy,
};

} // namespace plait::catalog
