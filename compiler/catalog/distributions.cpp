#include "compiler/catalog/array_math.hpp"
#include "compiler/catalog/distribution.hpp"
#include "compiler/catalog/distributions/row.hpp"
#include "compiler/catalog/distributions/rows.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

namespace plait::catalog {
namespace {

using ir::Builder;
using ir::Value;

#define PLAIT_LIST_ROW(name) &row::name,
constexpr std::array all_distributions = {PLAIT_DISTRIBUTIONS(PLAIT_LIST_ROW)};
#undef PLAIT_LIST_ROW

/** Parameters as rows expect them: real where a real is meant, and with all batch dimensions or none. The
 * batch of a parameter may be the end of the whole batch: independent copies come in front. */
std::vector<Value> prepare(const Distribution& distribution, std::span<const Value> given,
                           const Shape& batch) {
  const std::vector<DistributionParameter> declared = distribution.parameters.get()();
  if (declared.size() != given.size())
    throw std::logic_error(std::string(distribution.name) + " needs " + std::to_string(declared.size()) +
                           " parameters");
  std::vector<Value> result;
  for (std::size_t k = 0; k < given.size(); ++k) {
    const Value parameter = declared[k].integer ? given[k] : as_real(given[k]);
    const bool shared = parameter.type().shape.size() == static_cast<std::size_t>(declared[k].rank);
    const bool stays = shared && (declared[k].rank == 0 || distribution.keeps_shared);
    result.push_back(stays ? parameter : with_batch(parameter, batch, declared[k].rank));
  }
  return result;
}

/** The batch shape that a value and its parameters have together: the longest one. */
Shape batch_shape(const Distribution& distribution, Value value, std::span<const Value> parameters) {
  Shape batch = batch_of(value.type().shape, distribution.event_rank);
  const std::vector<DistributionParameter> declared = distribution.parameters.get()();
  for (std::size_t k = 0; k < parameters.size() && k < declared.size(); ++k) {
    const Shape own = batch_of(parameters[k].type().shape, declared[k].rank);
    if (own.size() > batch.size())
      batch = own;
  }
  return batch;
}

} // namespace

std::span<const Distribution* const> distributions() {
  return all_distributions;
}

const Distribution* find_distribution(std::string_view name) {
  const auto place =
      std::ranges::find(all_distributions, name, [](const Distribution* row) { return row->name; });
  return place == all_distributions.end() ? nullptr : *place;
}

Value log_prob(Builder& builder, const Distribution& distribution, Value value,
               std::span<const Value> parameters) {
  const Shape batch = batch_shape(distribution, value, parameters);
  const bool scalar = value.type().is_scalar();
  const Value full = scalar ? value : with_batch(value, batch, distribution.event_rank);
  const Value result = distribution.log_prob(builder, full, prepare(distribution, parameters, batch));
  return builder.broadcast(result, result.type().axes, batch);
}

Value sample(Draws& draws, const Distribution& distribution, std::span<const Value> parameters,
             const std::vector<ir::Extent>& shape) {
  const Shape batch = batch_of(shape, distribution.event_rank);
  return distribution.sample(draws, prepare(distribution, parameters, batch), shape);
}

Value draw_by_log_weights(Draws& draws, Value log_weights) {
  const Value total = draws.builder().log_sum_exp_last(log_weights);
  return draw_category(draws, ir::exp(log_weights - spread_last(total, log_weights.type().shape.back())), {});
}

std::optional<Value> entropy(Builder& builder, const Distribution& distribution,
                             std::span<const Value> parameters, const std::vector<ir::Extent>& shape) {
  if (!distribution.entropy)
    return std::nullopt;
  const Shape batch = batch_of(shape, distribution.event_rank);
  const Value result = distribution.entropy(builder, prepare(distribution, parameters, batch));
  return builder.broadcast(result, result.type().axes, batch);
}

std::optional<Value> kl_divergence(Builder& builder, const Distribution& q,
                                   std::span<const Value> q_parameters, const Distribution& p,
                                   std::span<const Value> p_parameters,
                                   const std::vector<ir::Extent>& shape) {
  const KlDivergence* row = find_kl_divergence(q.name, p.name);
  if (!row)
    return std::nullopt;
  const Shape batch = batch_of(shape, q.event_rank);
  const Value result = row->value(builder, prepare(q, q_parameters, batch), prepare(p, p_parameters, batch));
  return builder.broadcast(result, result.type().axes, batch);
}

} // namespace plait::catalog
