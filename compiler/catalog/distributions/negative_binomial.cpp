#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"mean", SupportKind::positive}, {"concentration", SupportKind::positive}};
}

Value log_prob(Builder&, Value value, Values p) {
  const Value mean = p[0];
  const Value concentration = p[1];
  const Value k = as_real(value);
  const Value odds = mean / concentration;
  const Value log_all = log1p(odds); // log((mean + c) / c)
  return lgamma(k + concentration) - lgamma(concentration) - lgamma(k + 1.0) - concentration * log_all +
         k * (log(odds) - log_all);
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value mean = p[0];
  const Value concentration = p[1];
  const Value rate = exp(draws.log_gamma(fill(concentration, shape)) + log(mean / concentration));
  return as_integer(draws.poisson(rate));
}

} // namespace

// p(k) = choose(k + c - 1, k) (mean / (mean + c))^k (c / (mean + c))^c, c the concentration: variance mean +
// mean^2 / c. Stan: neg_binomial_2. Drawn as poisson(r), r ~ gamma(c, c / mean).
constinit const Distribution row::negative_binomial = {
    .name = "negative_binomial",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::count},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::none,
};

} // namespace plait::catalog
