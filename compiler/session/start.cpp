#include "compiler/session/starts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace plait::session {

namespace {

double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

} // namespace

std::unique_ptr<Fit::State> make_state(std::shared_ptr<const Model::Parsed> parsed, const Data& data,
                                       const FitOptions& options, const compiler::EmitStage& emit) {
  const auto begin = std::chrono::steady_clock::now();
  auto state = std::make_unique<Fit::State>();
  state->parsed = parsed;
  state->options = options;
  for (const auto& [name, size] : data.contents().sizes)
    state->options.compile.set[name] = static_cast<double>(size);
  state->data = data;
  state->bound = bind_program(*parsed, data, options.compile, emit);
  const BoundProgram& bound = state->bound;

  elbo::ElboOptions objective = elbo_options(options.compile, true);
  objective.anneal = options.kl_steps > 0 && options.kl_start != 1;
  elbo::StepOptions step;
  step.optimizer = options.optimizer;
  step.optimizer_options = options.optimizer_options;
  step.clip_norm = options.clip_norm;
  step.average = options.average;
  if (!(options.average >= 0 && options.average < 1))
    throw Error(Fault::usage, fmt::format("error: the decay of an average of the iterates must be at least 0 "
                                          "and below 1, not {}",
                                          options.average));
  Diagnostics diagnostics;
  std::optional<compiler::CompiledStep> compiled;
  try {
    compiled = compiler::compile_step(bound.checked.program, objective, step,
                                      native_options(bound, options.compile), diagnostics, emit);
  } catch (const std::invalid_argument& fault) {
    throw Error(Fault::usage, fmt::format("error: {}", fault.what()));
  }
  throw_if_errors(parsed->source, diagnostics);
  state->compiled = std::move(*compiled);
  const ir::Graph& graph = state->compiled.native.graph;

  const std::size_t real_bytes = bytes_of_real(bound.single_precision);
  for (std::size_t k = 0; k < graph.parameters.size(); ++k) {
    const ir::Parameter& parameter = graph.parameters[k];
    const std::vector<std::int64_t> shape = stored_shape(graph, parameter, bound.sizes);
    const auto bytes = element_count(shape) * real_bytes;
    ParameterArray array{parameter.name, shape, Buffer(bytes), {}};
    for (int slot = 0; slot < state->compiled.slots.all; ++slot)
      array.slots.emplace_back(state->compiled.parameters[k].learnable ? bytes : 0);
    state->parameters.push_back(std::move(array));
  }

  state->pool = std::make_unique<runtime::ThreadPool>(static_cast<std::size_t>(std::max(0, options.threads)));
  runtime::RunnerSetup setup = runner_setup(bound, state->compiled.native, true);
  setup.policy = options.epoch_batches ? runtime::MinibatchPolicy::epoch : runtime::MinibatchPolicy::uniform;
  setup.seed = options.seed;
  setup.pool = state->pool.get();
  for (ParameterArray& array : state->parameters) {
    setup.parameters.push_back(array.values.data());
    for (Buffer& slot : array.slots)
      setup.slots.push_back(slot.data());
  }
  state->steps = options.steps;
  if (options.epochs > 0) {
    std::int64_t per_epoch = 1;
    for (const runtime::RowStream& stream : setup.streams)
      per_epoch = std::max(per_epoch, (stream.population + stream.batch - 1) / stream.batch);
    state->steps = options.epochs * per_epoch;
  }
  if (state->steps < 0)
    throw Error(Fault::usage, "error: the number of steps must be at least 0");
  state->runner = std::make_unique<runtime::StepRunner>(std::move(setup));

  const codegen::Artifact& artifact = state->compiled.native.artifact;
  state->report.native_ms =
      artifact.lower_milliseconds + artifact.times.optimize + artifact.times.generate + artifact.times.link;
  state->report.front_ms = milliseconds_since(begin) - state->report.native_ms;
  state->report.from_cache = artifact.times.from_cache;
  state->report.precision = bound.single_precision ? "f32" : "f64";
  return state;
}

} // namespace plait::session

namespace plait {

Fit start(const Model& model, const Data& data, const FitOptions& options) {
  auto state = session::make_state(model.parsed_, data, options);
  session::choose_start(*state);
  return Fit(std::move(state));
}

Fit fit(const Model& model, const Data& data, const FitOptions& options, const Observer& observer) {
  Fit result = start(model, data, options);
  result.run(0, observer);
  return result;
}

} // namespace plait
