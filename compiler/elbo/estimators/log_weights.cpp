#include "compiler/elbo/estimators/log_weights.hpp"

#include "compiler/catalog/ops.hpp"
#include "compiler/elbo/dependence.hpp"

#include <algorithm>

namespace plait::elbo {

using ir::AxisId;
using ir::Value;

namespace {

/** Whether a term of one row reads a latent of another, after the plate or through a sum over it: the rows'
 * weights then do not multiply to those of the program. */
bool reads_other_rows(const ObjectiveContext& context, const std::vector<Contribution>& contributions,
                      AxisId row) {
  std::vector<ir::NodeId> draws = context.walk->hold().draws();
  for (const auto& [name, latent] : context.walk->latents)
    draws.push_back(latent.value.id());
  const Dependence dependence(context.builder->graph(), draws, {});
  return std::any_of(contributions.begin(), contributions.end(), [&](const Contribution& contribution) {
    const ir::NodeId value = contribution.value.id();
    return dependence.reaches(value) && ir::contains(dependence.crossed(value), row);
  });
}

} // namespace

Value as_weights(Value value, const LogWeights& weights, AxisId particles) {
  ir::Builder& builder = value.builder();
  std::vector<AxisId> kept{particles};
  if (weights.row)
    kept.push_back(*weights.row);
  std::sort(kept.begin(), kept.end());
  value = builder.sum(value, ir::subtract(value.type().axes, kept));
  return builder.broadcast(value, kept, {});
}

LogWeights log_weights(const ObjectiveContext& context, const std::vector<Contribution>& contributions) {
  ir::Builder& builder = *context.builder;
  std::vector<AxisId> common;
  bool first = true;
  for (const Contribution& contribution : contributions) {
    if (first)
      common = contribution.plates;
    std::erase_if(common, [&](AxisId axis) { return !ir::contains(contribution.plates, axis); });
    first = false;
  }
  LogWeights result;
  if (!common.empty() && !reads_other_rows(context, contributions, common.front()))
    result.row = common.front();
  for (const Contribution& contribution : contributions) {
    for (AxisId axis : contribution.plates)
      if ((builder.graph().axis(axis).subsampled && axis != result.row) ||
          builder.graph().axis(axis).ragged_subset)
        throw Unsupported(
            contribution.span,
            "a bound on the log of a mean over particles cannot be scaled from a part of the rows, "
            "unless every site lies in the subsampled plate: use `--objective elbo`, or no subsample");
    const Value value = as_weights(contribution.value, result, *context.particles);
    result.value = result.value ? result.value + value : value;
  }
  return result;
}

Value over_rows(Value value, const LogWeights& weights) {
  ir::Builder& builder = value.builder();
  if (!weights.row)
    return value;
  return builder.sum(value, {*weights.row}) * scale_of(builder, {*weights.row});
}

} // namespace plait::elbo
