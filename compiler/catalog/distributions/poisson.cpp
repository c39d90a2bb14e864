#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"rate", SupportKind::positive}};
}

Value log_prob(Builder&, Value value, Values p) {
  const Value rate = p[0];
  const Value k = as_real(value);
  return x_log_y(k, rate) - rate - lgamma(k + 1.0);
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value rate = p[0];
  return as_integer(draws.poisson(fill(rate, shape)));
}

} // namespace

// p(k) = rate^k exp(-rate) / k!. Stan: poisson.
constinit const Distribution row::poisson = {
    .name = "poisson",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::count},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::none,
};

} // namespace plait::catalog
