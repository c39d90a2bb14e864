#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"trials", SupportKind::count, 0, true},
          {"alpha", SupportKind::positive},
          {"beta", SupportKind::positive}};
}

/** trials + 1 when the number of trials is written in the program. */
std::optional<Extent> support_size(Values p) {
  const ir::Node& trials = p[0].builder().graph().node(p[0].id());
  if (trials.kind != ir::Kind::constant || !trials.type.is_scalar())
    return std::nullopt;
  return Extent::known(static_cast<std::int64_t>(trials.literal[0]) + 1);
}

Value log_prob(Builder&, Value value, Values p) {
  const Value trials = p[0];
  const Value alpha = p[1];
  const Value beta = p[2];
  const Value n = as_real(trials);
  const Value k = as_real(value);
  return log_choose(n, k) + log_beta_function(alpha + k, beta + (n - k)) - log_beta_function(alpha, beta);
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value trials = p[0];
  const Value alpha = p[1];
  const Value beta = p[2];
  // One draw per statement: the order of draws names their streams.
  const Value log_first = draws.log_gamma(fill(alpha, shape));
  const Value log_odds = log_first - draws.log_gamma(fill(beta, shape));
  return as_integer(draws.binomial(fill(as_real(trials), shape), sigmoid(log_odds)));
}

} // namespace

// p(k) = choose(trials, k) B(alpha + k, beta + trials - k) / B(alpha, beta). Stan: beta_binomial.
constinit const Distribution row::beta_binomial = {
    .name = "beta_binomial",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::bounded_count},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::none,
    .support_size = &support_size,
};

} // namespace plait::catalog
