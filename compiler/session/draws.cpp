#include "compiler/elbo/build_draws.hpp"
#include "compiler/session/average.hpp"
#include "compiler/session/laplace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

namespace plait::session {

bool in_subsampled_plate(const ir::Graph& graph, const std::vector<ir::AxisId>& axes,
                         const program::Program& program) {
  return std::any_of(axes.begin(), axes.end(), [&](ir::AxisId axis) {
    return std::any_of(program.plates.begin(), program.plates.end(), [&](const program::Plate& plate) {
      return plate.name == graph.axis(axis).name && plate.subsampled();
    });
  });
}

std::vector<void*> match_parameters(const Fit::State& state, const BoundProgram& bound,
                                    const ir::Graph& graph) {
  std::vector<void*> result;
  for (const ir::Parameter& parameter : graph.parameters) {
    const auto array =
        std::find_if(state.parameters.begin(), state.parameters.end(),
                     [&](const ParameterArray& candidate) { return candidate.name == parameter.name; });
    if (array == state.parameters.end())
      throw Error(
          Fault::model,
          fmt::format("error: the run has no parameter {}: neither model nor guide uses it, so that nothing "
                      "was learned",
                      parameter.name));
    const std::vector<std::int64_t> shape = stored_shape(graph, parameter, bound.sizes);
    if (shape != array->shape)
      throw Error(
          Fault::data,
          fmt::format(
              "error: parameter {} was fitted with shape [{}], but this data needs [{}]\nhint: a parameter "
              "inside a plate belongs to the rows it was fitted on; an amortized guide serves new rows",
              parameter.name, fmt::join(array->shape, ", "), fmt::join(shape, ", ")));
    result.push_back(result_values(state, static_cast<std::size_t>(array - state.parameters.begin())).data());
  }
  return result;
}

namespace {

/** Which elements of an array exist: those before the end of their ragged rows. Empty: all. */
std::vector<bool> existing(const std::vector<std::int64_t>& shape, const std::vector<elbo::RaggedDim>& ragged,
                           const runtime::Dataset& dataset) {
  if (ragged.empty())
    return {};
  const std::size_t size = element_count(shape);
  std::vector<bool> exists(size, true);
  for (const elbo::RaggedDim& dim : ragged) {
    const auto lengths = dataset.lengths.find(dim.lengths);
    if (lengths == dataset.lengths.end())
      continue;
    std::size_t inside = 1, inside_row = 1; // numbers below one step of the dimension
    for (std::size_t k = dim.dim + 1; k < shape.size(); ++k)
      inside *= static_cast<std::size_t>(shape[k]);
    for (std::size_t k = dim.row_dim + 1; k < shape.size(); ++k)
      inside_row *= static_cast<std::size_t>(shape[k]);
    for (std::size_t flat = 0; flat < size; ++flat) {
      const std::size_t row = flat / inside_row % static_cast<std::size_t>(shape[dim.row_dim]);
      const std::size_t position = flat / inside % static_cast<std::size_t>(shape[dim.dim]);
      if (static_cast<std::int64_t>(position) >= dim.constant + dim.factor * lengths->second.at(row))
        exists[flat] = false;
    }
  }
  return exists;
}

/** Elements of an array exist where `exists`, which has its leading dimensions, is not 0. */
void take_existence(DrawnArray& array, const std::vector<double>& exists) {
  const std::size_t size = element_count(array.shape);
  array.exists.resize(size, true);
  for (std::size_t flat = 0; flat < size; ++flat)
    if (exists[flat / (size / exists.size())] == 0)
      array.exists[flat] = false;
}

} // namespace

std::vector<DrawnArray> draw(const Fit::State& state, const BoundProgram& bound, const DrawRequest& request,
                             std::vector<DrawnArray>* parameter_values) {
  Diagnostics diagnostics;
  CompileOptions single_draw = state.options.compile;
  single_draw.particles = 1;
  elbo::DrawOptions options;
  options.predict = request.predict;
  options.absent = bound.absent;
  auto built =
      elbo::build_draws(bound.checked.program, elbo_options(single_draw, false), options, diagnostics);
  throw_if_errors(state.parsed->source, diagnostics);
  ir::Graph& graph = *built->graph;

  std::vector<DrawnArray> arrays;
  std::vector<Buffer> buffers;
  std::vector<std::size_t> partial; // arrays not all of whose elements exist: see add_existence
  const std::size_t real_bytes = bytes_of_real(bound.single_precision);
  const auto add_output = [&](const std::string& name, const elbo::DrawnValue& drawn) {
    DrawnArray array;
    array.name = name;
    array.shape = sizes_of(graph, drawn.value.type(), bound.sizes);
    array.exists = existing(array.shape, drawn.ragged, bound.dataset);
    const std::size_t size = element_count(array.shape);
    built->builder->output({ir::OutputKind::value, name, drawn.value.id(), -1, -1});
    arrays.push_back(std::move(array));
    buffers.emplace_back(size * real_bytes);
  };
  const auto add_existence = [&](std::size_t array, const elbo::DrawnValue& drawn) {
    if (!drawn.exists)
      return;
    partial.push_back(array);
    add_output(arrays[array].name + ".exists", {*drawn.exists, {}, {}});
  };
  bool left_out = false;
  if (request.predict) {
    for (const auto& [name, drawn] : built->results)
      add_output(name, drawn);
  } else {
    for (const auto& [name, drawn] : built->latents) {
      if (request.local || !in_subsampled_plate(graph, drawn.value.type().axes, bound.checked.program))
        add_output(name, drawn);
      else
        left_out = true;
    }
  }
  const std::size_t drawn = arrays.size();
  for (std::size_t a = 0; a < drawn; ++a)
    add_existence(a, (request.predict ? built->results : built->latents).at(arrays[a].name));
  const std::size_t once = arrays.size();
  if (drawn == 0 && request.must_draw)
    throw Error(Fault::usage,
                left_out
                    ? "error: every latent of the model is under a subsampled plate\nhint: `--local` draws "
                      "these too, for every row"
                : request.predict ? "error: the predict block makes no values, and there are no data to draw"
                                  : "error: the model has no latents to draw");
  if (parameter_values)
    for (std::size_t k = 0; k < graph.parameters.size(); ++k) {
      const ir::NodeId node = built->parameters->all()[k].constrained;
      if (node != ir::no_node && graph.node(node).region == ir::root_region)
        add_output(graph.parameters[k].name, {built->builder->value(node), {}, {}});
    }
  // A parameter of a subsampled plate stores every row: read as a whole it is no draw.
  const compiler::NativeProgram native =
      compiler::compile_native(graph, native_options(bound, state.options.compile));
  runtime::RunnerSetup setup = runner_setup(bound, native, false);
  PosteriorParameters parameters(state, bound, native.graph, request.at_points);
  setup.parameters = parameters.pointers();
  for (Buffer& buffer : buffers)
    setup.values.push_back(buffer.data());
  setup.seed = state.options.seed ^ 0x647261777300ull; // other noise than the training steps
  setup.pool = state.pool.get();
  runtime::StepRunner runner(std::move(setup));
  std::int64_t draws = request.draws;
  if (draws == 0) {
    std::size_t numbers = 1;
    for (std::size_t a = 0; a < drawn; ++a)
      numbers += buffers[a].bytes() / real_bytes;
    draws = std::clamp<std::int64_t>(static_cast<std::int64_t>(4'000'000 / numbers), 100, 4000);
  }
  for (std::int64_t k = 0; k < draws; ++k) {
    parameters.move_to(k);
    runner.run(static_cast<std::uint32_t>(k), {{"step", 1.0}});
    for (std::size_t a = 0; a < arrays.size(); ++a) {
      if (a >= drawn && k > 0)
        continue;
      std::vector<double> numbers(buffers[a].bytes() / real_bytes);
      for (std::size_t i = 0; i < numbers.size(); ++i)
        numbers[i] = read_real(buffers[a].data(), i, bound.single_precision);
      arrays[a].values.push_back(std::move(numbers));
    }
  }
  for (std::size_t k = 0; k < partial.size(); ++k)
    take_existence(arrays[partial[k]], arrays[drawn + k].values.front());
  if (parameter_values)
    parameter_values->assign(std::make_move_iterator(arrays.begin() + static_cast<std::ptrdiff_t>(once)),
                             std::make_move_iterator(arrays.end()));
  arrays.resize(drawn);
  return arrays;
}

} // namespace plait::session

namespace plait {

std::vector<DrawnArray> Fit::sample(std::int64_t draws, bool local) const {
  session::DrawRequest request;
  request.draws = draws;
  request.local = local;
  request.must_draw = true;
  return session::draw(*state_, state_->bound, request);
}

std::vector<DrawnArray> Fit::predict(std::int64_t draws) const {
  session::DrawRequest request;
  request.draws = draws;
  request.predict = true;
  request.must_draw = true;
  return session::draw(*state_, state_->bound, request);
}

std::vector<DrawnArray> Fit::predict(const Data& data, std::int64_t draws) const {
  session::DrawRequest request;
  request.draws = draws;
  request.predict = true;
  request.must_draw = true;
  const session::BoundProgram bound =
      session::bind_program(*state_->parsed, data, state_->options.compile, {}, {&state_->bound, true});
  state_->new_data_notes = session::data_notes(bound.dataset);
  return session::draw(*state_, bound, request);
}

namespace {

Summary summarize(const DrawnArray& array, bool is_parameter) {
  Summary summary;
  summary.name = array.name;
  summary.is_parameter = is_parameter;
  summary.shape = array.shape;
  summary.exists = array.exists;
  const std::size_t size = array.values.empty() ? 0 : array.values.front().size();
  const std::size_t count = array.values.size();
  const auto draws = static_cast<double>(count);
  for (std::vector<double>* numbers : {&summary.mean, &summary.sd, &summary.q05, &summary.q50, &summary.q95})
    numbers->resize(size);
  // Draws lie one after the other: some neighbouring numbers are gathered from all of them at once.
  constexpr std::size_t together = 16;
  std::vector<double> columns(together * count);
  for (std::size_t first = 0; first < size; first += together) {
    const std::size_t width = std::min(together, size - first);
    for (std::size_t k = 0; k < count; ++k)
      for (std::size_t i = 0; i < width; ++i)
        columns[i * count + k] = array.values[k][first + i];
    for (std::size_t i = 0; i < width; ++i) {
      const std::span<double> column(columns.data() + i * count, count);
      double sum = 0;
      for (double value : column)
        sum += value;
      const double mean = sum / draws;
      double squares = 0;
      for (double value : column)
        squares += (value - mean) * (value - mean);
      // Interpolated order statistics; what is below one quantile stays below the next.
      auto begin = column.begin();
      const auto quantile = [&](double p) {
        const double position = p * (draws - 1);
        const auto low = static_cast<std::ptrdiff_t>(position);
        std::nth_element(begin, column.begin() + low, column.end());
        begin = column.begin() + low;
        const double value = *begin;
        if (position == static_cast<double>(low))
          return value;
        return value +
               (position - static_cast<double>(low)) * (*std::min_element(begin + 1, column.end()) - value);
      };
      summary.mean[first + i] = mean;
      summary.sd[first + i] = draws > 1 ? std::sqrt(squares / (draws - 1)) : 0;
      summary.q05[first + i] = quantile(0.05);
      summary.q50[first + i] = quantile(0.5);
      summary.q95[first + i] = quantile(0.95);
    }
  }
  return summary;
}

} // namespace

std::vector<Summary> Fit::summaries() const {
  if (state_->summarized == state_->step)
    return state_->summaries;
  session::DrawRequest request;
  request.draws = 0;
  std::vector<DrawnArray> parameters;
  std::vector<Summary> result;
  for (const DrawnArray& array : session::draw(*state_, state_->bound, request, &parameters))
    result.push_back(summarize(array, false));
  for (const DrawnArray& array : parameters)
    result.push_back(summarize(array, true));
  state_->summaries = result;
  state_->summarized = state_->step;
  return result;
}

Summary Fit::summary(const std::string& name) const {
  for (Summary& summary : summaries())
    if (summary.name == name)
      return summary;
  throw Error(Fault::usage, fmt::format("error: there is no latent or parameter named {}", name));
}

} // namespace plait
