#include "compiler/elbo/build_step.hpp"

#include "compiler/autodiff/reverse.hpp"
#include "compiler/catalog/ops.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <stdexcept>

namespace plait::elbo {

using ir::OutputKind;
using ir::Value;

namespace {

std::vector<Value> parameter_nodes(Elbo& elbo) {
  std::vector<Value> nodes;
  for (std::size_t k = 0; k < elbo.graph->parameters.size(); ++k)
    nodes.push_back(elbo.builder->parameter(static_cast<std::int32_t>(k)));
  return nodes;
}

/** d loss / d parameter, of the loss that the parameter follows. */
std::vector<Value> parameter_gradients(Elbo& elbo, const std::vector<Value>& nodes) {
  if (!elbo.objective.guide_loss)
    return autodiff::gradients(*elbo.builder, elbo.objective.loss, nodes);
  std::vector<Value> of_model, of_guide;
  for (std::size_t k = 0; k < nodes.size(); ++k)
    (elbo.shapes_draws[k] ? of_guide : of_model).push_back(nodes[k]);
  const std::vector<Value> model = autodiff::gradients(*elbo.builder, elbo.objective.loss, of_model);
  const std::vector<Value> guide = autodiff::gradients(*elbo.builder, *elbo.objective.guide_loss, of_guide);
  std::vector<Value> result;
  for (std::size_t k = 0, m = 0, g = 0; k < nodes.size(); ++k)
    result.push_back(elbo.shapes_draws[k] ? guide[g++] : model[m++]);
  return result;
}

void report(Elbo& elbo) {
  elbo.builder->output({OutputKind::scalar, "elbo", elbo.objective.reported.id(), -1, -1});
  for (const auto& [name, value] : elbo.objective.parts)
    elbo.builder->output({OutputKind::scalar, name, value.id(), -1, -1});
}

bool counts_rows(const ir::Graph& graph, const ir::Parameter& parameter) {
  return std::any_of(parameter.axes.begin(), parameter.axes.end(),
                     [&](ir::AxisId axis) { return graph.axis(axis).subsampled; });
}

} // namespace

void add_gradient_outputs(Elbo& elbo) {
  report(elbo);
  const std::vector<Value> nodes = parameter_nodes(elbo);
  const std::vector<Value> gradients = parameter_gradients(elbo, nodes);
  for (std::size_t k = 0; k < gradients.size(); ++k)
    elbo.builder->output({OutputKind::gradient, elbo.graph->parameters[k].name, gradients[k].id(),
                          static_cast<std::int32_t>(k), -1});
}

namespace {

/** The average of the iterates once `next` is one of them; `to`: for rows that are not always drawn, the step
 * up to which `average` goes. */
Value next_average(ir::Builder& builder, double decay, Value average, const std::optional<Value>& to,
                   Value parameter, Value next) {
  if (to) {
    const double log_decay = std::log(decay);
    const Value without = builder.input("step") - 1.0 - *to;
    const Value kept =
        ir::exp(log_decay * without) * (-ir::expm1(log_decay * *to)) / builder.input("average_total");
    average = parameter + (average - parameter) * kept;
  }
  return average + builder.input("average_weight") * (next - average);
}

} // namespace

Slots add_update(Elbo& elbo, const StepOptions& options) {
  const catalog::Optimizer* optimizer = catalog::find_optimizer(options.optimizer);
  if (!optimizer)
    throw std::invalid_argument(fmt::format("there is no optimizer named {}", options.optimizer));
  std::map<std::string, double> settings;
  for (const catalog::OptimizerOption& option : optimizer->options.get()())
    settings[std::string(option.name)] = option.value;
  for (const auto& [name, value] : options.optimizer_options) {
    if (!settings.contains(name))
      throw std::invalid_argument(
          fmt::format("the optimizer {} has no option named {}", optimizer->name, name));
    settings[name] = value;
  }

  ir::Builder& builder = *elbo.builder;
  report(elbo);
  const std::vector<Value> nodes = parameter_nodes(elbo);
  std::vector<Value> gradients = parameter_gradients(elbo, nodes);
  const bool any_local = std::any_of(
      elbo.graph->parameters.begin(), elbo.graph->parameters.end(), [&](const ir::Parameter& parameter) {
        const std::int32_t index = elbo.parameters->find(parameter.name);
        return elbo.parameters->at(index).learnable && counts_rows(*elbo.graph, parameter);
      });
  Slots slots;
  const int count_slot = optimizer->slots.get();
  slots.all = count_slot + (any_local ? 1 : 0);
  if (options.average > 0) {
    slots.average = slots.all++;
    slots.averaged_to = any_local ? slots.all++ : -1;
  }

  if (options.clip_norm > 0) {
    Value squares = builder.real(0);
    for (Value gradient : gradients) {
      const Value sum = builder.sum_event(ir::square(gradient));
      squares = squares + builder.sum(sum, sum.type().axes);
    }
    const Value norm = ir::sqrt(squares);
    const Value factor =
        ir::minimum(builder.real(1), options.clip_norm / ir::maximum(norm, builder.real(1e-30)));
    for (Value& gradient : gradients)
      gradient = gradient * factor;
  }

  // x - x is 0 exactly for finite x.
  const Value finite = ir::equal(elbo.objective.reported - elbo.objective.reported, builder.real(0));
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    const auto index = static_cast<std::int32_t>(k);
    if (!elbo.parameters->at(index).learnable)
      continue;
    const ir::Parameter parameter = elbo.graph->parameters[k];
    const bool local = counts_rows(*elbo.graph, parameter);
    catalog::OptimizerInput input;
    input.parameter = nodes[k];
    input.gradient = gradients[k];
    for (int slot = 0; slot < optimizer->slots; ++slot)
      input.slots.push_back(builder.slot(index, slot));
    input.time = local ? builder.slot(index, count_slot) + 1.0 : builder.input("step");
    input.learning_rate = builder.input("learning_rate");
    input.option = [&](std::string_view name) { return builder.real(settings.at(std::string(name))); };
    const catalog::OptimizerUpdate update = optimizer->update.get()(builder, input);
    const auto store = [&](OutputKind kind, Value value, Value old, int slot) {
      builder.output({kind, parameter.name, ir::select(finite, value, old).id(), index, slot});
    };
    store(OutputKind::store_parameter, update.parameter, nodes[k], -1);
    for (int slot = 0; slot < optimizer->slots; ++slot)
      store(OutputKind::store_slot, update.slots[static_cast<std::size_t>(slot)],
            input.slots[static_cast<std::size_t>(slot)], slot);
    if (local)
      store(OutputKind::store_slot, input.time, builder.slot(index, count_slot), count_slot);
    if (options.average > 0) {
      const Value average = builder.slot(index, slots.average);
      std::optional<Value> to;
      if (local)
        to = builder.slot(index, slots.averaged_to);
      store(OutputKind::store_slot,
            next_average(builder, options.average, average, to, nodes[k], update.parameter), average,
            slots.average);
      if (to)
        store(OutputKind::store_slot, builder.broadcast_like(builder.input("step"), to->type()), *to,
              slots.averaged_to);
    }
  }
  for (const StateUpdate& update : elbo.objective.updates)
    builder.output({OutputKind::store_parameter,
                    elbo.graph->parameters[static_cast<std::size_t>(update.parameter)].name,
                    ir::select(finite, update.after, update.before).id(), update.parameter, -1});
  return slots;
}

} // namespace plait::elbo
