#include "compiler/session/state.hpp"

#include "compiler/elbo/build_draws.hpp"
#include "compiler/elbo/sizes.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace plait::session {

std::int64_t value_of(const ir::Extent& extent, const std::map<std::string, std::int64_t>& sizes) {
  return extent.is_known() ? extent.value : sizes.at(extent.name);
}

std::vector<std::int64_t> index_of(std::size_t flat, std::span<const std::int64_t> shape) {
  std::vector<std::int64_t> index(shape.size());
  for (std::size_t dim = shape.size(); dim-- > 0;) {
    index[dim] = static_cast<std::int64_t>(flat % static_cast<std::size_t>(shape[dim]));
    flat /= static_cast<std::size_t>(shape[dim]);
  }
  return index;
}

std::vector<std::int64_t> sizes_of(const ir::Graph& graph, const ir::Type& type,
                                   const std::map<std::string, std::int64_t>& sizes) {
  std::vector<std::int64_t> shape;
  for (ir::AxisId axis : type.axes)
    shape.push_back(value_of(graph.axis(axis).extent, sizes));
  for (const ir::Extent& extent : type.shape)
    shape.push_back(value_of(extent, sizes));
  return shape;
}

std::vector<std::int64_t> stored_shape(const ir::Graph& graph, const ir::Parameter& parameter,
                                       const std::map<std::string, std::int64_t>& sizes) {
  std::vector<std::int64_t> shape;
  for (ir::AxisId axis : parameter.axes)
    shape.push_back(value_of(graph.axis(axis).population, sizes));
  for (const ir::Extent& extent : parameter.shape)
    shape.push_back(value_of(extent, sizes));
  return shape;
}

double read_real(const void* values, std::size_t position, bool single_precision) {
  return single_precision ? static_cast<double>(static_cast<const float*>(values)[position])
                          : static_cast<const double*>(values)[position];
}

void write_real(void* values, std::size_t position, double number, bool single_precision) {
  if (single_precision)
    static_cast<float*>(values)[position] = static_cast<float>(number);
  else
    static_cast<double*>(values)[position] = number;
}

void throw_if_errors(const Source& source, const Diagnostics& diagnostics) {
  if (diagnostics.has_errors())
    throw Error(Fault::model, render(source, diagnostics));
}

namespace {

bool is_floating(runtime::Storage storage) {
  return storage == runtime::Storage::f32 || storage == runtime::Storage::f64;
}

void make_view(BoundProgram& bound, const runtime::BoundData& data) {
  runtime::DataView view = data.view();
  runtime::Storage storage = runtime::storage(data.values.element);
  // Steps read integers from integer storage; whole numbers that a file holds as floats are converted once.
  if (data.kind != runtime::DataKind::real && is_floating(storage)) {
    auto copy = std::make_shared<std::vector<std::int32_t>>(static_cast<std::size_t>(data.values.size()));
    for (std::int64_t k = 0; k < data.values.size(); ++k)
      (*copy)[static_cast<std::size_t>(k)] = static_cast<std::int32_t>(data.values.integer_at(k));
    view.values = copy->data();
    storage = runtime::Storage::i32;
    bound.owned.push_back(copy);
  }
  bound.views.push_back(view);
  bound.storage.push_back(storage);
}

bool has_nets(const program::Program& program) {
  return std::any_of(program.functions.begin(), program.functions.end(),
                     [](const auto& function) { return function.is_net; });
}

} // namespace

BoundProgram bind_program(const Model::Parsed& parsed, const Data& data, const CompileOptions& options,
                          const compiler::EmitStage& emit, const NewData& new_data) {
  Diagnostics diagnostics;
  const auto declared = compiler::check_program(parsed.file, {options.set, {}}, diagnostics);
  throw_if_errors(parsed.source, diagnostics);

  std::vector<runtime::DataError> faults;
  runtime::DataSource source = runtime::parse_data_arguments(data.contents().arguments, faults);
  for (const auto& [name, array] : data.contents().arrays) {
    runtime::DataArgument argument;
    argument.name = name;
    argument.file = name + " (in memory)";
    argument.text = argument.file;
    argument.memory = array;
    source.arguments.push_back(std::move(argument));
  }
  if (!faults.empty())
    throw Error(Fault::usage, runtime::to_text(faults));
  runtime::BindOptions bind_options;
  for (const auto& [name, value] : options.set)
    if (declared->program.sizes.contains(name))
      bind_options.sizes[name] = static_cast<std::int64_t>(value);
  for (const auto& [name, value] : data.contents().sizes) {
    if (!declared->program.sizes.contains(name))
      throw Error(Fault::usage, fmt::format("error: {} is no size that data decide", name));
    if (value < 1)
      throw Error(Fault::usage, fmt::format("error: the size {} must be at least 1, not {}", name, value));
    bind_options.sizes[name] = value;
  }
  if (new_data.fitted) {
    bind_options.left_open = new_data.fitted->dataset.sizes;
    for (const runtime::BoundData& fitted : new_data.fitted->dataset.data)
      if (!fitted.levels.empty())
        bind_options.levels[fitted.name] = fitted.levels;
  }
  if (new_data.may_lack_outcomes)
    bind_options.optional = elbo::only_observed(declared->program);
  runtime::BindResult result =
      runtime::bind_data(compiler::expected_data(declared->program), source, bind_options);
  if (!result.errors.empty())
    throw Error(Fault::data, runtime::to_text(result.errors));

  BoundProgram bound;
  bound.dataset = std::move(result.dataset);
  auto checked = compiler::check_program(parsed.file, {options.set, bound.dataset.sizes}, diagnostics, emit);
  throw_if_errors(parsed.source, diagnostics);
  bound.checked = std::move(*checked);
  bound.single_precision = options.precision == Precision::f32 ||
                           (options.precision == Precision::automatic && has_nets(bound.checked.program));
  bound.sizes = bound.dataset.sizes;
  for (const auto& [name, lengths] : bound.dataset.lengths)
    bound.sizes[elbo::Sizes::longest(name)] =
        lengths.empty() ? 0 : *std::max_element(lengths.begin(), lengths.end());
  // The most elements that a row of a ragged plate draws; of other plates the step's rows are counted.
  for (const program::Plate& plate : bound.checked.program.plates)
    if (plate.parent >= 0 && plate.drawn)
      bound.sizes[elbo::Sizes::drawn(plate.name)] = *plate.drawn;
  for (const runtime::BoundData& array : bound.dataset.data) {
    make_view(bound, array);
    if (array.absent)
      bound.absent.insert(array.name);
  }
  return bound;
}

elbo::ElboOptions elbo_options(const CompileOptions& options, bool subsample) {
  elbo::ElboOptions elbo;
  elbo.objective = options.objective;
  elbo.objective_options = options.objective_options;
  elbo.particles = options.particles;
  elbo.subsample = subsample;
  return elbo;
}

compiler::NativeOptions native_options(const BoundProgram& bound, const CompileOptions& options) {
  compiler::NativeOptions native;
  native.single_precision = bound.single_precision;
  native.use_cache = options.use_cache;
  native.expected_extents = bound.sizes;
  for (const program::Plate& plate : bound.checked.program.plates)
    if (plate.drawn)
      native.expected_extents[elbo::Sizes::drawn(plate.name)] = *plate.drawn;
  native.storage = bound.storage;
  return native;
}

runtime::RunnerSetup runner_setup(const BoundProgram& bound, const compiler::NativeProgram& native,
                                  bool subsample) {
  runtime::RunnerSetup setup;
  setup.function = native.artifact.entry;
  setup.extents = native.artifact.extents;
  setup.inputs = native.artifact.inputs;
  setup.scalar_count = native.artifact.scalars.size();
  const codegen::Artifact* artifact = &native.artifact;
  setup.workspace_bytes = [artifact](const std::vector<std::int64_t>& extents) {
    return artifact->workspace_bytes(extents);
  };
  setup.sizes = bound.sizes;
  setup.data = bound.views;
  if (!subsample)
    return setup;
  const ir::Graph& graph = native.graph;
  for (const ir::Minibatch& minibatch : graph.minibatches) {
    runtime::RowStream stream;
    stream.plate = minibatch.plate;
    stream.extent = ir::to_string(minibatch.rows);
    stream.population = minibatch.population.is_known() ? minibatch.population.value
                                                        : bound.sizes.at(ir::to_string(minibatch.population));
    for (const program::Plate& plate : bound.checked.program.plates)
      if (plate.name == minibatch.plate) {
        if (!plate.drawn || *plate.drawn < 1)
          throw Error(
              Fault::usage,
              fmt::format("error: the subsample of plate {} must be a number of at least 1", plate.name));
        stream.batch = *plate.drawn;
      }
    for (std::size_t k = 0; k < graph.data.size() && !stream.lengths; ++k)
      if (graph.data[k].ragged && graph.data[k].shape[0] == minibatch.population)
        stream.lengths = bound.views[k].lengths;
    setup.streams.push_back(std::move(stream));
  }
  return setup;
}

} // namespace plait::session
