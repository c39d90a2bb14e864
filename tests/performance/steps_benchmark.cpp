// Plait's training step beside the hand-written one, in one process, alternately. Built as benchmark_steps;
// not part of ctest.
//
//     benchmark_steps [--check] [--models a,b] [--repeats 9] [--threads 1,0] [--clock wall|processor] [--data
//     FOLDER] [--json FILE]

#include "plait/plait.hpp"
#include "runtime/gemm.hpp"
#include "tests/performance/clock.hpp"
#include "tests/performance/steps/models.hpp"
#include "tests/performance/steps/workloads.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>
#include <unistd.h>

namespace {

using namespace plait::performance;

constexpr int parity_steps = 20;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 ? values[half] : 0.5 * (values[half - 1] + values[half]);
}

struct Compilation {
  double start_ms = 0, front_ms = 0, native_ms = 0; ///< start_ms includes reading the data
};

struct Result {
  std::string name, shape, precision;
  int threads = 1;
  double plait = 0, hand = 0, ratio = 0; ///< µs per step; ratio is hand / plait
  double parity = 0;                     ///< largest relative difference of the ELBO
  bool agrees = false;
  Compilation cold, cached;
};

Compilation measure_start(const plait::Model& model, const Workload& workload,
                          const plait::FitOptions& options) {
  const double begin = seconds(Clock::wall);
  const plait::Fit fit = plait::start(model, workload.data, options);
  return {1e3 * (seconds(Clock::wall) - begin), fit.compile_report().front_ms,
          fit.compile_report().native_ms};
}

// The same seed and the same start must give the same ELBO, step by step.
double largest_difference(const plait::Model& model, const Workload& workload, plait::FitOptions options,
                          int threads) {
  options.report_every = 1;
  plait::Fit fit = plait::start(model, workload.data, options);
  fit.run(parity_steps);
  const HandStep step = workload.make_step(threads);
  double largest = 0;
  for (std::uint32_t k = 0; k < parity_steps; ++k) {
    const double ours = fit.trace().at(k).elbo, hand = step(k);
    const double difference = std::fabs(ours - hand) / std::fabs(hand);
    largest = std::isfinite(difference) ? std::max(largest, difference) : HUGE_VAL;
    if (std::getenv("PLAIT_BENCHMARK_TRACE"))
      std::fprintf(stderr, "%s step %u: %.12g %.12g\n", workload.name.c_str(), k, ours, hand);
  }
  return largest;
}

Result measure(const Workload& workload, int threads, int repeats, std::optional<Clock> chosen,
               bool compile_times) {
  const Clock clock = chosen.value_or(threads == 1 ? Clock::processor : Clock::wall);
  Result result;
  result.name = workload.name;
  result.shape = workload.shape;
  result.threads = threads;
  const plait::Model model = plait::Model::load(workload.model);
  plait::FitOptions options = workload.options;
  options.threads = threads;
  options.steps = std::int64_t{1} << 40;
  if (compile_times) {
    result.cold = measure_start(model, workload, options);
    result.cached = measure_start(model, workload, options);
  }
  result.parity = largest_difference(model, workload, options, threads);
  result.agrees = result.parity < workload.tolerance;

  plait::Fit fit = plait::start(model, workload.data, options);
  result.precision = fit.compile_report().precision;
  const HandStep step = workload.make_step(threads);
  std::uint32_t at = 0;
  const auto run_hand = [&](std::int64_t steps) {
    double sum = 0;
    for (std::int64_t k = 0; k < steps; ++k)
      sum += step(at++);
    return sum;
  };
  // About a tenth of a second for each measurement.
  std::int64_t steps = 4;
  for (;;) {
    const double begin = seconds(clock);
    run_hand(steps);
    const double elapsed = seconds(clock) - begin;
    if (elapsed > 0.05) {
      steps =
          std::max<std::int64_t>(4, static_cast<std::int64_t>(0.1 * static_cast<double>(steps) / elapsed));
      break;
    }
    steps *= 4;
  }
  fit.run(std::max<std::int64_t>(2, steps / 8));
  std::vector<double> ours, hand, ratios;
  for (int repeat = 0; repeat < repeats; ++repeat) {
    const double start = seconds(clock);
    fit.run(steps);
    const double middle = seconds(clock);
    run_hand(steps);
    const double end = seconds(clock);
    ours.push_back(1e6 * (middle - start) / static_cast<double>(steps));
    hand.push_back(1e6 * (end - middle) / static_cast<double>(steps));
    ratios.push_back(hand.back() / ours.back());
  }
  result.plait = median(ours);
  result.hand = median(hand);
  result.ratio = median(ratios);
  return result;
}

void write_json(const std::string& file, const std::vector<Result>& results) {
  std::ofstream out(file);
  out << "[";
  for (const Result& r : results)
    out << (&r == results.data() ? "\n" : ",\n")
        << fmt::format(
               R"(  {{"model": "{}", "shape": "{}", "precision": "{}", "threads": {}, "plait_us": {:.4f}, "hand_us": {:.4f}, )"
               R"("ratio": {:.4f}, "parity": {:.3g}, "agrees": {}, "cold_ms": {:.2f}, "cold_native_ms": {:.2f}, "cached_ms": {:.2f}}})",
               r.name, r.shape, r.precision, r.threads, r.plait, r.hand, r.ratio, r.parity, r.agrees,
               r.cold.start_ms, r.cold.native_ms, r.cached.start_ms);
  out << "\n]\n";
}

// An object cache of its own, empty at the start.
class CacheFolder {
public:
  CacheFolder()
      : path_(std::filesystem::temp_directory_path() / fmt::format("plait-benchmark-{}", ::getpid())) {
    std::filesystem::create_directories(path_);
    ::setenv("XDG_CACHE_HOME", path_.c_str(), 1);
  }
  ~CacheFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  CacheFolder(const CacheFolder&) = delete;
  CacheFolder& operator=(const CacheFolder&) = delete;

private:
  std::filesystem::path path_;
};

int run(int argc, char** argv) {
  CLI::App app("Times Plait's training step beside the hand-written one.");
  bool check = false;
  std::vector<std::string> names = workload_names();
  std::vector<int> threads{1, 0};
  int repeats = 9;
  std::string clock, json, data = std::string(PLAIT_SOURCE_DIR) + "/../shared/data";
  app.add_flag("--check", check, "only check the gradients of the hand-written steps");
  app.add_option("--models", names, "which models")->delimiter(',');
  app.add_option("--threads", threads, "numbers of threads, 0: all processors")->delimiter(',');
  app.add_option("--repeats", repeats, "measurements of each")->check(CLI::Range(1, 1000));
  app.add_option("--clock", clock, "wall, processor; without: processor for one thread, wall for several")
      ->check(CLI::IsMember({"wall", "processor"}));
  app.add_option("--data", data, "folder with hier/pdb_radon_all.json and mnist/mnist_train_images_u8.npy");
  app.add_option("--json", json, "also write the numbers here");
  CLI11_PARSE(app, argc, argv);
  if (check)
    return check_gradients() ? 0 : 1;

  std::optional<Clock> chosen;
  if (!clock.empty())
    chosen = clock == "wall" ? Clock::wall : Clock::processor;
  const CacheFolder cache;
  const int processors = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  fmt::print("{} processors, matrix products for {}\n", processors, plait::runtime::gemm_target_name());
  fmt::print("{:<14} {:>7} {:>12} {:>12} {:>6}  {:>8} {:>9} {:>9} {:>9}\n", "model", "threads", "Plait µs",
             "hand µs", "ratio", "parity", "cold ms", "of native", "cached ms");
  std::vector<Result> results;
  bool good = true;
  for (const std::string& name : names) {
    const Workload workload = make_workload(name, PLAIT_SOURCE_DIR, data);
    bool first = true;
    for (int count : threads) {
      if (count == 0)
        count = processors;
      try {
        const Result r = measure(workload, count, repeats, chosen, first);
        results.push_back(r);
        fmt::print("{:<14} {:>7} {:>12.3f} {:>12.3f} {:>6.2f}  {:>8.1e}{}", r.name, r.threads, r.plait,
                   r.hand, r.ratio, r.parity, r.agrees ? " " : "!");
        if (first)
          fmt::print("{:>9.1f} {:>9.1f} {:>9.1f}", r.cold.start_ms, r.cold.native_ms, r.cached.start_ms);
        fmt::print("   {}, {}\n", r.precision, r.shape);
        good = good && r.agrees;
      } catch (const plait::Error& fault) {
        fmt::print("{:<14} {:>7} failed: {}\n", name, count, fault.what());
        good = false;
      }
      std::fflush(stdout);
      first = false;
    }
  }
  if (!json.empty())
    write_json(json, results);
  return good ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "benchmark_steps: %s\n", fault.what());
    return 1;
  }
}
