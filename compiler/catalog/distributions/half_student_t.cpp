#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"df", SupportKind::positive}, {"scale", SupportKind::positive}};
}

Value log_prob(Builder& builder, Value value, Values p) {
  const Value df = p[0];
  const Value scale = p[1];
  const Value half = 0.5 * (df + 1.0);
  const Value constant = lgamma(half) - lgamma(0.5 * df) - 0.5 * (log(df) + log_pi) - log(scale) + log_2;
  const Value density = constant - half * log1p(square(value * (1.0 / scale)) / df);
  return or_impossible(greater_equal(value, builder.real(0)), density);
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value half = fill(0.5 * p[0], shape);
  // One draw per statement: the order of draws names their streams.
  const Value normal = draws.normal(shape);
  return p[1] * abs(normal) * exp(0.5 * (log(half) - draws.log_gamma(half)));
}

} // namespace

// p(x) = 2 Gamma((df+1)/2) / (Gamma(df/2) sqrt(pi df) scale) (1 + (x/scale)^2/df)^(-(df+1)/2), x >= 0: the
// absolute value of student_t(df, 0, scale).
constinit const Distribution row::half_student_t = {
    .name = "half_student_t",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::positive},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::implicit_derivative,
};

} // namespace plait::catalog
