#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"loc"}, {"scale", SupportKind::positive}};
}

Value log_prob(Builder&, Value value, Values p) {
  const Value loc = p[0];
  const Value scale = p[1];
  return -abs(standardize(value, loc, scale)) - (log(scale) + log_2);
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value loc = p[0];
  const Value scale = p[1];
  const Value centred = draws.uniform(shape) - 0.5;
  return loc - scale * (sign(centred) * log1p(-2.0 * abs(centred)));
}

Value entropy(Builder&, Values p) {
  const Value scale = p[1];
  return log(scale) + (log_2 + 1);
}

} // namespace

// p(x) = exp(-|z|) / (2 scale), z = (x - loc) / scale. Stan: double_exponential. Drawn by inversion:
// -sign(h) log(1 - 2|h|), h = u - 1/2.
constinit const Distribution row::laplace = {
    .name = "laplace",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::real},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::explicit_derivative,
    .entropy = &entropy,
};

} // namespace plait::catalog
