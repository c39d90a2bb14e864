#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"logits", SupportKind::real, 1}};
}

Value log_prob(Builder& builder, Value value, Values p) {
  const Value logits = p[0];
  return pick_last(logits, value) - builder.log_sum_exp_last(logits);
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value logits = p[0];
  Builder& builder = draws.builder();
  const Extent length = logits.type().shape.back();
  const Value normalizer = spread_last(builder.log_sum_exp_last(logits), length);
  return draw_category(draws, exp(logits - normalizer), shape);
}

Value entropy(Builder& builder, Values p) {
  const Value logits = p[0];
  const Value log_total = builder.log_sum_exp_last(logits);
  const Value probabilities = exp(logits - spread_last(log_total, logits.type().shape.back()));
  return log_total - builder.sum_last(probabilities * logits);
}

std::optional<Extent> support_size(Values p) {
  return p[0].type().shape.back();
}

} // namespace

// p(k) = exp(logits[k]) / sum_j exp(logits[j]), k = 0 … K-1. Stan: categorical_logit, counted from 0.
constinit const Distribution row::categorical_logit = {
    .name = "categorical_logit",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::category},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::none,
    .support_size = &support_size,
    .entropy = &entropy,
    .keeps_shared = true,
};

} // namespace plait::catalog
