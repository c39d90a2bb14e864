#include "compiler/elbo/estimators/log_weights.hpp"

#include "compiler/catalog/ops.hpp"

#include <algorithm>

namespace plait::elbo {

using ir::AxisId;
using ir::Value;

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
  if (!common.empty())
    result.row = common.front();
  for (const Contribution& contribution : contributions) {
    for (AxisId axis : contribution.plates)
      if (builder.graph().axis(axis).subsampled && axis != result.row)
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
