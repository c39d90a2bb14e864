#include "compiler/session/state.hpp"

#include "compiler/guide/pairing_print.hpp"
#include "grammar/format/format.hpp"
#include "grammar/parse.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace plait {

ast::Program session::parse_source(const Source& source, Diagnostics& diagnostics) {
  return parse(source, diagnostics);
}

Data::Data() : contents_(std::make_shared<Contents>()) {}

void Data::set(const std::string& name, std::vector<std::int64_t> shape, std::vector<double> values) {
  const std::size_t size = session::element_count(shape);
  if (size != values.size())
    throw Error(Fault::data, fmt::format("error: data {}: a shape of {} numbers, but {} are given", name,
                                         size, values.size()));
  contents_ = std::make_shared<Contents>(*contents_);
  contents_->arrays[name] = runtime::make_array(std::move(shape), std::move(values));
}

void Data::add_argument(const std::string& argument) {
  contents_ = std::make_shared<Contents>(*contents_);
  contents_->arguments.push_back(argument);
}

const std::vector<std::string>& Data::arguments() const {
  return contents_->arguments;
}

void Data::set_size(const std::string& name, std::int64_t size) {
  contents_ = std::make_shared<Contents>(*contents_);
  contents_->sizes[name] = size;
}

Model Model::load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw Error(Fault::usage, fmt::format("error: cannot read the model file {}", path));
  std::stringstream text;
  text << file.rdbuf();
  if (file.bad() || text.fail())
    throw Error(Fault::usage, fmt::format("error: cannot read the model file {}", path));
  return parse(text.str(), path);
}

Model Model::parse(const std::string& text, const std::string& name) {
  auto parsed = std::make_shared<Parsed>();
  parsed->source = Source{name, text};
  Diagnostics diagnostics;
  parsed->file = session::parse_source(parsed->source, diagnostics);
  session::throw_if_errors(parsed->source, diagnostics);
  return Model(std::move(parsed));
}

std::string Model::format() const {
  return plait::format(parsed_->file, parsed_->source);
}
const std::string& Model::name() const {
  return parsed_->source.name;
}
const std::string& Model::text() const {
  return parsed_->source.text;
}
std::vector<std::string> Model::stages() {
  return compiler::stage_names();
}

namespace {

/** The program with a number for every size that only data will tell: whether an estimator covers a site does
 * not depend on it. Empty when the program needs particular sizes. */
std::optional<compiler::CheckedProgram> with_stand_in_sizes(const Model::Parsed& parsed,
                                                            const CompileOptions& options,
                                                            const program::Program& program) {
  constexpr std::int64_t stand_in = 8;
  compiler::ProgramOptions complete{options.set, {}};
  for (const auto& [name, size] : program.sizes)
    if (!size.value)
      complete.sizes[name] = stand_in;
  Diagnostics ignored;
  return compiler::check_program(parsed.file, complete, ignored);
}

} // namespace

std::string Model::check(const Data& data, const CompileOptions& options) const {
  const bool has_data = !data.contents().arguments.empty() || !data.contents().arrays.empty();
  Diagnostics diagnostics;
  std::optional<compiler::CheckedProgram> checked;
  if (has_data)
    checked = session::bind_program(*parsed_, data, options).checked;
  else
    checked = compiler::check_program(parsed_->file, {options.set, {}}, diagnostics);
  session::throw_if_errors(parsed_->source, diagnostics);
  // What no estimator covers is an error of the program too, found when the objective is built.
  std::map<program::SampleId, std::string> estimates;
  if (const auto complete = has_data ? checked : with_stand_in_sizes(*parsed_, options, checked->program))
    if (const auto elbo =
            elbo::build_elbo(complete->program, session::elbo_options(options, true), diagnostics))
      for (const elbo::SiteEstimate& estimate : elbo->estimates)
        estimates[estimate.sample] = estimate.estimator;
  session::throw_if_errors(parsed_->source, diagnostics);
  std::string text = render(parsed_->source, diagnostics); // warnings
  return text + guide::print_sites(checked->program, checked->pairing, estimates);
}

std::string Model::emit(const std::string& stage, const Data& data, const FitOptions& options) const {
  const auto& names = compiler::stage_names();
  if (std::find(names.begin(), names.end(), stage) == names.end())
    throw Error(Fault::usage,
                fmt::format("error: there is no stage '{}'; stages are {}", stage, fmt::join(names, ", ")));
  std::string result;
  struct Done {};
  const compiler::EmitStage emit = [&](const std::string& name, const std::function<std::string()>& text) {
    if (name == stage) {
      result = text();
      throw Done{};
    }
  };
  try {
    const bool has_data = !data.contents().arguments.empty() || !data.contents().arrays.empty();
    if (has_data) {
      FitOptions without_cache = options;
      without_cache.compile.use_cache = false;
      session::make_state(parsed_, data, without_cache, emit);
    } else {
      Diagnostics diagnostics;
      auto checked = compiler::check_program(parsed_->file, {options.compile.set, {}}, diagnostics, emit);
      session::throw_if_errors(parsed_->source, diagnostics);
      elbo::StepOptions step;
      step.optimizer = options.optimizer;
      step.optimizer_options = options.optimizer_options;
      compiler::NativeOptions native;
      native.use_cache = false;
      compiler::compile_step(checked->program, session::elbo_options(options.compile, true), step, native,
                             diagnostics, emit);
      session::throw_if_errors(parsed_->source, diagnostics);
    }
  } catch (const Done&) {
    return result;
  }
  throw Error(Fault::usage, fmt::format("error: the stage {} was not reached", stage));
}

} // namespace plait
