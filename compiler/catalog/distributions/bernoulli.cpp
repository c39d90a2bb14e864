#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"probability", SupportKind::unit_interval}};
}

Value log_prob(Builder& builder, Value value, Values p) {
  const Value probability = p[0];
  const Value chosen = select(greater(as_real(value), builder.real(0.5)), probability, 1.0 - probability);
  return log_clamped(chosen);
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value probability = p[0];
  return as_integer(less(draws.uniform(shape), probability));
}

Value entropy(Builder&, Values p) {
  const Value probability = p[0];
  const Value rest = 1.0 - probability;
  return -(probability * log_clamped(probability) + rest * log_clamped(rest));
}

std::optional<Extent> support_size(Values) {
  return Extent::known(2);
}

} // namespace

// p(1) = probability, p(0) = 1 - probability. Stan: bernoulli. Its logarithm is at least that of the smallest
// float, also for a probability of exactly 0 or 1.
constinit const Distribution row::bernoulli = {
    .name = "bernoulli",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::bit},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::none,
    .support_size = &support_size,
    .entropy = &entropy,
};

} // namespace plait::catalog
