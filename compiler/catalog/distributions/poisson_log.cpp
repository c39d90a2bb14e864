#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"log_rate"}};
}

Value log_prob(Builder&, Value value, Values p) {
  const Value log_rate = p[0];
  const Value k = as_real(value);
  return k * log_rate - exp(log_rate) - lgamma(k + 1.0);
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value log_rate = p[0];
  return as_integer(draws.poisson(fill(exp(log_rate), shape)));
}

} // namespace

// p(k) = exp(k log_rate - exp(log_rate)) / k!. Stan: poisson_log.
constinit const Distribution row::poisson_log = {
    .name = "poisson_log",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::count},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::none,
};

} // namespace plait::catalog
