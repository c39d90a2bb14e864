#include "compiler/elbo/estimators/baseline.hpp"

#include "compiler/catalog/ops.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace plait::elbo {

using ir::AxisId;
using ir::Value;

namespace {

struct Choice {
  bool average = false, expression = false, leave_one_out = false;
};

Choice choose(const ScoreSite& site, bool several_particles) {
  switch (site.kind) {
  case Baseline::none:
    break;
  case Baseline::average:
    return {.average = true};
  case Baseline::leave_one_out:
    return {.leave_one_out = true};
  case Baseline::expression:
    return {.average = true, .expression = true, .leave_one_out = several_particles};
  case Baseline::automatic:
    return {.average = !several_particles, .leave_one_out = several_particles};
  }
  return {};
}

/** Declares state, or finds it again: zeros at the start. */
Value state(const ObjectiveContext& context, const std::string& name, const std::vector<ir::Extent>& shape,
            const std::vector<AxisId>& axes) {
  guide::RegisteredParameter registration;
  registration.support.kind = catalog::SupportKind::real;
  registration.shape = shape;
  registration.learnable = false;
  return context.parameters->declare(name, shape, axes, "baseline", std::move(registration));
}

Value moved(Value old, Value seen, double decay) {
  return decay * old + (1 - decay) * seen;
}

/** Mean over all axes and dimensions of what exists; `weight` is 0 when nothing does. */
struct MeanCost {
  Value mean, weight;
};

MeanCost mean_of(Value cost, const ScoreSite& site, ir::Builder& builder) {
  const ir::Type type = cost.type();
  Value ones = builder.broadcast(builder.real(1), type.axes, type.shape);
  if (site.exists) {
    ones = builder.broadcast(site.exists, ir::unite(type.axes, site.exists.type().axes), type.shape);
    cost = ir::select(ir::greater(ones, builder.real(0)), cost, builder.real(0));
  }
  const auto total = [&](Value value) { return builder.sum(builder.sum_event(value), type.axes); };
  const Value number = total(ones);
  const Value any = ir::select(ir::greater(number, builder.real(0)), builder.real(1), builder.real(0));
  return {total(cost) / ir::maximum(number, builder.real(1)), any};
}

/** What is left of the cost when the averages are taken off; appends their updates. */
Value subtract_average(Value cost, const ScoreSite& site, bool of_elements, const ObjectiveContext& context,
                       std::vector<StateUpdate>& updates) {
  ir::Builder& builder = *context.builder;
  const ir::Type type = cost.type();
  const Value pair = state(context, site.state + ".average", {ir::Extent::known(2)}, {});
  const Value sum = builder.element(pair, 0);
  const Value weight = builder.element(pair, 1);
  const Value average = sum / ir::maximum(weight, builder.real(1e-30));
  const MeanCost now = mean_of(cost, site, builder);
  const auto next = [&](Value old, Value seen) {
    return ir::select(ir::greater(now.weight, builder.real(0)), moved(old, seen, site.decay), old);
  };
  const std::vector<Value> after{next(sum, now.mean), next(weight, builder.real(1))};
  updates.push_back({context.parameters->find(site.state + ".average"), pair, builder.stack(after)});
  Value rest = cost - average;

  const std::vector<AxisId> plates = context.walk->terms[site.term].plates;
  const bool redrawn = std::any_of(plates.begin(), plates.end(),
                                   [&](AxisId axis) { return builder.graph().axis(axis).ragged_subset; });
  if (!of_elements || redrawn || (plates.empty() && type.shape.empty()))
    return rest;
  const std::string name = site.state + ".average.of_element";
  const Value deviation = state(context, name, type.shape, plates);
  const std::vector<AxisId> others = ir::subtract(type.axes, plates);
  Value seen = builder.sum(rest, others);
  for (AxisId axis : others)
    seen = seen / ir::to_real(builder.extent(builder.graph().axis(axis).extent));
  Value deviation_after = moved(deviation, seen, site.decay);
  if (site.exists) {
    const Value exists = builder.broadcast(site.exists, plates, type.shape);
    deviation_after = ir::select(ir::greater(exists, builder.real(0)), deviation_after, deviation);
  }
  updates.push_back(
      {context.parameters->find(name), deviation, builder.broadcast(deviation_after, plates, type.shape)});
  return rest - deviation;
}

} // namespace

BaselineResult subtract_baseline(const ScoreSite& site, Value cost, const ObjectiveContext& context) {
  ir::Builder& builder = *context.builder;
  const ir::Type type = cost.type();
  const bool several = context.particles && ir::contains(type.axes, *context.particles);
  const Choice choice = choose(site, context.particles.has_value());
  if (choice.leave_one_out && !context.particles)
    throw Unsupported(site.span, fmt::format("leaving one particle out as the baseline of {}, with one "
                                             "particle: give --particles 2 or more",
                                             site.site));
  BaselineResult result;
  result.rest = cost;
  if (choice.average && context.running_averages)
    result.rest =
        ir::stop_gradient(subtract_average(cost, site, !choice.expression, context, result.updates));
  if (choice.expression) {
    Value error = result.rest - *site.baseline;
    if (site.exists)
      error = ir::select(ir::greater(builder.broadcast(site.exists, type.axes, type.shape), builder.real(0)),
                         error, builder.real(0));
    result.squared_error = ir::square(error);
    result.rest = ir::stop_gradient(error);
  }
  if (choice.leave_one_out && several) {
    // sum over the others / (K - 1) = (sum - own) / (K - 1)
    const Value count = ir::to_real(builder.extent(builder.graph().axis(*context.particles).extent));
    const Value sum = builder.sum(result.rest, {*context.particles});
    result.rest = result.rest - (sum - result.rest) / (count - 1.0);
  }
  return result;
}

std::string describe_baseline(const ScoreSite& site, bool several_particles) {
  const Choice choice = choose(site, several_particles);
  std::string text;
  const auto add = [&](bool chosen, const char* name) {
    if (chosen)
      text += (text.empty() ? "" : " + ") + std::string(name);
  };
  add(choice.expression, "expression");
  add(choice.average && !choice.leave_one_out, "average");
  add(choice.leave_one_out, "leave-one-out");
  return text.empty() ? "no baseline" : text;
}

} // namespace plait::elbo
