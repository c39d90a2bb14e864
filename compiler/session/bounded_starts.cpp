#include "compiler/session/bounded_starts.hpp"

#include "compiler/elbo/build_draws.hpp"
#include "runtime/bound_shape.hpp"
#include "runtime/data_error.hpp"

#include <fmt/format.h>

#include <map>
#include <optional>

namespace plait::session {

struct BoundedStarts::Program {
  compiler::NativeProgram native;
  std::vector<Buffer> buffers;
  std::map<std::string, std::size_t> lower, upper; ///< by site: which buffer
  std::unique_ptr<runtime::StepRunner> runner;
};

BoundedStarts::~BoundedStarts() = default;

BoundedStarts::BoundedStarts(const Fit::State& state, std::vector<BoundedStart> starts)
    : starts_(std::move(starts)) {
  if (starts_.empty())
    return;
  std::set<std::string> sites;
  for (const BoundedStart& start : starts_)
    sites.insert(start.name);
  Diagnostics diagnostics;
  CompileOptions one_draw = state.options.compile;
  one_draw.particles = 1;
  auto built = elbo::build_start_bounds(state.bound.checked.program, elbo_options(one_draw, false), sites,
                                        diagnostics);
  throw_if_errors(state.parsed->source, diagnostics);
  program_ = std::make_unique<Program>();
  const std::size_t real_bytes = bytes_of_real(state.bound.single_precision);
  const auto add_outputs = [&](const std::map<std::string, ir::Value>& bounds, const std::string& suffix,
                               std::map<std::string, std::size_t>& places) {
    for (const auto& [site, value] : bounds) {
      places[site] = program_->buffers.size();
      built->builder->output({ir::OutputKind::value, site + suffix, value.id(), -1, -1});
      program_->buffers.emplace_back(element_count(sizes_of(*built->graph, value.type(), state.bound.sizes)) *
                                     real_bytes);
    }
  };
  add_outputs(built->lower, " lower", program_->lower);
  add_outputs(built->upper, " upper", program_->upper);
  program_->native =
      compiler::compile_native(std::move(*built->graph), native_options(state.bound, state.options.compile));
  runtime::RunnerSetup setup = runner_setup(state.bound, program_->native, false);
  setup.parameters = match_parameters(state, state.bound, program_->native.graph);
  for (const Buffer& buffer : program_->buffers)
    setup.values.push_back(buffer.data());
  setup.pool = state.pool.get();
  program_->runner = std::make_unique<runtime::StepRunner>(std::move(setup));
}

namespace {

[[noreturn]] void refuse(const Fit::State& state, const BoundedStart& start, std::size_t element,
                         const std::string& reason) {
  const std::vector<std::int64_t> position = index_of(element, start.shape);
  const std::string name = start.name + (start.shape.empty() ? "" : runtime::shown_shape(position));
  if (start.span) {
    Diagnostics diagnostics;
    diagnostics.error("start-value", *start.span,
                      fmt::format("the start of {} cannot be used: {}", name, reason));
    throw_if_errors(state.parsed->source, diagnostics);
  }
  runtime::DataError error;
  error.name = start.name;
  error.file = start.file;
  error.element = position;
  error.message = fmt::format("{} cannot start here: {}", name, reason);
  error.hint = "the bounds are those where the fit starts; --init starts what they depend on elsewhere";
  throw Error(Fault::data, runtime::to_text({error}));
}

} // namespace

void BoundedStarts::unconstrain(Fit::State& state) const {
  if (!program_)
    return;
  program_->runner->run(0, {{"step", 1.0}});
  const bool single = state.bound.single_precision;
  for (const BoundedStart& start : starts_) {
    const auto bound = [&](const std::map<std::string, std::size_t>& places, std::size_t element,
                           const std::optional<double>& constant) -> std::optional<double> {
      const auto place = places.find(start.name);
      return place == places.end() ? constant
                                   : read_real(program_->buffers[place->second].data(), element, single);
    };
    for (std::size_t element = 0; element < start.at.size(); ++element) {
      const std::size_t at = start.at[element];
      if (at == BoundedStart::nowhere)
        continue;
      catalog::Support support = start.support;
      const std::size_t place = start.is_parameter ? at : element;
      support.lower = bound(program_->lower, place, support.lower);
      support.upper = bound(program_->upper, place, support.upper);
      try {
        write_real(state.parameters[start.parameter].values.data(), at,
                   catalog::unconstrain(support, {}, {start.values[element]}).front(), single);
      } catch (const std::domain_error& fault) {
        refuse(state, start, element, fault.what());
      }
    }
  }
}

} // namespace plait::session
