#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"trials", SupportKind::count, 0, true}, {"probabilities", SupportKind::simplex, 1}};
}

Value log_prob(Builder& builder, Value value, Values p) {
  const Value counts = as_real(value);
  const Value ways = lgamma(as_real(p[0]) + 1.0) - builder.sum_last(lgamma(counts + 1.0));
  return ways + builder.sum_last(x_log_y(counts, p[1]));
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  return draw_multinomial(draws, p[0], p[1], shape);
}

} // namespace

// p(x) = trials! prod_k probabilities[k]^x_k / x_k!, sum_k x_k = trials. Pyro: Multinomial.
constinit const Distribution row::multinomial = {
    .name = "multinomial",
    .parameters = &parameters,
    .event_rank = 1,
    .support = Support{SupportKind::count_vector},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::none,
};

} // namespace plait::catalog
