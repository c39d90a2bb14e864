#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"trials", SupportKind::count, 0, true}, {"concentration", SupportKind::positive, 1}};
}

Value log_prob(Builder& builder, Value value, Values p) {
  const Value n = as_real(p[0]);
  const Value concentration = p[1];
  const Value counts = as_real(value);
  const Value total = builder.sum_last(concentration);
  const Value terms = lgamma(counts + concentration) - lgamma(concentration) - lgamma(counts + 1.0);
  return lgamma(n + 1.0) + lgamma(total) - lgamma(n + total) + builder.sum_last(terms);
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value log_weights = draws.log_gamma(p[1]);
  const Value log_total = spread_last(draws.builder().log_sum_exp_last(log_weights), shape.back());
  return draw_multinomial(draws, p[0], exp(log_weights - log_total), shape);
}

} // namespace

// p(x) = trials! Gamma(A) / Gamma(trials + A) prod_k Gamma(x_k + a_k) / (x_k! Gamma(a_k)), a the
// concentration and A its sum: multinomial counts whose probabilities are dirichlet(a). Pyro:
// DirichletMultinomial.
constinit const Distribution row::dirichlet_multinomial = {
    .name = "dirichlet_multinomial",
    .parameters = &parameters,
    .event_rank = 1,
    .support = Support{SupportKind::count_vector},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::none,
};

} // namespace plait::catalog
