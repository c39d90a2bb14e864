#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"low"}, {"high"}};
}

Value log_prob(Builder&, Value value, Values p) {
  const Value low = p[0];
  const Value high = p[1];
  const Value inside = logical_and(greater_equal(value, low), less_equal(value, high));
  return or_impossible(inside, -log(high - low));
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value low = p[0];
  const Value high = p[1];
  return low + (high - low) * draws.uniform(shape);
}

Value entropy(Builder&, Values p) {
  const Value low = p[0];
  const Value high = p[1];
  return log(high - low);
}

SupportBounds bounds(Values p) {
  return {p[0], p[1]};
}

} // namespace

// p(x) = 1 / (high - low), low <= x <= high. Stan: uniform.
constinit const Distribution row::uniform = {
    .name = "uniform",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::interval},
    .bounds = &bounds,
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::explicit_derivative,
    .entropy = &entropy,
};

} // namespace plait::catalog
