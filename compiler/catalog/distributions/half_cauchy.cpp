#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"scale", SupportKind::positive}};
}

Value log_prob(Builder& builder, Value value, Values p) {
  const Value scale = p[0];
  const Value density = (log_2 - log_pi) - log(scale) - log1p(square(value * (1.0 / scale)));
  return or_impossible(greater_equal(value, builder.real(0)), density);
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value scale = p[0];
  return scale * tan((0.5 * pi) * draws.uniform(shape));
}

Value entropy(Builder&, Values p) {
  const Value scale = p[0];
  return log(scale) + (log_2 + log_pi);
}

} // namespace

// p(x) = 2 / (pi scale (1 + (x/scale)^2)), x >= 0. Pyro: HalfCauchy. Drawn by inversion: tan(pi u / 2).
constinit const Distribution row::half_cauchy = {
    .name = "half_cauchy",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::positive},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::explicit_derivative,
    .entropy = &entropy,
};

} // namespace plait::catalog
