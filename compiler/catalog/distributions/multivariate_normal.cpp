#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"loc", SupportKind::real, 1}, {"scale_tril", SupportKind::cholesky_cov, 2}};
}

Value log_prob(Builder& builder, Value value, Values p) {
  const Shape batch = batch_of(value.type().shape, 1);
  const Value white = solve_vectors(p[1], value - with_batch(p[0], batch, 1));
  const auto length = static_cast<double>(known(value.type().shape.back()));
  const Value log_det = builder.sum_last(log(diagonal(p[1])));
  return -0.5 * builder.sum_last(square(white)) - (log_det + length * half_log_2pi);
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  return with_batch(p[0], batch_of(shape, 1), 1) + multiply_vectors(p[1], draws.normal(shape));
}

Value entropy(Builder& builder, Values p) {
  const auto length = static_cast<double>(known(p[1].type().shape.back()));
  return builder.sum_last(log(diagonal(p[1]))) + length * (half_log_2pi + 0.5);
}

} // namespace

// p(x) = exp(-|L^-1 (x - loc)|^2 / 2) / ((2 pi)^(n/2) det L), L = scale_tril. Stan: multi_normal_cholesky.
constinit const Distribution row::multivariate_normal = {
    .name = "multivariate_normal",
    .parameters = &parameters,
    .event_rank = 1,
    .support = Support{SupportKind::real},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::explicit_derivative,
    .entropy = &entropy,
    .keeps_shared = true,
};

} // namespace plait::catalog
