#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"rate", SupportKind::positive}};
}

Value log_prob(Builder& builder, Value value, Values p) {
  const Value rate = p[0];
  return or_impossible(greater_equal(value, builder.real(0)), log(rate) - rate * value);
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value rate = p[0];
  return -log(draws.uniform(shape)) / rate;
}

Value entropy(Builder&, Values p) {
  const Value rate = p[0];
  return 1.0 - log(rate);
}

} // namespace

// p(x) = rate exp(-rate x), x >= 0. Stan: exponential.
constinit const Distribution row::exponential = {
    .name = "exponential",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::positive},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::explicit_derivative,
    .entropy = &entropy,
};

} // namespace plait::catalog
