#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"loc"}, {"scale", SupportKind::positive}};
}

Value log_prob(Builder&, Value value, Values p) {
  const Value loc = p[0];
  const Value scale = p[1];
  return -(log(scale) + log_pi) - log1p(square(standardize(value, loc, scale)));
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value loc = p[0];
  const Value scale = p[1];
  return loc + scale * tan(pi * (draws.uniform(shape) - 0.5));
}

Value entropy(Builder&, Values p) {
  const Value scale = p[1];
  return log(scale) + (2 * log_2 + log_pi);
}

} // namespace

// p(x) = 1 / (pi scale (1 + z^2)), z = (x - loc) / scale. Stan: cauchy. Drawn by inversion: tan(pi (u -
// 1/2)).
constinit const Distribution row::cauchy = {
    .name = "cauchy",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::real},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::explicit_derivative,
    .entropy = &entropy,
};

} // namespace plait::catalog
