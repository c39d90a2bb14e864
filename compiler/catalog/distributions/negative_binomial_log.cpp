#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"log_mean"}, {"concentration", SupportKind::positive}};
}

Value log_prob(Builder&, Value value, Values p) {
  const Value concentration = p[1];
  const Value k = as_real(value);
  const Value log_odds = p[0] - log(concentration);
  const Value log_all = softplus(log_odds); // log((mean + c) / c)
  return lgamma(k + concentration) - lgamma(concentration) - lgamma(k + 1.0) - concentration * log_all +
         k * (log_odds - log_all);
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value rate = exp(draws.log_gamma(fill(p[1], shape)) + (p[0] - log(p[1])));
  return as_integer(draws.poisson(rate));
}

} // namespace

// negative_binomial(exp(log_mean), concentration). Stan: neg_binomial_2_log.
constinit const Distribution row::negative_binomial_log = {
    .name = "negative_binomial_log",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::count},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::none,
};

} // namespace plait::catalog
