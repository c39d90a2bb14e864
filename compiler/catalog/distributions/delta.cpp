#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"point"}};
}

Value log_prob(Builder& builder, Value value, Values p) {
  const Value point = p[0];
  if (value.id() == point.id())
    return builder.zeros(value.type());
  return or_impossible(equal(value, point), builder.real(0));
}

Value sample(Draws&, Values p, const Shape& shape) {
  const Value point = p[0];
  return fill(point, shape);
}

} // namespace

// All mass at `point`: log p is 0 there and minus infinity elsewhere. Pyro: Delta. A guide of such sites
// gives the maximum a posteriori estimate.
constinit const Distribution row::delta = {
    .name = "delta",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::real},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::explicit_derivative,
    .point_mass = true,
};

} // namespace plait::catalog
