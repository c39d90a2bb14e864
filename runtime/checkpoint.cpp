#include "runtime/checkpoint.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <limits>
#include <set>

namespace plait::runtime {

namespace {

using nlohmann::json;

constexpr int manifest_format = 1;
constexpr const char* parameter_prefix = "parameter/";
constexpr const char* slot_prefix = "slot/";
constexpr const char* scalar_prefix = "scalar/";
constexpr const char* average_prefix = "average/";
constexpr const char* meaning_prefix = "meaning/";

void write_json(const std::string& path, const json& value) {
  write_atomically(path, value.dump(2, ' ', false, json::error_handler_t::replace) + "\n");
}

// Any shape the file does not have becomes one error that names the file.
template <class Result>
Result read_json(const std::string& path, const std::function<Result(const json&)>& take) {
  std::string text = read_text(path);
  try {
    return take(json::parse(text));
  } catch (const json::parse_error& error) {
    throw StorageError(path, fmt::format("the file is damaged: it is no JSON from byte {} on", error.byte));
  } catch (const json::exception&) {
    throw StorageError(path, "the file is damaged: an entry is missing or is not what it should be");
  }
}

json number(double value) {
  if (std::isnan(value))
    return "NaN";
  if (std::isinf(value))
    return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

double number_of(const json& value) {
  if (value == "NaN")
    return std::numeric_limits<double>::quiet_NaN();
  if (value == "Infinity" || value == "-Infinity")
    return (value == "Infinity" ? 1 : -1) * std::numeric_limits<double>::infinity();
  return value.get<double>();
}

std::uint64_t whole_number(const std::string& path, const TensorFile& file, const char* key) {
  auto found = file.metadata.find(key);
  std::uint64_t value = 0;
  if (found != file.metadata.end()) {
    const std::string& text = found->second;
    auto [next, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (status == std::errc{} && next == text.data() + text.size())
      return value;
  }
  throw StorageError(path, fmt::format("the file does not say its {}", key));
}

Tensor scalar_tensor(std::string name, double value) {
  return {std::move(name), make_array({}, std::vector<double>{value})};
}

} // namespace

void write_manifest(const RunFolder& run, const Manifest& manifest) {
  make_folder(run.path);
  write_atomically(run.model(), manifest.model_text);
  json files = json::array();
  for (const DataFile& file : manifest.data_files)
    files.push_back({{"file", file.file}, {"bytes", file.bytes}, {"fingerprint", file.fingerprint}});
  write_json(
      run.manifest(),
      {{"format", manifest_format},
       {"model", {{"file", manifest.model_file}, {"fingerprint", content_fingerprint(manifest.model_text)}}},
       {"seed", manifest.seed},
       {"steps", manifest.steps},
       {"options", manifest.options},
       {"start", manifest.start},
       {"constants", manifest.constants},
       {"sizes", manifest.sizes},
       {"levels", manifest.levels},
       {"data", {{"arguments", manifest.data_arguments}, {"files", files}}},
       {"versions", manifest.versions}});
}

Manifest read_manifest(const RunFolder& run) {
  std::string fingerprint;
  Manifest manifest = read_json<Manifest>(run.manifest(), [&](const json& value) {
    if (value.at("format").get<int>() != manifest_format)
      throw StorageError(run.manifest(),
                         fmt::format("the run was written in format {}; this program reads format {}",
                                     value.at("format").get<int>(), manifest_format));
    Manifest read;
    read.model_file = value.at("model").at("file");
    fingerprint = value.at("model").at("fingerprint");
    read.seed = value.at("seed");
    read.steps = value.at("steps");
    read.options = value.at("options").get<std::map<std::string, std::string>>();
    read.start = value.value("start", std::map<std::string, std::string>());
    read.constants = value.at("constants").get<std::map<std::string, std::int64_t>>();
    read.sizes = value.at("sizes").get<std::map<std::string, std::int64_t>>();
    read.levels = value.at("levels").get<std::map<std::string, std::vector<std::string>>>();
    read.data_arguments = value.at("data").at("arguments").get<std::vector<std::string>>();
    for (const json& file : value.at("data").at("files"))
      read.data_files.push_back({file.at("file"), file.at("bytes"), file.at("fingerprint")});
    read.versions = value.at("versions").get<std::map<std::string, std::string>>();
    return read;
  });
  manifest.model_text = read_text(run.model());
  if (content_fingerprint(manifest.model_text) != fingerprint)
    throw StorageError(run.model(),
                       "the text was changed since the run: it is not what manifest.json describes");
  return manifest;
}

namespace {

template <class Value>
void compare(const std::map<std::string, Value>& saved, const std::map<std::string, Value>& now,
             std::string_view what, std::vector<std::string>& differences) {
  std::set<std::string> names;
  for (const auto& [name, value] : saved)
    names.insert(name);
  for (const auto& [name, value] : now)
    names.insert(name);
  for (const std::string& name : names) {
    auto before = saved.find(name), after = now.find(name);
    if (before == saved.end())
      differences.push_back(fmt::format("{} {} is {}, but was not set", what, name, after->second));
    else if (after == now.end())
      differences.push_back(fmt::format("{} {} is not set, but was {}", what, name, before->second));
    else if (before->second != after->second)
      differences.push_back(
          fmt::format("{} {} is {}, but was {}", what, name, after->second, before->second));
  }
}

} // namespace

std::vector<std::string> resume_differences(const Manifest& saved, const Manifest& now) {
  std::vector<std::string> differences;
  if (saved.model_text != now.model_text)
    differences.push_back(fmt::format("the model {} has changed since the run began", now.model_file));
  if (saved.seed != now.seed)
    differences.push_back(fmt::format("the seed is {}, but was {}", now.seed, saved.seed));
  compare(saved.options, now.options, "the option", differences);
  compare(saved.constants, now.constants, "the constant", differences);
  std::size_t common = std::min(saved.data_files.size(), now.data_files.size());
  for (std::size_t i = 0; i < common; ++i) {
    const DataFile& before = saved.data_files[i];
    const DataFile& after = now.data_files[i];
    if (before.bytes != after.bytes)
      differences.push_back(
          fmt::format("the data file {} has {} bytes, but had {}", after.file, after.bytes, before.bytes));
    else if (before.fingerprint != after.fingerprint)
      differences.push_back(fmt::format("the content of the data file {} has changed", after.file));
  }
  for (std::size_t i = common; i < saved.data_files.size(); ++i)
    differences.push_back(fmt::format("the data file {} is no longer given", saved.data_files[i].file));
  for (std::size_t i = common; i < now.data_files.size(); ++i)
    differences.push_back(fmt::format("the data file {} was not given before", now.data_files[i].file));
  compare(saved.sizes, now.sizes, "the size", differences);
  return differences;
}

void write_state(const RunFolder& run, const FitState& state) {
  make_folder(run.path);
  TensorFile file;
  file.metadata = {{"step", std::to_string(state.step)}, {"seed", std::to_string(state.seed)}};
  for (const auto& [name, meaning] : state.meanings)
    file.metadata[meaning_prefix + name] = meaning;
  for (const Tensor& tensor : state.parameters)
    file.tensors.push_back({parameter_prefix + tensor.name, tensor.values});
  for (const Tensor& tensor : state.averages)
    file.tensors.push_back({average_prefix + tensor.name, tensor.values});
  for (const Tensor& tensor : state.slots)
    file.tensors.push_back({slot_prefix + tensor.name, tensor.values});
  for (const auto& [name, value] : state.scalars)
    file.tensors.push_back(scalar_tensor(scalar_prefix + name, value));
  file.tensors.push_back(scalar_tensor("seconds", state.seconds));
  write_safetensors(run.state(), file);
}

FitState read_state(const RunFolder& run) {
  TensorFile file = read_safetensors(run.state());
  FitState state;
  state.step = static_cast<std::int64_t>(whole_number(run.state(), file, "step"));
  state.seed = whole_number(run.state(), file, "seed");
  for (const auto& [key, text] : file.metadata)
    if (key.starts_with(meaning_prefix))
      state.meanings[key.substr(std::string_view(meaning_prefix).size())] = text;
  for (Tensor& tensor : file.tensors) {
    auto within = [&](std::string_view prefix) {
      if (!tensor.name.starts_with(prefix))
        return false;
      tensor.name.erase(0, prefix.size());
      return true;
    };
    if (within(parameter_prefix))
      state.parameters.push_back(std::move(tensor));
    else if (within(average_prefix))
      state.averages.push_back(std::move(tensor));
    else if (within(slot_prefix))
      state.slots.push_back(std::move(tensor));
    else if (tensor.values.size() == 1 && within(scalar_prefix))
      state.scalars[tensor.name] = tensor.values.real_at(0);
    else if (tensor.values.size() == 1 && tensor.name == "seconds")
      state.seconds = tensor.values.real_at(0);
    else
      throw StorageError(run.state(), fmt::format("{} is no part of a run's state", tensor.name));
  }
  return state;
}

void write_parameters(const RunFolder& run, const std::vector<Tensor>& parameters, std::int64_t step) {
  make_folder(run.path);
  write_safetensors(run.parameters(),
                    {parameters, {{"step", std::to_string(step)}, {"format", "plait parameters"}}});
}

std::vector<Tensor> read_parameters(const RunFolder& run) {
  return read_safetensors(run.parameters()).tensors;
}

void write_summary(const RunFolder& run, const Summary& summary) {
  make_folder(run.path);
  json numbers = json::object();
  for (const auto& [name, value] : summary.numbers)
    numbers[name] = number(value);
  json rows = json::array();
  for (const SummaryRow& row : summary.rows)
    rows.push_back({{"name", row.name},
                    {"index", row.index},
                    {"mean", number(row.mean)},
                    {"sd", number(row.sd)},
                    {"q05", number(row.q05)},
                    {"q50", number(row.q50)},
                    {"q95", number(row.q95)}});
  write_json(run.summary(), {{"status", summary.status},
                             {"steps", summary.steps},
                             {"seconds", number(summary.seconds)},
                             {"elbo", number(summary.elbo)},
                             {"elbo_error", number(summary.elbo_error)},
                             {"numbers", numbers},
                             {"latents", rows}});
}

Summary read_summary(const RunFolder& run) {
  return read_json<Summary>(run.summary(), [](const json& value) {
    Summary summary;
    summary.status = value.at("status");
    summary.steps = value.at("steps");
    summary.seconds = number_of(value.at("seconds"));
    summary.elbo = number_of(value.at("elbo"));
    summary.elbo_error = number_of(value.at("elbo_error"));
    for (const auto& [name, number] : value.at("numbers").items())
      summary.numbers[name] = number_of(number);
    for (const json& row : value.at("latents"))
      summary.rows.push_back({row.at("name"), row.at("index").get<std::vector<std::int64_t>>(),
                              number_of(row.at("mean")), number_of(row.at("sd")), number_of(row.at("q05")),
                              number_of(row.at("q50")), number_of(row.at("q95"))});
    return summary;
  });
}

} // namespace plait::runtime
