#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"trials", SupportKind::count, 0, true}, {"logit"}};
}

Value log_prob(Builder&, Value value, Values p) {
  const Value trials = p[0];
  const Value logit = p[1];
  const Value n = as_real(trials);
  const Value k = as_real(value);
  return log_choose(n, k) + k * log_sigmoid(logit) + (n - k) * log_sigmoid(-logit);
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value trials = p[0];
  const Value logit = p[1];
  return as_integer(draws.binomial(fill(as_real(trials), shape), fill(sigmoid(logit), shape)));
}

} // namespace

// p(k) = choose(trials, k) sigmoid(logit)^k sigmoid(-logit)^(trials-k). Stan: binomial_logit.
constinit const Distribution row::binomial_logit = {
    .name = "binomial_logit",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::bounded_count},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::none,
    .support_size = &size_of_counts,
};

} // namespace plait::catalog
