#include "compiler/session/warm_start.hpp"

#include "runtime/bound_shape.hpp"
#include "runtime/checkpoint.hpp"
#include "runtime/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace plait::session {

namespace {

std::string shown(const std::vector<std::int64_t>& shape) {
  return shape.empty() ? "" : runtime::shown_shape(shape);
}

/** Support and shape of values, as in `s : positive[3]`; bounds are left out, a start between others serves
 * too. */
std::string type_text(const catalog::Support& support, const std::vector<std::int64_t>& shape) {
  return catalog::to_string(catalog::Support{support.kind}) + shown(shape);
}

runtime::FitState read_run(const std::string& folder) {
  try {
    return runtime::read_state({folder});
  } catch (const runtime::StorageError& fault) {
    throw Error(Fault::usage,
                fmt::format("error: --init {}: {}\nhint: a folder given as a start is that of a "
                            "run, as `plait fit --out` leaves it",
                            folder, fault.what()));
  }
}

} // namespace

bool is_run(const std::string& argument) {
  std::error_code none;
  return std::filesystem::is_directory(argument, none);
}

std::string meaning_of(const Fit::State& state, std::size_t parameter) {
  const guide::RegisteredParameter& registered = state.compiled.parameters[parameter];
  const ir::Graph& graph = state.compiled.native.graph;
  const auto& sizes = state.bound.sizes;
  const auto plates = graph.parameters[parameter].axes.size();
  const std::vector<std::int64_t>& stored = state.parameters[parameter].shape;
  std::vector<std::int64_t> shape(stored.begin(), stored.begin() + static_cast<std::ptrdiff_t>(plates));
  for (const ir::Extent& extent : registered.shape)
    shape.push_back(value_of(extent, sizes));
  std::string text = type_text(registered.support, shape);
  const char* before = " for ";
  for (const guide::Location& location : registered.locations) {
    std::vector<std::int64_t> one;
    for (const ir::Extent& extent : location.site.loops)
      one.push_back(value_of(extent, sizes));
    for (const ir::Extent& extent : location.site.shape)
      one.push_back(value_of(extent, sizes));
    text += fmt::format("{}{}: {}", before, location.site.name, type_text(location.site.support, one));
    before = ", ";
  }
  return text;
}

std::optional<WarmStart> take_run(const Fit::State& state, std::vector<GivenStart>& given,
                                  std::vector<runtime::DataFile>& files) {
  WarmStart result;
  for (const std::string& argument : state.options.init.arguments()) {
    if (!is_run(argument))
      continue;
    if (!result.run.empty())
      throw Error(Fault::usage, fmt::format("error: --init names two runs, {} and {}: a fit starts from one",
                                            result.run, argument));
    result.run = argument;
  }
  if (result.run.empty())
    return std::nullopt;
  const runtime::FitState saved = read_run(result.run);
  result.step = saved.step;

  std::vector<runtime::DataError> errors;
  bool shared = false; // some name is in the run and here
  for (std::size_t p = 0; p < state.parameters.size(); ++p) {
    const ParameterArray& array = state.parameters[p];
    GivenStart& start = given[p];
    if (!state.compiled.parameters[p].learnable)
      continue;
    const runtime::Tensor* tensor = runtime::find_tensor(saved.averages, array.name);
    if (!tensor)
      tensor = runtime::find_tensor(saved.parameters, array.name);
    shared = shared || tensor;
    if (!start.given.empty() && std::find(start.given.begin(), start.given.end(), false) == start.given.end())
      continue;
    if (!tensor) {
      result.fresh.push_back(array.name);
      continue;
    }
    const auto meaning = saved.meanings.find(array.name);
    const std::string here = meaning_of(state, p);
    if (tensor->values.shape != array.shape || (meaning != saved.meanings.end() && meaning->second != here)) {
      runtime::DataError error;
      error.name = array.name;
      error.file = result.run;
      error.message =
          meaning != saved.meanings.end()
              ? fmt::format("{} is {} in the run, but {} in this program", array.name, meaning->second, here)
              : fmt::format("{} has shape {} in the run, but {} in this program", array.name,
                            runtime::shown_shape(tensor->values.shape), runtime::shown_shape(array.shape));
      errors.push_back(std::move(error));
      continue;
    }
    const std::size_t size = element_count(array.shape);
    start.numbers.resize(size);
    start.given.resize(size);
    for (std::size_t k = 0; k < size; ++k)
      if (!start.given[k]) {
        start.numbers[k] = tensor->values.real_at(static_cast<std::int64_t>(k));
        start.given[k] = true;
      }
    result.taken.push_back(array.name);
  }
  if (!errors.empty()) {
    errors.back().hint = "a start taken from a run has the shape that it had there; another name, or for a "
                         "declared parameter --init NAME=VALUE, starts afresh";
    throw Error(Fault::data, runtime::to_text(errors));
  }
  for (const runtime::Tensor& tensor : saved.parameters) {
    const auto same = [&](const ParameterArray& array) { return array.name == tensor.name; };
    if (saved.meanings.contains(tensor.name) &&
        std::none_of(state.parameters.begin(), state.parameters.end(), same))
      result.unused.push_back(tensor.name);
  }
  if (!shared) {
    std::vector<std::string> there, here;
    for (const runtime::Tensor& tensor : saved.parameters)
      there.push_back(tensor.name);
    for (const ParameterArray& array : state.parameters)
      here.push_back(array.name);
    throw Error(
        Fault::usage,
        fmt::format("error: --init {}: no parameter of the run has its name in this program\nhint: the "
                    "run has {}; this program has {}",
                    result.run, runtime::listed_names(there), runtime::listed_names(here)));
  }
  const std::string file = runtime::RunFolder{result.run}.state();
  const std::string bytes = runtime::read_text(file);
  files.push_back({file, static_cast<std::int64_t>(bytes.size()), runtime::content_fingerprint(bytes)});
  return result;
}

} // namespace plait::session
