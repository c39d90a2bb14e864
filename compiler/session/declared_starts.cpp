#include "compiler/session/declared_starts.hpp"

#include "compiler/elbo/build_starts.hpp"
#include "compiler/elbo/constants.hpp"
#include "runtime/bound_shape.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <string>

namespace plait::session {

namespace {

/** Constrained numbers of one element or of the whole array, and which elements exist; empty: all. */
struct Values {
  std::vector<double> numbers;
  std::vector<double> exists;
};

/** Starts that data decide, by parameter: one run of a compiled program over all rows, in f64. */
std::map<std::string, Values> run_starts(const Fit::State& state) {
  Diagnostics diagnostics;
  CompileOptions one_draw = state.options.compile;
  one_draw.particles = 1;
  auto built = elbo::build_starts(state.bound.checked.program, elbo_options(one_draw, false), diagnostics);
  throw_if_errors(state.parsed->source, diagnostics);
  std::map<std::string, Values> result;
  std::vector<Buffer> buffers;
  std::vector<std::vector<double>*> targets;
  const auto add_output = [&](const std::string& name, ir::Value value, std::vector<double>& numbers) {
    numbers.resize(element_count(sizes_of(*built->graph, value.type(), state.bound.sizes)));
    built->builder->output({ir::OutputKind::value, name, value.id(), -1, -1});
    buffers.emplace_back(numbers.size() * sizeof(double));
    targets.push_back(&numbers);
  };
  for (const auto& [name, start] : built->starts) {
    Values& values = result[name];
    add_output(name, start.value, values.numbers);
    if (start.exists)
      add_output(name + " exists", *start.exists, values.exists);
  }
  compiler::NativeOptions options = native_options(state.bound, state.options.compile);
  options.single_precision = false;
  const compiler::NativeProgram native = compiler::compile_native(std::move(*built->graph), options);
  runtime::RunnerSetup setup = runner_setup(state.bound, native, false);
  setup.parameters = match_parameters(state, state.bound, native.graph);
  for (const Buffer& buffer : buffers)
    setup.values.push_back(buffer.data());
  setup.pool = state.pool.get();
  runtime::StepRunner(std::move(setup)).run(0, {{"step", 1.0}});
  for (std::size_t k = 0; k < buffers.size(); ++k)
    std::copy_n(static_cast<const double*>(buffers[k].data()), targets[k]->size(), targets[k]->begin());
  return result;
}

std::vector<double> unconstrained(const Fit::State& state, std::size_t parameter, Values values) {
  const guide::RegisteredParameter& registered = state.compiled.parameters[parameter];
  const ParameterArray& array = state.parameters[parameter];
  const std::size_t plates = state.compiled.native.graph.parameters[parameter].axes.size();
  std::vector<std::int64_t> shape;
  for (const ir::Extent& extent : registered.shape)
    shape.push_back(value_of(extent, state.bound.sizes));
  const std::size_t size = element_count(shape);
  if (values.numbers.size() == 1)
    values.numbers.assign(size, values.numbers.front());
  const std::size_t elements = values.numbers.size() / size;
  const std::vector<std::int64_t> rows(array.shape.begin(),
                                       array.shape.begin() + static_cast<std::ptrdiff_t>(plates));
  const std::size_t width = element_count(array.shape) / element_count(rows);
  std::vector<double> result;
  Diagnostics diagnostics;
  const bool bounded = catalog::has_runtime_bounds(registered.support);
  for (std::size_t k = 0; k < elements && !diagnostics.has_errors(); ++k) {
    if (!values.exists.empty() && values.exists[k] == 0) {
      result.resize(result.size() + width, bounded ? std::numeric_limits<double>::quiet_NaN() : 0.0);
      continue;
    }
    const auto begin = values.numbers.begin() + static_cast<std::ptrdiff_t>(k * size);
    if (bounded) {
      result.insert(result.end(), begin, begin + static_cast<std::ptrdiff_t>(size));
      continue;
    }
    try {
      const std::vector<double> element =
          catalog::unconstrain(registered.support, shape, {begin, begin + static_cast<std::ptrdiff_t>(size)});
      result.insert(result.end(), element.begin(), element.end());
    } catch (const std::exception& fault) {
      const std::string place = elements > 1 ? runtime::shown_shape(index_of(k, rows)) : "";
      diagnostics.error("start-value", registered.start.expression->span,
                        fmt::format("the start of {}{} cannot be used: {}", array.name, place, fault.what()));
    }
  }
  throw_if_errors(state.parsed->source, diagnostics);
  return result;
}

} // namespace

std::vector<std::vector<double>> declared_starts(const Fit::State& state) {
  const program::Program& program = state.bound.checked.program;
  const std::vector<guide::RegisteredParameter>& registered = state.compiled.parameters;
  std::map<std::string, Values> by_data;
  if (std::any_of(registered.begin(), registered.end(), [&](const guide::RegisteredParameter& parameter) {
        return elbo::needs_data(program, parameter.start.expression);
      }))
    by_data = run_starts(state);
  std::vector<std::vector<double>> result(registered.size());
  for (std::size_t p = 0; p < registered.size(); ++p) {
    const program::ExprPtr& expression = registered[p].start.expression;
    if (!expression)
      continue;
    Values values;
    if (const auto found = by_data.find(state.parameters[p].name); found != by_data.end())
      values = std::move(found->second);
    else
      values.numbers = elbo::evaluate_constant(program, expression, state.bound.sizes);
    result[p] = unconstrained(state, p, std::move(values));
  }
  return result;
}

} // namespace plait::session
