#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"concentration", SupportKind::positive, 1}};
}

Value log_prob(Builder& builder, Value value, Values p) {
  const Value concentration = p[0];
  return builder.sum_last((concentration - 1.0) * log_clamped(value)) +
         (lgamma(builder.sum_last(concentration)) - builder.sum_last(lgamma(concentration)));
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value concentration = p[0];
  Builder& builder = draws.builder();
  const Value log_draw = draws.log_gamma(concentration);
  const Value log_total = spread_last(builder.log_sum_exp_last(log_draw), shape.back());
  return maximum(exp(log_draw - log_total), builder.real(smallest_positive));
}

Value entropy(Builder& builder, Values p) {
  const Value concentration = p[0];
  const Value total = builder.sum_last(concentration);
  const auto length = static_cast<double>(known(concentration.type().shape.back()));
  return builder.sum_last(lgamma(concentration) - (concentration - 1.0) * digamma(concentration)) -
         lgamma(total) + (total - length) * digamma(total);
}

} // namespace

// p(x) = Gamma(sum_k a_k) / prod_k Gamma(a_k) prod_k x_k^(a_k - 1) on the simplex, a the concentration. Stan:
// dirichlet. Drawn as normalized gamma draws, normalized in logarithms.
constinit const Distribution row::dirichlet = {
    .name = "dirichlet",
    .parameters = &parameters,
    .event_rank = 1,
    .support = Support{SupportKind::simplex},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::implicit_derivative,
    .entropy = &entropy,
};

} // namespace plait::catalog
