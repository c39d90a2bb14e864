#include "compiler/elbo/estimators/score_function.hpp"

#include "compiler/catalog/ops.hpp"
#include "compiler/elbo/dependence.hpp"
#include "compiler/elbo/estimators/baseline.hpp"

namespace plait::elbo {

using ir::AxisId;
using ir::Value;

namespace {

/** Sums of the elements of [T] after each one, or before it. */
Value sums_beside(Value elements, bool after) {
  ir::Builder& builder = elements.builder();
  const ir::Type type = elements.type();
  ir::Type scalar = type;
  scalar.shape.clear();
  const std::vector<Value> inits{builder.zeros(scalar)};
  const ir::NodeId loop = builder.begin_loop(type.shape.front(), after, inits);
  const Value sum = builder.loop_argument(loop, 0);
  const Value next = sum + builder.gather(elements, builder.loop_index(loop), 0);
  return builder.finish_loop(loop, std::vector<Value>{next}, std::vector<Value>{sum}, {}).stacked.at(0);
}

/** Of a term's value in every iteration [T], the part that depends on a draw of iteration t, for every t. */
Value downstream_iterations(Value elements, Iterations iterations) {
  Value result;
  const auto add = [&](Value part) { result = result ? result + part : part; };
  if (iterations.same)
    add(elements);
  if (iterations.later)
    add(sums_beside(elements, true));
  if (iterations.earlier)
    add(sums_beside(elements, false));
  return result;
}

/** Scaled terms downstream of the site's draw, with the axes of the site; of a site in a loop, [T] or a
 * number that is the same for all iterations. */
Value downstream_cost(const ScoreSite& site, const std::vector<AxisId>& site_axes,
                      const std::vector<Contribution>& contributions, ir::Builder& builder) {
  const Dependence dependence(builder.graph(), site.draw.id());
  Value cost;
  for (const Contribution& contribution : contributions) {
    if (!dependence.reaches(contribution.value.id()))
      continue;
    const std::vector<AxisId> own = ir::subtract(site_axes, dependence.crossed(contribution.value.id()));
    Value value = contribution.value;
    Iterations iterations = Iterations::all();
    if (site.loops > 0 && contribution.by_iteration &&
        contribution.by_iteration.type().shape.front() == site.log_prob.type().shape.front())
      iterations = dependence.reaches(contribution.by_iteration.id())
                       ? dependence.iterations(contribution.by_iteration.id())
                       : Iterations::all();
    const bool some = !(iterations == Iterations::all());
    if (some)
      value = contribution.by_iteration;
    value = builder.sum(value, ir::subtract(value.type().axes, own));
    if (some)
      value = downstream_iterations(value, iterations);
    value = value * scale_of(builder, contribution.plates);
    cost = cost ? cost + value : value;
  }
  return cost;
}

/** The cost of every draw of the site: with all its axes, and one number for every iteration of its loops. */
Value spread_over_draws(Value cost, const ir::Type& draws, ir::Builder& builder) {
  for (std::size_t dim = cost.type().shape.size(); dim < draws.shape.size(); ++dim)
    cost = builder.expand(cost, static_cast<std::int32_t>(dim), draws.shape[dim]);
  return builder.broadcast(cost, ir::unite(draws.axes, cost.type().axes), draws.shape);
}

} // namespace

ScoreSurrogate score_function(const ObjectiveContext& context) {
  ir::Builder& builder = *context.builder;
  ScoreSurrogate result{builder.real(0), builder.real(0), {}};
  for (const ScoreSite& site : context.walk->scores) {
    const ir::Type draws = site.log_prob.type();
    Value cost = downstream_cost(site, draws.axes, *context.contributions, builder);
    if (!cost)
      continue;
    const std::vector<AxisId> plates = context.walk->terms[site.term].plates;
    Value scale = scale_of(builder, plates);
    if (const Value of_element = context.walk->element_scale(plates))
      scale = scale * of_element;
    cost = ir::stop_gradient(spread_over_draws(cost / scale, draws, builder));
    Value count = builder.real(1);
    if (context.particles && ir::contains(draws.axes, *context.particles))
      count = ir::to_real(builder.extent(builder.graph().axis(*context.particles).extent));
    BaselineResult baseline = subtract_baseline(site, cost, context);
    const auto total = [&](Value value) {
      value = builder.sum_event(value);
      value = value * scale;
      return builder.sum(value, value.type().axes) / count;
    };
    if (baseline.squared_error)
      result.baseline_loss = result.baseline_loss + total(baseline.squared_error);
    result.surrogate = result.surrogate + total(ir::stop_gradient(baseline.rest) * site.log_prob);
    result.updates.insert(result.updates.end(), baseline.updates.begin(), baseline.updates.end());
  }
  return result;
}

} // namespace plait::elbo
