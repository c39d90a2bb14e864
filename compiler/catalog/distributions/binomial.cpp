#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"trials", SupportKind::count, 0, true}, {"probability", SupportKind::unit_interval}};
}

Value log_prob(Builder&, Value value, Values p) {
  const Value trials = p[0];
  const Value probability = p[1];
  const Value n = as_real(trials);
  const Value k = as_real(value);
  return log_choose(n, k) + k * log_clamped(probability) + (n - k) * log_one_minus(probability);
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value trials = p[0];
  const Value probability = p[1];
  return as_integer(draws.binomial(fill(as_real(trials), shape), fill(probability, shape)));
}

} // namespace

// p(k) = choose(trials, k) probability^k (1 - probability)^(trials-k). Stan: binomial.
constinit const Distribution row::binomial = {
    .name = "binomial",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::bounded_count},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::none,
    .support_size = &size_of_counts,
};

} // namespace plait::catalog
