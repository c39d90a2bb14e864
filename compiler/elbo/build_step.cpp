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
  std::vector<Value> of_model, of_guide, of_both;
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    (elbo.follows[k] == Follows::loss ? of_model : of_guide).push_back(nodes[k]);
    if (elbo.follows[k] == Follows::guide_and_direct_loss)
      of_both.push_back(nodes[k]);
  }
  const std::vector<Value> model = autodiff::gradients(*elbo.builder, elbo.objective.loss, of_model);
  const std::vector<Value> guide = autodiff::gradients(*elbo.builder, *elbo.objective.guide_loss, of_guide);
  std::vector<Value> direct;
  if (!of_both.empty())
    direct = autodiff::gradients(*elbo.builder, *elbo.objective.direct_loss, of_both, elbo.draws);
  std::vector<Value> result;
  for (std::size_t k = 0, m = 0, g = 0, d = 0; k < nodes.size(); ++k) {
    result.push_back(elbo.follows[k] == Follows::loss ? model[m++] : guide[g++]);
    if (elbo.follows[k] == Follows::guide_and_direct_loss)
      result.back() = result.back() + direct[d++];
  }
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

std::map<std::string, double> settings_of(const catalog::Optimizer& optimizer, const StepOptions& options) {
  const std::vector<catalog::Option> known = optimizer.options.get()();
  if (const auto unknown = catalog::unknown_option(known, options.optimizer_options))
    throw std::invalid_argument(
        fmt::format("the optimizer {} has no option named {}", optimizer.name, *unknown));
  return catalog::option_values(known, options.optimizer_options);
}

Slots number_slots(const Elbo& elbo, const catalog::Optimizer& optimizer, bool averages) {
  const std::vector<ir::Parameter>& parameters = elbo.graph->parameters;
  const bool any_local =
      std::any_of(parameters.begin(), parameters.end(), [&](const ir::Parameter& parameter) {
        const std::int32_t index = elbo.parameters->find(parameter.name);
        return elbo.parameters->at(index).learnable && counts_rows(*elbo.graph, parameter);
      });
  Slots slots;
  slots.all = optimizer.slots.get();
  slots.count = any_local ? slots.all++ : -1;
  slots.average = averages ? slots.all++ : -1;
  slots.averaged_to = averages && any_local ? slots.all++ : -1;
  return slots;
}

/** Scales all gradients by one factor, so that their norm is at most `limit`. */
void clip(std::vector<Value>& gradients, double limit, ir::Builder& builder) {
  Value squares = builder.real(0);
  for (Value gradient : gradients) {
    const Value sum = builder.sum_event(ir::square(gradient));
    squares = squares + builder.sum(sum, sum.type().axes);
  }
  const Value norm = ir::sqrt(squares);
  const Value factor = ir::minimum(builder.real(1), limit / ir::maximum(norm, builder.real(1e-30)));
  for (Value& gradient : gradients)
    gradient = gradient * factor;
}

/** What a step stores of one parameter after another. */
class Update {
public:
  /** `finite`: whether the step stores anything. */
  Update(Elbo& elbo, const catalog::Optimizer& optimizer, const StepOptions& options, const Slots& slots,
         Value finite)
      : graph_(*elbo.graph), builder_(*elbo.builder), optimizer_(optimizer), average_(options.average),
        option_values_(settings_of(optimizer, options)), slots_(slots), finite_(finite) {}

  void store(std::int32_t index, Value parameter, Value gradient) {
    const bool local = counts_rows(graph_, graph_.parameters[static_cast<std::size_t>(index)]);
    catalog::OptimizerInput input;
    input.parameter = parameter;
    input.gradient = gradient;
    for (int slot = 0; slot < optimizer_.slots; ++slot)
      input.slots.push_back(builder_.slot(index, slot));
    input.time = local ? builder_.slot(index, slots_.count) + 1.0 : builder_.input("step");
    input.learning_rate = builder_.input("learning_rate");
    input.option = [&](std::string_view name) { return builder_.real(option_values_.at(std::string(name))); };
    const catalog::OptimizerUpdate update = optimizer_.update.get()(builder_, input);
    output(OutputKind::store_parameter, index, -1, update.parameter, parameter);
    for (int slot = 0; slot < optimizer_.slots; ++slot)
      output(OutputKind::store_slot, index, slot, update.slots[static_cast<std::size_t>(slot)],
             input.slots[static_cast<std::size_t>(slot)]);
    if (local)
      output(OutputKind::store_slot, index, slots_.count, input.time, builder_.slot(index, slots_.count));
    if (average_ > 0)
      store_average(index, local, parameter, update.parameter);
  }

private:
  void store_average(std::int32_t index, bool local, Value parameter, Value next) {
    const Value average = builder_.slot(index, slots_.average);
    std::optional<Value> to;
    if (local)
      to = builder_.slot(index, slots_.averaged_to);
    output(OutputKind::store_slot, index, slots_.average,
           next_average(builder_, average_, average, to, parameter, next), average);
    if (to)
      output(OutputKind::store_slot, index, slots_.averaged_to,
             builder_.broadcast_like(builder_.input("step"), to->type()), *to);
  }

  void output(OutputKind kind, std::int32_t index, int slot, Value value, Value old) {
    builder_.output({kind, graph_.parameters[static_cast<std::size_t>(index)].name,
                     ir::select(finite_, value, old).id(), index, slot});
  }

  const ir::Graph& graph_;
  ir::Builder& builder_;
  const catalog::Optimizer& optimizer_;
  const double average_;
  const std::map<std::string, double> option_values_;
  const Slots& slots_;
  const Value finite_;
};

} // namespace

Slots add_update(Elbo& elbo, const StepOptions& options) {
  const catalog::Optimizer* optimizer = catalog::find_optimizer(options.optimizer);
  if (!optimizer)
    throw std::invalid_argument(fmt::format("there is no optimizer named {}", options.optimizer));
  ir::Builder& builder = *elbo.builder;
  report(elbo);
  const std::vector<Value> nodes = parameter_nodes(elbo);
  std::vector<Value> gradients = parameter_gradients(elbo, nodes);
  if (options.clip_norm > 0)
    clip(gradients, options.clip_norm, builder);
  const Slots slots = number_slots(elbo, *optimizer, options.average > 0);
  // x - x is 0 exactly for finite x.
  const Value finite = ir::equal(elbo.objective.reported - elbo.objective.reported, builder.real(0));
  Update update(elbo, *optimizer, options, slots, finite);
  for (std::size_t k = 0; k < nodes.size(); ++k)
    if (const auto index = static_cast<std::int32_t>(k); elbo.parameters->at(index).learnable)
      update.store(index, nodes[k], gradients[k]);
  for (const StateUpdate& state : elbo.objective.updates)
    builder.output({OutputKind::store_parameter,
                    elbo.graph->parameters[static_cast<std::size_t>(state.parameter)].name,
                    ir::select(finite, state.after, state.before).id(), state.parameter, -1});
  return slots;
}

} // namespace plait::elbo
