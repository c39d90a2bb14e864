#include "compiler/session/state.hpp"

#include "compiler/session/average.hpp"
#include "compiler/session/warm_start.hpp"
#include "runtime/checkpoint.hpp"
#include "runtime/trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>

namespace plait {

namespace {

std::string text_of(double value) {
  return fmt::format("{}", value);
} // shortest text that reads back as the same number

double number_of(const std::string& text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/** Every option that decides the numbers, as text; the inverse of read_options. */
std::map<std::string, std::string> write_options(const FitOptions& options) {
  std::map<std::string, std::string> result{
      {"optimizer", options.optimizer},
      {"learning_rate", text_of(options.learning_rate)},
      {"decay", text_of(options.decay)},
      {"clip_norm", text_of(options.clip_norm)},
      {"kl_start", text_of(options.kl_start)},
      {"kl_steps", fmt::format("{}", options.kl_steps)},
      {"batches", options.epoch_batches ? "epochs" : "uniform"},
      {"objective", options.compile.objective},
      {"particles", fmt::format("{}", options.compile.particles)},
      {"precision", options.compile.precision == Precision::f32   ? "f32"
                    : options.compile.precision == Precision::f64 ? "f64"
                                                                  : "auto"},
      {"report_every", fmt::format("{}", options.report_every)},
  };
  if (options.starts > 1)
    result["starts"] = fmt::format("{}", options.starts);
  if (options.average > 0)
    result["average"] = text_of(options.average);
  const std::vector<std::string>& init = options.init.arguments();
  for (std::size_t k = 0; k < init.size(); ++k)
    result[fmt::format("init.{:03}", k)] = init[k];
  for (const auto& [name, value] : options.optimizer_options)
    result["optimizer." + name] = text_of(value);
  for (const auto& [name, value] : options.compile.objective_options)
    result["objective." + name] = text_of(value);
  for (const auto& [name, value] : options.compile.set)
    result["set." + name] = text_of(value);
  return result;
}

FitOptions read_options(const runtime::Manifest& manifest) {
  FitOptions options;
  options.seed = manifest.seed;
  options.steps = manifest.steps;
  for (const auto& [name, text] : manifest.options) {
    if (name == "optimizer")
      options.optimizer = text;
    else if (name == "learning_rate")
      options.learning_rate = number_of(text);
    else if (name == "decay")
      options.decay = number_of(text);
    else if (name == "clip_norm")
      options.clip_norm = number_of(text);
    else if (name == "average")
      options.average = number_of(text);
    else if (name == "kl_start")
      options.kl_start = number_of(text);
    else if (name == "kl_steps")
      options.kl_steps = static_cast<std::int64_t>(number_of(text));
    else if (name == "batches")
      options.epoch_batches = text == "epochs";
    else if (name == "objective")
      options.compile.objective = text;
    else if (name == "particles")
      options.compile.particles = static_cast<int>(number_of(text));
    else if (name == "precision")
      options.compile.precision = text == "f32"   ? Precision::f32
                                  : text == "f64" ? Precision::f64
                                                  : Precision::automatic;
    else if (name == "starts")
      options.starts = static_cast<std::int64_t>(number_of(text));
    else if (name == "report_every")
      options.report_every = static_cast<std::int64_t>(number_of(text));
    else if (name.starts_with("init."))
      options.init.add_argument(text);
    else if (name.starts_with("optimizer."))
      options.optimizer_options[name.substr(10)] = number_of(text);
    else if (name.starts_with("objective."))
      options.compile.objective_options[name.substr(10)] = number_of(text);
    else if (name.starts_with("set."))
      options.compile.set[name.substr(4)] = number_of(text);
  }
  return options;
}

runtime::Manifest manifest_of(const Fit::State& state) {
  runtime::Manifest manifest;
  manifest.model_file = state.parsed->source.name;
  manifest.model_text = state.parsed->source.text;
  manifest.seed = state.options.seed;
  manifest.steps = state.steps;
  manifest.options = write_options(state.options);
  manifest.start = state.start_record;
  manifest.sizes = state.bound.dataset.sizes;
  for (const runtime::BoundData& data : state.bound.dataset.data)
    if (!data.levels.empty())
      manifest.levels[data.name] = data.levels;
  manifest.data_arguments = state.data.contents().arguments;
  for (const auto& [name, array] : state.data.contents().arrays)
    manifest.data_arguments.push_back(name + " (in memory)");
  manifest.data_files = state.bound.dataset.files;
  manifest.versions["plait"] = version();
  return manifest;
}

runtime::Tensor tensor_of(std::string name, const std::vector<std::int64_t>& shape, const void* values,
                          bool single_precision) {
  const std::size_t size = session::element_count(shape);
  runtime::Tensor tensor;
  tensor.name = std::move(name);
  if (single_precision)
    tensor.values = runtime::make_array(shape, std::vector<float>(static_cast<const float*>(values),
                                                                  static_cast<const float*>(values) + size));
  else
    tensor.values =
        runtime::make_array(shape, std::vector<double>(static_cast<const double*>(values),
                                                       static_cast<const double*>(values) + size));
  return tensor;
}

runtime::FitState state_of(const Fit::State& state) {
  runtime::FitState result;
  result.step = state.step;
  result.seed = state.options.seed;
  result.seconds = state.seconds;
  result.scalars["pending_elbo"] = state.pending_elbo;
  result.scalars["pending_steps"] = static_cast<double>(state.pending_steps);
  const bool single = state.bound.single_precision;
  for (std::size_t p = 0; p < state.parameters.size(); ++p)
    if (state.compiled.parameters[p].learnable)
      result.meanings[state.parameters[p].name] = session::meaning_of(state, p);
  for (std::size_t p = 0; p < state.parameters.size(); ++p) {
    const session::ParameterArray& array = state.parameters[p];
    if (session::is_averaged(state, p))
      result.averages.push_back(
          tensor_of(array.name, array.shape, session::result_values(state, p).data(), single));
    result.parameters.push_back(tensor_of(array.name, array.shape, array.values.data(), single));
    for (std::size_t slot = 0; slot < array.slots.size() && array.slots[slot].bytes() > 0; ++slot)
      result.slots.push_back(
          tensor_of(fmt::format("{}#{}", array.name, slot), array.shape, array.slots[slot].data(), single));
  }
  return result;
}

void restore(session::Buffer& buffer, const std::vector<runtime::Tensor>& tensors, const std::string& name,
             bool single_precision) {
  for (const runtime::Tensor& tensor : tensors) {
    if (tensor.name != name)
      continue;
    const std::size_t size = buffer.bytes() / session::bytes_of_real(single_precision);
    if (static_cast<std::size_t>(tensor.values.size()) != size)
      throw Error(Fault::data,
                  fmt::format("error: the saved state of {} has {} numbers, but the model and data need {}",
                              name, tensor.values.size(), size));
    for (std::size_t k = 0; k < size; ++k)
      session::write_real(buffer.data(), k, tensor.values.real_at(static_cast<std::int64_t>(k)),
                          single_precision);
    return;
  }
  throw Error(Fault::data, fmt::format("error: the saved state has no values for {}", name));
}

/** Without a posterior to summarize, the status is "failed", the rows are left out, and `fault` says why. */
runtime::Summary summary_of(const Fit::State& state, const Fit& fit, std::optional<Error>& fault) {
  runtime::Summary summary;
  const bool finite = state.trace.empty() || std::isfinite(state.trace.back().elbo);
  summary.status = !finite ? "failed" : fit.finished() ? "finished" : "interrupted";
  summary.steps = state.step;
  summary.seconds = state.seconds;
  // The last tenth of the trace: its mean, and the standard error of that mean.
  const std::size_t count = std::max<std::size_t>(1, state.trace.size() / 10);
  double sum = 0;
  double squares = 0;
  if (state.trace.empty()) {
    summary.elbo = summary.elbo_error = std::numeric_limits<double>::quiet_NaN(); // no step, no estimate
  } else {
    for (std::size_t k = state.trace.size() - count; k < state.trace.size(); ++k)
      sum += state.trace[k].elbo;
    const double mean = sum / static_cast<double>(count);
    for (std::size_t k = state.trace.size() - count; k < state.trace.size(); ++k)
      squares += (state.trace[k].elbo - mean) * (state.trace[k].elbo - mean);
    summary.elbo = mean;
    summary.elbo_error =
        count > 1 ? std::sqrt(squares / static_cast<double>(count - 1) / static_cast<double>(count)) : 0;
  }
  summary.numbers["compile_front_ms"] = state.report.front_ms;
  summary.numbers["compile_native_ms"] = state.report.native_ms;
  if (state.start.of > 1) {
    summary.numbers["starts"] = static_cast<double>(state.start.of);
    summary.numbers["start"] = static_cast<double>(state.start.number);
    summary.numbers["start_elbo"] = state.start.elbo;
  }
  constexpr std::size_t most = 100'000; // numbers; beyond that the draws themselves are the summary
  std::size_t rows = 0;
  std::vector<Summary> latents;
  try {
    latents = fit.summaries();
  } catch (const Error& error) {
    if (error.fault != Fault::inference)
      throw;
    fault = error;
    if (fit.finished())
      summary.status = "failed";
  }
  for (const Summary& latent : latents) {
    rows += latent.mean.size();
    if (rows > most)
      break;
    for (std::size_t i = 0; i < latent.mean.size(); ++i) {
      if (!latent.exists.empty() && !latent.exists[i])
        continue;
      runtime::SummaryRow row;
      row.name = latent.name;
      row.index = session::index_of(i, latent.shape);
      row.mean = latent.mean[i];
      row.sd = latent.sd[i];
      row.q05 = latent.q05[i];
      row.q50 = latent.q50[i];
      row.q95 = latent.q95[i];
      summary.rows.push_back(std::move(row));
    }
  }
  return summary;
}

Fit open_run(const std::string& folder, const Data* replaced,
             const std::function<Fit(std::unique_ptr<Fit::State>)>& make) {
  const runtime::RunFolder run{folder};
  try {
    const runtime::Manifest manifest = runtime::read_manifest(run);
    Data data;
    if (replaced) {
      data = *replaced;
    } else {
      for (const std::string& argument : manifest.data_arguments) {
        if (argument.ends_with(" (in memory)"))
          throw Error(
              Fault::usage,
              fmt::format("error: {} was fitted to data held in memory: open it with that data", folder));
        data.add_argument(argument);
      }
    }
    auto parsed = std::make_shared<Model::Parsed>();
    parsed->source = Source{manifest.model_file, manifest.model_text};
    Diagnostics diagnostics;
    parsed->file = session::parse_source(parsed->source, diagnostics);
    session::throw_if_errors(parsed->source, diagnostics);
    FitOptions options = read_options(manifest);
    auto state = session::make_state(std::move(parsed), data, options);
    state->steps = manifest.steps;
    state->start_record = manifest.start;
    state->start.of = options.starts;
    if (const auto number = manifest.start.find("number"); number != manifest.start.end()) {
      state->start.number = static_cast<std::int64_t>(number_of(number->second));
      state->start.elbo = number_of(manifest.start.at("elbo"));
    }
    const auto differences = runtime::resume_differences(manifest, manifest_of(*state));
    if (!differences.empty())
      throw Error(Fault::data, fmt::format("error: the run in {} cannot be opened as it was: {}", folder,
                                           fmt::join(differences, "; ")));
    const runtime::FitState saved = runtime::read_state(run);
    const bool single = state->bound.single_precision;
    for (session::ParameterArray& array : state->parameters) {
      restore(array.values, saved.parameters, array.name, single);
      for (std::size_t slot = 0; slot < array.slots.size() && array.slots[slot].bytes() > 0; ++slot)
        restore(array.slots[slot], saved.slots, fmt::format("{}#{}", array.name, slot), single);
    }
    state->step = saved.step;
    state->seconds = saved.seconds;
    if (const auto pending = saved.scalars.find("pending_elbo"); pending != saved.scalars.end())
      state->pending_elbo = pending->second;
    if (const auto pending = saved.scalars.find("pending_steps"); pending != saved.scalars.end())
      state->pending_steps = static_cast<std::int64_t>(pending->second);
    const runtime::Trace trace = runtime::read_trace(run.trace());
    // A run that was killed may have left a row more than its state has steps.
    for (std::size_t k = 0; k < trace.steps.size() && trace.steps[k] <= state->step; ++k)
      state->trace.push_back({trace.steps[k], state->steps, trace.elbo[k], trace.seconds[k]});
    return make(std::move(state));
  } catch (const runtime::StorageError& error) {
    throw Error(Fault::usage, fmt::format("error: {}", error.what()));
  }
}

} // namespace

void Fit::checkpoint(const std::string& folder) const {
  const State& state = *state_;
  const runtime::RunFolder run{folder};
  try {
    runtime::make_folder(folder);
    runtime::write_manifest(run, manifest_of(state));
    const std::string partial = run.trace() + ".partial";
    {
      auto trace = runtime::TraceWriter::begin(partial);
      for (const Progress& progress : state.trace)
        trace.add(progress.step, progress.elbo, progress.seconds);
      trace.flush();
    }
    std::error_code failed;
    std::filesystem::rename(partial, run.trace(), failed);
    if (failed)
      throw runtime::StorageError(run.trace(), "cannot write the file: " + failed.message());
    runtime::write_state(run, state_of(state));
  } catch (const runtime::StorageError& error) {
    throw Error(Fault::usage, fmt::format("error: {}", error.what()));
  }
}

void Fit::save(const std::string& folder) const {
  checkpoint(folder);
  const State& state = *state_;
  const runtime::RunFolder run{folder};
  try {
    session::DrawRequest request;
    request.draws = 1;
    request.at_points = true;
    std::vector<DrawnArray> constrained;
    session::draw(state, state.bound, request, &constrained);
    std::vector<runtime::Tensor> tensors;
    for (std::size_t k = 0; k < state.parameters.size(); ++k) {
      if (!state.compiled.parameters[k].learnable)
        continue; // what a baseline remembers is no result
      const session::ParameterArray& array = state.parameters[k];
      const auto found = std::find_if(constrained.begin(), constrained.end(),
                                      [&](const DrawnArray& value) { return value.name == array.name; });
      if (found == constrained.end()) {
        tensors.push_back(tensor_of(array.name, array.shape, session::result_values(state, k).data(),
                                    state.bound.single_precision));
      } else {
        runtime::Tensor tensor;
        tensor.name = array.name;
        tensor.values = runtime::make_array(found->shape, found->values.at(0));
        tensors.push_back(std::move(tensor));
      }
    }
    runtime::write_parameters(run, tensors, state.step);
    std::optional<Error> fault;
    runtime::write_summary(run, summary_of(state, *this, fault));
    // Everything is written. A run that was stopped early goes on later; one at its end has failed.
    if (fault && finished())
      throw Error(*fault);
  } catch (const runtime::StorageError& error) {
    throw Error(Fault::usage, fmt::format("error: {}", error.what()));
  }
}

Fit Fit::open(const std::string& folder) {
  return open_run(folder, nullptr, [](std::unique_ptr<State> state) { return Fit(std::move(state)); });
}

Fit Fit::open(const std::string& folder, const Data& data) {
  return open_run(folder, &data, [](std::unique_ptr<State> state) { return Fit(std::move(state)); });
}

} // namespace plait
