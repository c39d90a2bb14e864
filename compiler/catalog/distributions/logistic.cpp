#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"loc"}, {"scale", SupportKind::positive}};
}

Value log_prob(Builder&, Value value, Values p) {
  const Value loc = p[0];
  const Value scale = p[1];
  const Value z = standardize(value, loc, scale);
  return -z - 2.0 * softplus(-z) - log(scale);
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value loc = p[0];
  const Value scale = p[1];
  const Value u = draws.uniform(shape);
  return loc + scale * (log(u) - log1p(-u));
}

Value entropy(Builder&, Values p) {
  const Value scale = p[1];
  return log(scale) + 2.0;
}

} // namespace

// p(x) = exp(-z) / (scale (1 + exp(-z))^2), z = (x - loc) / scale. Stan: logistic. Drawn by inversion: log u
// - log(1 - u).
constinit const Distribution row::logistic = {
    .name = "logistic",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::real},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::explicit_derivative,
    .entropy = &entropy,
};

} // namespace plait::catalog
