#include "compiler/cli/verbs.hpp"

#include "runtime/interrupt.hpp"
#include "runtime/progress.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <unistd.h>

namespace plait::cli {

namespace {

struct FitArguments {
  std::string model, out = "RUN", optimizer = "adam", batches = "uniform";
  CommonOptions common;
  FitOptions fit;
  bool resume = false, quiet = false;
};

int run_fit(FitArguments& arguments) {
  FitOptions options = arguments.fit;
  options.compile = read_compile_options(arguments.common);
  read_choice(arguments.optimizer, "--optimizer", options.optimizer, options.optimizer_options);
  options.epoch_batches = arguments.batches == "epochs";
  const Data data = read_data(arguments.common);
  // --resume takes everything from the run; data files may have moved, so --data replaces them when given.
  Fit fit = arguments.resume
                ? (arguments.common.data.empty() ? Fit::open(arguments.out) : Fit::open(arguments.out, data))
                : start(Model::load(arguments.model), data, options);
  const CompileReport& report = fit.compile_report();
  if (!arguments.quiet)
    fmt::print(stderr, "compiled in {:.0f} ms ({}{})\n", report.front_ms + report.native_ms, report.precision,
               report.from_cache ? ", code from the cache" : "");
  if (fit.finished()) {
    fmt::print(stderr, "this run has finished: {} steps\n", fit.step());
    return 0;
  }

  runtime::InterruptGuard interrupt;
  bool interrupted = false;
  std::unique_ptr<runtime::Progress> bar;
  const Observer observer = [&](const Progress& progress) {
    if (!arguments.quiet) {
      if (!bar)
        bar = std::make_unique<runtime::Progress>(std::cerr, progress.step, progress.steps,
                                                  runtime::progress_options(STDERR_FILENO));
      bar->update(progress.step, progress.elbo, progress.seconds);
    }
    return !interrupt.requested();
  };
  // The observer is asked often enough that Ctrl-C answers at once; trace rows keep their own rhythm.
  try {
    fit.run(0, observer);
  } catch (const Error&) {
    fit.save(arguments.out);
    throw;
  }
  interrupted = !fit.finished();
  if (bar)
    bar->finish(fit.trace().empty() ? 0 : fit.trace().back().seconds);
  fit.save(arguments.out);
  if (interrupted) {
    fmt::print(stderr, "interrupted after step {}; saved in {}\ngo on with: plait fit {} --out {} --resume\n",
               fit.step(), arguments.out, arguments.model, arguments.out);
    return exit_interrupted;
  }
  if (!arguments.quiet) {
    std::cerr << std::flush;
    fmt::print("{}", summary_table(fit.summaries(), 12));
    fmt::print("elbo {:.6g} (mean of the last {} steps); saved in {}\n", fit.trace().back().elbo,
               fit.trace().size() > 1 ? fit.trace().back().step - fit.trace()[fit.trace().size() - 2].step
                                      : fit.step(),
               arguments.out);
  }
  return 0;
}

} // namespace

Verb add_fit(CLI::App& app) {
  auto arguments = std::make_shared<FitArguments>();
  CLI::App* verb = app.add_subcommand("fit", "Fit a model to data; the main job");
  verb->add_option("model", arguments->model, "the model file")->required();
  add_data_options(*verb, arguments->common);
  verb->add_option("--out", arguments->out, "folder of the run")->capture_default_str();
  FitOptions& fit = arguments->fit;
  verb->add_option("--steps", fit.steps, "optimization steps")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  verb->add_option("--epochs", fit.epochs, "instead of --steps: passes over the largest subsampled plate")
      ->check(CLI::PositiveNumber);
  verb->add_option("--optimizer", arguments->optimizer,
                   "adam, clipped_adam, adagrad, rmsprop, sgd(momentum=0.9): `plait list optimizers`")
      ->capture_default_str();
  verb->add_option("--learning-rate,--lr", fit.learning_rate, "step size")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  verb->add_option("--decay", fit.decay, "factor on the learning rate reached smoothly at the end of the run")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  verb->add_option("--clip-norm", fit.clip_norm, "largest global norm of the gradient; 0: no limit")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  verb->add_option("--kl-start", fit.kl_start, "weight of the latent terms at the first step")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  verb->add_option("--kl-steps", fit.kl_steps, "steps over which that weight grows to 1")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  verb->add_option("--batches", arguments->batches, "uniform: independent subsets; epochs: shuffled passes")
      ->check(CLI::IsMember({"uniform", "epochs"}))
      ->capture_default_str();
  verb->add_option("--seed", fit.seed, "same seed, same bits, with any number of threads")
      ->capture_default_str();
  verb->add_option("--threads", fit.threads, "0: all processors")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  verb->add_option("--report-every", fit.report_every, "steps between trace rows; 0: about 100 rows")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  add_compile_options(*verb, arguments->common);
  verb->add_flag("--resume", arguments->resume, "go on with the run in --out, bit for bit");
  verb->add_flag("--quiet", arguments->quiet, "say nothing but errors");
  return {"fit", [arguments] { return run_fit(*arguments); }};
}

} // namespace plait::cli
