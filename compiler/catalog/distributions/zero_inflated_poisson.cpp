#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"gate", SupportKind::unit_interval}, {"rate", SupportKind::positive}};
}

Value log_prob(Builder& builder, Value value, Values p) {
  const Value gate = p[0];
  const Value rate = p[1];
  const Value k = as_real(value);
  const Value zero = log_clamped(gate + (1.0 - gate) * exp(-rate));
  const Value counted = log_one_minus(gate) + x_log_y(k, rate) - rate - lgamma(k + 1.0);
  return select(greater(k, builder.real(0.5)), counted, zero);
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value gate = p[0];
  const Value rate = p[1];
  const Value closed = less(draws.uniform(shape), gate);
  return as_integer(select(closed, draws.builder().real(0), draws.poisson(fill(rate, shape))));
}

} // namespace

// p(0) = gate + (1 - gate) exp(-rate), p(k) = (1 - gate) rate^k exp(-rate) / k!, k > 0. Pyro:
// ZeroInflatedPoisson.
constinit const Distribution row::zero_inflated_poisson = {
    .name = "zero_inflated_poisson",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::count},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::none,
};

} // namespace plait::catalog
