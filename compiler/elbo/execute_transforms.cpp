// Distributions sent through transforms: draws go forward, values whose density is asked for go back.
#include "compiler/elbo/executor.hpp"

#include "compiler/catalog/array_math.hpp"
#include "compiler/catalog/ops.hpp"
#include "compiler/guide/flow.hpp"
#include "compiler/tensor_ir/interpret.hpp"

#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <utility>

namespace plait::elbo {

using catalog::FlowKind;
using catalog::Moved;
using ir::Extent;
using ir::Value;

/** One map of a chain of transforms. */
struct MapStep {
  std::function<Moved(Value source)> forward;
  /** The source of `image`. `source`: its value where it is known, else null. With `held` learned numbers
   * carry no derivative. */
  std::function<Moved(Value image, Value source, bool held)> backward;
};

namespace {

/** `depth`: how often an autoregressive flow is applied to undo it. */
MapStep flow_step(FlowKind kind, const guide::Conditioner& conditioner, int depth) {
  return {[conditioner](Value source) {
            const guide::FlowStep step = guide::move(conditioner, source);
            return Moved{step.vector, step.log_scale};
          },
          [conditioner, depth, kind](Value image, Value source, bool held) {
            const guide::FlowStep step = kind == FlowKind::halves
                                             ? guide::solve_halves(conditioner, image, held)
                                             : guide::move_back(conditioner, image, source, depth);
            return Moved{step.vector, step.log_scale};
          }};
}

} // namespace

/** A value that the guide reads, with what is learned in it held where log q is to be held, draws free. */
Value Executor::held_in_guide(Value value) {
  const bool holds =
      value && detach_density && role_ == Role::guide && value.type().element == ir::Element::real;
  return holds ? hold_.held(value) : value;
}

Executor::Values Executor::call_net(const program::Transform& transform, Value moved, Value context,
                                    bool held) {
  const auto* call = program::get_if<program::FunctionCall>(transform.net);
  const program::Instance& instance = program_->instance(call->instance);
  bound_[static_cast<std::size_t>(instance.parameters.at(0))] = moved;
  if (context)
    bound_[static_cast<std::size_t>(instance.parameters.at(1))] = context;
  const bool in_baseline = std::exchange(in_baseline_, false);
  const bool outer = std::exchange(holds_weights_, held);
  const auto result = walk(instance.body);
  holds_weights_ = outer;
  in_baseline_ = in_baseline;
  if (!result)
    throw std::logic_error("a function without return");
  return {catalog::as_real(result->at(0)), catalog::as_real(result->at(1))};
}

// Entry k of an autoregressive net may depend on the entries before k alone: only then is the Jacobian
// triangular. Weights and inputs at random, one input moved at a time: an output that may not depend on it
// must keep its bits.
void Executor::check_autoregressive(const program::Transform& transform) {
  const auto* call = program::get_if<program::FunctionCall>(transform.net);
  const program::Instance& instance = program_->instance(call->instance);
  ir::Graph graph;
  ir::Builder builder(graph);
  guide::Parameters parameters(builder);
  Sizes sizes(*program_, graph, false, false);
  Executor trial(*program_, builder, sizes, parameters, {});
  Values arguments;
  for (program::SymbolId id : instance.parameters)
    arguments.push_back(parameters.declare(fmt::format("({})", arguments.size()),
                                           sizes.shape(program_->symbol(id).type.dims), {}, "trial", {}));
  const Values outputs =
      trial.call_net(transform, arguments[0], arguments.size() > 1 ? arguments[1] : Value{}, false);
  ir::Inputs inputs;
  std::uint64_t state = 1;
  for (const ir::Parameter& parameter : graph.parameters) {
    std::int64_t size = 1;
    for (const Extent& extent : parameter.shape)
      size *= catalog::known(extent);
    std::vector<double>& values = inputs.parameters.emplace_back();
    for (std::int64_t k = 0; k < size; ++k) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      values.push_back(static_cast<double>(state >> 40) * 0x1p-23 - 1);
    }
  }
  const std::vector<ir::NodeId> nodes{outputs[0].id(), outputs[1].id()};
  const auto before = ir::interpret(graph, inputs, nodes);
  for (std::size_t k = 0; k < inputs.parameters[0].size(); ++k) {
    const double here = std::exchange(inputs.parameters[0][k], inputs.parameters[0][k] + 0.37);
    const auto after = ir::interpret(graph, inputs, nodes);
    inputs.parameters[0][k] = here;
    for (std::size_t output = 0; output < 2; ++output)
      for (std::size_t i = 0; i <= k; ++i)
        if (before[output].numbers[i] != after[output].numbers[i])
          throw Unsupported(
              transform.span,
              fmt::format(
                  "iaf with {}: entry {} of its {} reads entry {} of the vector; entry k may read the "
                  "entries before k alone. `masked_linear` keeps that order, and `iaf(d, hidden = 64)` "
                  "brings a net of its own",
                  program_->function(instance.function).name, i, output == 0 ? "shift" : "log scale", k));
  }
}

MapStep Executor::elementary_step(const program::Transform& transform, const std::vector<Extent>& shape) {
  const catalog::Transform& row = *transform.row;
  Values values, held_values;
  for (const program::ExprPtr& argument : transform.arguments)
    values.push_back(real(argument));
  for (Value value : values)
    held_values.push_back(held_in_guide(value));
  return {[this, &row, values, shape](Value source) { return row.forward(*builder_, source, values, shape); },
          [this, &row, held_values, shape](Value image, Value source, bool) {
            if (row.backward)
              return row.backward(*builder_, image, held_values);
            // Nothing is learned in such a row: the way forward says the same.
            return Moved{source, row.forward(*builder_, source, held_values, shape).log_det};
          }};
}

MapStep Executor::net_step(const program::Transform& transform, std::int64_t size) {
  if (transform.row->flow == FlowKind::autoregressive)
    check_autoregressive(transform);
  const auto* call = program::get_if<program::FunctionCall>(transform.net);
  const Value context = call->arguments.size() > 1 ? evaluate(call->arguments[1]) : Value{};
  const Value held_context = held_in_guide(context);
  // A coupling's net reads the first entries and moves the rest.
  const std::int64_t read = catalog::known(sizes_->extent(program_->symbol(transform.input).type.dims.at(0)));
  const guide::Conditioner conditioner = [this, &transform, context, held_context, read,
                                          size](Value z, bool held) -> guide::Affine {
    const Value told = held ? held_context : context;
    if (read == size) {
      const Values values = call_net(transform, z, told, held);
      return {values[1], values[0]};
    }
    const Value first = builder_->slice(z, 0, Extent::known(0), Extent::known(read));
    const Values values = call_net(transform, first, told, held);
    const auto padded = [&](Value value) {
      return builder_->pad(value, 0, Extent::known(read), Extent::known(size));
    };
    return {padded(values[1]), padded(values[0])};
  };
  return flow_step(transform.row->flow, conditioner, static_cast<int>(size) - 1);
}

std::vector<MapStep> Executor::steps_of(const program::Sample& sample) {
  std::vector<MapStep> steps;
  int nets = 0; // of a site; its flows' parameters are numbered
  const guide::Declare declare = [&](const std::string& name, const std::vector<Extent>& shape,
                                     const catalog::Initializer& start) {
    guide::RegisteredParameter registration;
    registration.start.initializer = start;
    registration.shape = shape;
    return parameters_->declare(name, shape, {}, role_ == Role::guide ? "guide" : "model",
                                std::move(registration));
  };
  for (const program::Transform& transform : sample.transforms) {
    const FlowKind kind = transform.row->flow;
    if (kind == FlowKind::none) {
      const bool is_last = &transform == &sample.transforms.back();
      steps.push_back(
          elementary_step(transform, sizes_->shape(is_last ? sample.type.dims : transform.image_dims)));
      continue;
    }
    const std::int64_t size = catalog::known(sizes_->extent(transform.image_dims.at(0)));
    if (transform.net) {
      steps.push_back(net_step(transform, size));
      continue;
    }
    const Value context = transform.context ? real(transform.context) : Value{};
    const Value held_context = held_in_guide(context);
    const std::int64_t units = transform.hidden > 0 ? transform.hidden : guide::flow_units(size);
    for (std::int64_t layer = 0; layer < transform.flows; ++layer) {
      // Model and guide may both send the site of one name through flows: each has its own.
      const std::string net_name = fmt::format("{}.{}{}", program_->symbol(sample.symbol).name,
                                               role_ == Role::guide ? "flow" : "prior_flow", ++nets);
      const guide::MaskedNet net(*builder_, declare, net_name, guide::flow_degrees(kind, size, layer), units,
                                 context, held_context);
      steps.push_back(flow_step(kind, net, net.depth()));
    }
  }
  return steps;
}

Executor::Way Executor::go_forward(const std::vector<MapStep>& steps, Value source) {
  Way way;
  way.passed = {source};
  way.log_det = builder_->broadcast(builder_->real(0), source.type().axes, {});
  for (const MapStep& step : steps) {
    const Moved moved = step.forward(way.passed.back());
    way.passed.push_back(moved.value);
    way.log_det = way.log_det + builder_->sum_event(moved.log_det);
  }
  return way;
}

Value Executor::density_behind(const program::Sample& sample, const std::vector<MapStep>& steps, Value image,
                               const Values& parameters, const Way* way) {
  Value log_det;
  for (std::size_t k = steps.size(); k-- > 0;) {
    const Moved moved = steps[k].backward(image, way ? way->passed[k] : Value{}, way != nullptr);
    image = moved.value;
    const Value part = builder_->sum_event(moved.log_det);
    log_det = log_det ? log_det + part : part;
  }
  return builder_->sum_event(catalog::log_prob(*builder_, *sample.distribution, image, parameters)) - log_det;
}

Value Executor::density(const program::Sample& sample, Value value, const Values& parameters) {
  if (sample.transforms.empty())
    return catalog::log_prob(*builder_, *sample.distribution, value, parameters);
  return density_behind(sample, steps_of(sample), catalog::as_real(value), parameters, nullptr);
}

Executor::Drawn Executor::draw_from(const program::Sample& sample, const Values& parameters) {
  SiteDraws draws = draws_of(program_->symbol(sample.symbol).name);
  const std::vector<Extent> shape = sizes_->shape(sample.source_dims);
  const Value source = catalog::sample(draws, *sample.distribution, parameters, shape);
  if (sample.transforms.empty())
    return {source, {}, {}};
  const std::vector<MapStep> steps = steps_of(sample);
  const Way way = go_forward(steps, source);
  Drawn drawn;
  drawn.value = way.passed.back();
  if (role_ != Role::guide)
    return drawn;
  if (detach_density) {
    Values held;
    for (Value parameter : parameters)
      held.push_back(held_in_guide(parameter));
    drawn.log_prob = density_behind(sample, steps, drawn.value, held, &way);
  } else {
    const Value of_source = catalog::log_prob(*builder_, *sample.distribution, source, parameters);
    drawn.log_prob = builder_->sum_event(of_source) - way.log_det;
  }
  // E[-log q(y)] = E[-log q(x)] + E[log |dy/dx|].
  if (const auto entropy = catalog::entropy(*builder_, *sample.distribution, parameters, shape))
    drawn.entropy = builder_->sum_event(*entropy) + way.log_det;
  return drawn;
}

} // namespace plait::elbo
