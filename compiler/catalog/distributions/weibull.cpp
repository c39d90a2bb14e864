#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"shape", SupportKind::positive}, {"scale", SupportKind::positive}};
}

Value log_prob(Builder&, Value value, Values p) {
  const Value k = p[0];
  const Value log_scale = log(p[1]);
  const Value log_ratio = log(value) - log_scale;
  return (k - 1.0) * log_ratio - exp(k * log_ratio) + (log(k) - log_scale);
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  return p[1] * exp(log(-log(draws.uniform(shape))) / p[0]);
}

Value entropy(Builder&, Values p) {
  const Value k = p[0];
  return euler_gamma * (1.0 - 1.0 / k) + log(p[1] / k) + 1.0;
}

} // namespace

// p(x) = shape/scale (x/scale)^(shape-1) exp(-(x/scale)^shape), x > 0. Stan: weibull. Drawn by inversion:
// scale (-log u)^(1/shape).
constinit const Distribution row::weibull = {
    .name = "weibull",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::positive},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::explicit_derivative,
    .entropy = &entropy,
};

} // namespace plait::catalog
