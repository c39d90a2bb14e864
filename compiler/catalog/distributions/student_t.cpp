#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"df", SupportKind::positive}, {"loc"}, {"scale", SupportKind::positive}};
}

Value log_prob(Builder&, Value value, Values p) {
  const Value df = p[0];
  const Value loc = p[1];
  const Value scale = p[2];
  const Value half = 0.5 * (df + 1.0);
  const Value constant = lgamma(half) - lgamma(0.5 * df) - 0.5 * (log(df) + log_pi) - log(scale);
  return constant - half * log1p(square(standardize(value, loc, scale)) / df);
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value df = p[0];
  const Value loc = p[1];
  const Value scale = p[2];
  const Value half = fill(0.5 * df, shape);
  // One draw per statement: the order of draws names their streams.
  const Value normal = draws.normal(shape);
  return loc + scale * normal * exp(0.5 * (log(half) - draws.log_gamma(half)));
}

Value entropy(Builder&, Values p) {
  const Value df = p[0];
  const Value scale = p[2];
  const Value half = 0.5 * df;
  const Value next = half + 0.5;
  return next * (digamma(next) - digamma(half)) + 0.5 * log(df) + lgamma(half) - lgamma(next) + 0.5 * log_pi +
         log(scale);
}

} // namespace

// p(x) = Gamma((df+1)/2) / (Gamma(df/2) sqrt(pi df) scale) (1 + z^2/df)^(-(df+1)/2), z = (x - loc) / scale.
// Stan: student_t. Drawn as z / sqrt(chi^2 / df) with chi^2 = 2 g, g ~ gamma(df/2, 1).
constinit const Distribution row::student_t = {
    .name = "student_t",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::real},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::implicit_derivative,
    .entropy = &entropy,
};

} // namespace plait::catalog
