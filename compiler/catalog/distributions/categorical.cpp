#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"probabilities", SupportKind::simplex, 1}};
}

Value log_prob(Builder&, Value value, Values p) {
  const Value probabilities = p[0];
  return log_clamped(pick_last(probabilities, value));
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value probabilities = p[0];
  return draw_category(draws, probabilities, shape);
}

Value entropy(Builder& builder, Values p) {
  const Value probabilities = p[0];
  return -builder.sum_last(probabilities * log_clamped(probabilities));
}

std::optional<Extent> support_size(Values p) {
  return p[0].type().shape.back();
}

} // namespace

// p(k) = probabilities[k], k = 0 … K-1. Stan: categorical, counted from 0. Its logarithm is at least that of
// the smallest float. Drawn by inversion of the running sum.
constinit const Distribution row::categorical = {
    .name = "categorical",
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
