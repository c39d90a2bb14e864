#include "compiler/cli/verbs.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iostream>

namespace plait::cli {

namespace {

double read_number(const std::string& text, const std::string& what) {
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size())
    throw Error(Fault::usage, fmt::format("error: {}: '{}' is not a number", what, text));
  return value;
}

/** The NAME=VALUE pairs of --set. */
std::map<std::string, double> read_settings(const CommonOptions& options) {
  std::map<std::string, double> result;
  for (const std::string& text : options.set) {
    const std::size_t equal = text.find('=');
    if (equal == std::string::npos || equal == 0)
      throw Error(Fault::usage, fmt::format("error: --set needs NAME=VALUE, not '{}'", text));
    result[text.substr(0, equal)] = read_number(text.substr(equal + 1), "--set " + text.substr(0, equal));
  }
  return result;
}

} // namespace

void add_data_options(CLI::App& verb, CommonOptions& options) {
  verb.add_option("--data", options.data,
                  "FILE.json or FILE.csv with every name, or "
                  "NAME=FILE.npy|.npz|.csv|.json[:KEY][,threshold=X][,scale=X][,drop_missing]");
}

void add_compile_options(CLI::App& verb, CommonOptions& options) {
  verb.add_option("--set", options.set, "NAME=VALUE: replaces a const, or fixes a size")->take_all();
  verb.add_option("--precision", options.precision, "f32, f64, or auto: f32 when the model has nets")
      ->check(CLI::IsMember({"auto", "f32", "f64"}))
      ->capture_default_str();
  verb.add_option("--objective", options.objective,
                  "elbo, sampled_elbo, stl, iwae, renyi(alpha=0.5), vimco, rws: `plait list objectives`")
      ->capture_default_str();
  verb.add_option("--particles", options.particles, "draws of the guide per step")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  verb.add_flag("--no-cache", options.no_cache, "compile anew instead of using the code kept on disk");
}

void add_size_option(CLI::App& verb, CommonOptions& options) {
  verb.add_option("--set", options.set, "NAME=VALUE: a size that the new data do not tell")->take_all();
}

Data read_new_data(const CommonOptions& options) {
  Data data = read_data(options);
  for (const auto& [name, value] : read_settings(options)) {
    if (value != std::floor(value))
      throw Error(Fault::usage, fmt::format("error: --set {}: a size is a whole number", name));
    data.set_size(name, static_cast<std::int64_t>(value));
  }
  return data;
}

Data read_data(const CommonOptions& options) {
  Data data;
  for (const std::string& argument : options.data)
    data.add_argument(argument);
  return data;
}

CompileOptions read_compile_options(const CommonOptions& options) {
  CompileOptions result;
  result.set = read_settings(options);
  result.precision = options.precision == "f32"   ? Precision::f32
                     : options.precision == "f64" ? Precision::f64
                                                  : Precision::automatic;
  read_choice(options.objective, "--objective", result.objective, result.objective_options);
  result.particles = options.particles;
  result.use_cache = !options.no_cache;
  return result;
}

void read_choice(const std::string& text, const std::string& option, std::string& name,
                 std::map<std::string, double>& options) {
  const std::size_t open = text.find('(');
  name = text.substr(0, open);
  if (open == std::string::npos)
    return;
  if (text.back() != ')')
    throw Error(Fault::usage,
                fmt::format("error: {}: expected NAME(OPTION=VALUE, …), not '{}'", option, text));
  std::size_t begin = open + 1;
  const std::size_t close = text.size() - 1;
  while (begin < close) {
    std::size_t end = text.find(',', begin);
    if (end == std::string::npos || end > close)
      end = close;
    std::string part = text.substr(begin, end - begin);
    part.erase(0, part.find_first_not_of(' '));
    const std::size_t equal = part.find('=');
    if (equal == std::string::npos)
      throw Error(Fault::usage, fmt::format("error: {}: expected OPTION=VALUE, not '{}'", option, part));
    options[part.substr(0, equal)] = read_number(part.substr(equal + 1), option);
    begin = end + 1;
  }
}

void write_output(const std::string& file, const std::string& text) {
  if (file.empty() || file == "-") {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return;
  }
  std::ofstream out(file, std::ios::binary);
  out << text;
  out.close();
  if (!out)
    throw Error(Fault::usage, fmt::format("error: cannot write {}", file));
}

std::string element_name(const std::string& name, const std::vector<std::int64_t>& shape, std::size_t flat) {
  std::string suffix;
  for (auto extent = shape.rbegin(); extent != shape.rend(); ++extent) {
    suffix = fmt::format(".{}{}", flat % static_cast<std::size_t>(*extent), suffix);
    flat /= static_cast<std::size_t>(*extent);
  }
  return name + suffix;
}

std::string draws_to_csv(const std::vector<DrawnArray>& arrays) {
  fmt::memory_buffer text;
  const auto out = std::back_inserter(text);
  bool first = true;
  for (const DrawnArray& array : arrays)
    for (std::size_t i = 0; !array.values.empty() && i < array.values.front().size(); ++i) {
      if (!array.exists.empty() && !array.exists[i])
        continue;
      fmt::format_to(out, "{}{}", first ? "" : ",", element_name(array.name, array.shape, i));
      first = false;
    }
  fmt::format_to(out, "\n");
  const std::size_t draws = arrays.empty() ? 0 : arrays.front().values.size();
  for (std::size_t draw = 0; draw < draws; ++draw) {
    first = true;
    for (const DrawnArray& array : arrays)
      for (std::size_t i = 0; i < array.values[draw].size(); ++i) {
        if (!array.exists.empty() && !array.exists[i])
          continue;
        fmt::format_to(out, "{}{}", first ? "" : ",", array.values[draw][i]);
        first = false;
      }
    fmt::format_to(out, "\n");
  }
  return fmt::to_string(text);
}

std::string summary_table(const std::vector<Summary>& summaries, std::size_t most) {
  struct Row {
    std::string name, mean, sd, q05, q50, q95;
  };
  std::vector<Row> rows{{"", "mean", "sd", "5%", "50%", "95%"}};
  for (const Summary& summary : summaries) {
    const std::size_t size =
        summary.exists.empty()
            ? summary.mean.size()
            : static_cast<std::size_t>(std::count(summary.exists.begin(), summary.exists.end(), true));
    std::size_t shown = 0;
    for (std::size_t i = 0; i < summary.mean.size(); ++i) {
      if (!summary.exists.empty() && !summary.exists[i])
        continue;
      if (shown == most && size > most + 1) {
        rows.push_back({fmt::format("{}: {} more", summary.name, size - most), "", "", "", "", ""});
        break;
      }
      ++shown;
      const auto number = [](double value) { return fmt::format("{:.4g}", value); };
      Row row{element_name(summary.name, summary.shape, i), number(summary.mean[i]), "", "", "", ""};
      if (summary.is_parameter) {
        row.sd = "param";
      } else {
        row.sd = number(summary.sd[i]);
        row.q05 = number(summary.q05[i]);
        row.q50 = number(summary.q50[i]);
        row.q95 = number(summary.q95[i]);
      }
      rows.push_back(std::move(row));
    }
  }
  std::size_t width = 0;
  for (const Row& row : rows)
    width = std::max(width, row.name.size());
  std::string text;
  for (const Row& row : rows) {
    std::string line = fmt::format("{:<{}}  {:>10}  {:>9}  {:>10}  {:>10}  {:>10}", row.name, width, row.mean,
                                   row.sd, row.q05, row.q50, row.q95);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

void print_notes(const std::vector<std::string>& notes) {
  for (const std::string& note : notes)
    fmt::print(stderr, "{}\n", note);
}

} // namespace plait::cli
