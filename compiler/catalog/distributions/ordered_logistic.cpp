#include "compiler/catalog/distributions/row.hpp"

namespace plait::catalog {
namespace {

// Stands for infinity in the cutpoints before the first and after the last: its logistic function is exactly
// 1, and unlike infinity it has a derivative of 0 everywhere.
constexpr double far_away = 1e30;

Parameters parameters() {
  return {{"eta"}, {"cutpoints", SupportKind::ordered, 1}};
}

Value log_prob(Builder& builder, Value value, Values p) {
  const Value eta = p[0];
  const Value cutpoints = p[1];
  const Shape batch = batch_of(cutpoints.type().shape, 1);
  const std::vector<Value> parts = {repeat(vector_literal(builder, {-far_away}), batch), cutpoints,
                                    repeat(vector_literal(builder, {far_away}), batch)};
  const Value bounds = builder.concat(parts, static_cast<std::int32_t>(batch.size()));
  const Value category = as_integer(value);
  const Value above = pick_last(bounds, integer_add(category, builder.integer(1))) - eta;
  const Value below = pick_last(bounds, category) - eta;
  return log_sigmoid(above) + log_sigmoid(-below) + log1m_exp(below - above);
}

Value sample(Draws& draws, Values p, const Shape& shape) {
  const Value eta = p[0];
  const Extent cuts = p[1].type().shape.back();
  const Value uniform = draws.uniform(shape);
  const Value noise = spread_last(eta + (log(uniform) - log1p(-uniform)), cuts);
  const Value passed = less(with_batch(p[1], shape, 1), noise);
  return as_integer(draws.builder().sum_last(as_real(passed)));
}

std::optional<Extent> support_size(Values p) {
  const Extent cuts = p[1].type().shape.back();
  return cuts.is_known() ? std::optional(Extent::known(cuts.value + 1)) : std::nullopt;
}

} // namespace

// p(k) = S(c_k - eta) - S(c_{k-1} - eta), k = 0 … K-1, with S the logistic function, c the cutpoints, c_{-1}
// = -inf and c_{K-1} = inf. Stan: ordered_logistic, counted from 0. With a = c_k - eta > b = c_{k-1} - eta:
// log p = log S(a) + log S(-b) + log(1 - exp(b - a)). Drawn as the number of cutpoints below eta + logistic
// noise.
constinit const Distribution row::ordered_logistic = {
    .name = "ordered_logistic",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::category},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::none,
    .support_size = &support_size,
    .keeps_shared = true,
};

} // namespace plait::catalog
