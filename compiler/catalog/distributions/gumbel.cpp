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
  return -(z + exp(-z)) - log(scale);
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value loc = p[0];
  const Value scale = p[1];
  return loc - scale * log(-log(draws.uniform(shape)));
}

Value entropy(Builder&, Values p) {
  const Value scale = p[1];
  return log(scale) + (1 + euler_gamma);
}

} // namespace

// p(x) = exp(-z - exp(-z)) / scale, z = (x - loc) / scale. Stan: gumbel. Drawn by inversion: -log(-log u).
constinit const Distribution row::gumbel = {
    .name = "gumbel",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::real},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::explicit_derivative,
    .entropy = &entropy,
};

} // namespace plait::catalog
