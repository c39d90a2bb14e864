#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"loc"}, {"scale", SupportKind::positive}};
}

Value log_prob(Builder&, Value value, Values p) {
  const Value loc = p[0];
  const Value scale = p[1];
  return -0.5 * square(standardize(value, loc, scale)) - (log(scale) + half_log_2pi);
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value loc = p[0];
  const Value scale = p[1];
  return loc + scale * draws.normal(shape);
}

Value entropy(Builder&, Values p) {
  const Value scale = p[1];
  return log(scale) + (half_log_2pi + 0.5);
}

} // namespace

// p(x) = exp(-z^2 / 2) / (scale sqrt(2 pi)), z = (x - loc) / scale. Stan: normal.
constinit const Distribution row::normal = {
    .name = "normal",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::real},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::explicit_derivative,
    .entropy = &entropy,
};

} // namespace plait::catalog
