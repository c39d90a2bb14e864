#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"scale", SupportKind::positive}};
}

Value log_prob(Builder& builder, Value value, Values p) {
  const Value scale = p[0];
  const Value density = -0.5 * square(value * (1.0 / scale)) - (log(scale) + (half_log_2pi - log_2));
  return or_impossible(greater_equal(value, builder.real(0)), density);
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value scale = p[0];
  return scale * abs(draws.normal(shape));
}

Value entropy(Builder&, Values p) {
  const Value scale = p[0];
  return log(scale) + (half_log_2pi + 0.5 - log_2);
}

} // namespace

// p(x) = sqrt(2 / pi) exp(-x^2 / (2 scale^2)) / scale, x >= 0. Pyro: HalfNormal.
constinit const Distribution row::half_normal = {
    .name = "half_normal",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::positive},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::explicit_derivative,
    .entropy = &entropy,
};

} // namespace plait::catalog
