#include "compiler/elbo/estimators/score_function.hpp"

#include "compiler/catalog/ops.hpp"
#include "compiler/elbo/dependence.hpp"

namespace plait::elbo {

using ir::AxisId;
using ir::Value;

namespace {

/** Scaled terms downstream of the site's draw, with the axes of the site. */
Value downstream_cost(const ScoreSite& site, const std::vector<AxisId>& site_axes,
                      const std::vector<Contribution>& contributions, ir::Builder& builder) {
  const Dependence dependence(builder.graph(), site.draw.id());
  Value cost;
  for (const Contribution& contribution : contributions) {
    if (!dependence.reaches(contribution.value.id()))
      continue;
    Value value = contribution.value * scale_of(builder, contribution.plates);
    const std::vector<AxisId> own = ir::subtract(site_axes, dependence.crossed(contribution.value.id()));
    value = builder.sum(value, ir::subtract(value.type().axes, own));
    cost = cost ? cost + value : value;
  }
  return cost;
}

} // namespace

ScoreSurrogate score_function(const Executor& walk, const std::vector<Contribution>& contributions,
                              ir::Builder& builder, std::optional<AxisId> particles) {
  ScoreSurrogate result{builder.real(0), builder.real(0)};
  for (const ScoreSite& site : walk.scores) {
    const Value log_q = site.log_prob;
    const std::vector<AxisId> axes = log_q.type().axes;
    Value cost = downstream_cost(site, axes, contributions, builder);
    if (!cost)
      continue;
    cost = ir::stop_gradient(builder.broadcast(cost, ir::unite(axes, cost.type().axes), {}));
    Value count = builder.real(1);
    if (particles && ir::contains(axes, *particles))
      count = ir::to_real(builder.extent(builder.graph().axis(*particles).extent));
    if (site.baseline) {
      const Value error = cost - *site.baseline;
      result.baseline_loss = result.baseline_loss + builder.sum(ir::square(error), error.type().axes) / count;
      cost = cost - ir::stop_gradient(*site.baseline);
    } else if (particles && ir::contains(axes, *particles)) {
      // sum over the others / (K - 1) = (sum - own) / (K - 1)
      const Value sum = builder.sum(cost, {*particles});
      cost = cost - (sum - cost) / (count - 1.0);
    }
    const Value weighted = cost * log_q;
    result.surrogate = result.surrogate + builder.sum(weighted, weighted.type().axes) / count;
  }
  return result;
}

} // namespace plait::elbo
