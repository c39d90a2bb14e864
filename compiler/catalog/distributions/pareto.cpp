#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"scale", SupportKind::positive}, {"shape", SupportKind::positive}};
}

Value log_prob(Builder&, Value value, Values p) {
  const Value scale = p[0];
  const Value alpha = p[1];
  const Value log_value = log(value);
  const Value density = log(alpha) - alpha * (log_value - log(scale)) - log_value;
  return or_impossible(greater_equal(value, scale), density);
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  return p[0] * exp(-log(draws.uniform(shape)) / p[1]);
}

Value entropy(Builder&, Values p) {
  return log(p[0] / p[1]) + 1.0 / p[1] + 1.0;
}

SupportBounds bounds(Values p) {
  return {p[0]};
}

} // namespace

// p(x) = shape scale^shape / x^(shape+1), x >= scale. Stan: pareto. Drawn by inversion: scale u^(-1/shape).
constinit const Distribution row::pareto = {
    .name = "pareto",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::greater_than},
    .bounds = &bounds,
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::explicit_derivative,
    .entropy = &entropy,
};

} // namespace plait::catalog
