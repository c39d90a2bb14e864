#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"probability", SupportKind::unit_interval}};
}

Value log_prob(Builder&, Value value, Values p) {
  const Value probability = p[0];
  return as_real(value) * log_one_minus(probability) + log_clamped(probability);
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value probability = p[0];
  return as_integer(floor(log(draws.uniform(shape)) / log_one_minus(probability)));
}

} // namespace

// p(k) = (1 - probability)^k probability: failures before the first success. Pyro: Geometric. Drawn by
// inversion: floor(log u / log(1 - probability)).
constinit const Distribution row::geometric = {
    .name = "geometric",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::count},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::none,
};

} // namespace plait::catalog
