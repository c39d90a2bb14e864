#include "compiler/cli/validators.hpp"
#include "compiler/cli/verbs.hpp"

#include "runtime/interrupt.hpp"
#include "runtime/names.hpp"
#include "runtime/progress.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>
#include <set>
#include <unistd.h>

namespace plait::cli {

namespace {

struct FitArguments {
  std::vector<std::string> init;
  std::string model, out = "RUN", optimizer = "adam", batches = "uniform";
  CommonOptions common;
  FitOptions fit;
  bool resume = false, quiet = false;
  double save_every = 30;
  std::set<std::string> given; ///< options of the command line
};

/** The run in --out, to go on with: it must be a run of this model, and options that were given must be those
 * of the run. More steps may be asked for. \throws Error(Fault::usage) naming the difference. */
Fit resume(const FitArguments& arguments, const FitOptions& wanted, const Data& data) {
  Fit fit = arguments.common.data.empty() ? Fit::open(arguments.out) : Fit::open(arguments.out, data);
  if (Model::load(arguments.model).text() != fit.model_text())
    throw Error(
        Fault::usage,
        fmt::format("error: the run in {} was made from another model than {} is now\nhint: {}/model.ppl is "
                    "its model; to fit this one, leave --resume out or name another --out",
                    arguments.out, arguments.model, arguments.out));
  const FitOptions& saved = fit.options();
  const auto refuse = [&](const std::string& option, const std::string& now, const std::string& before) {
    throw Error(
        Fault::usage,
        fmt::format("error: --resume goes on with the run as it is: {} is {} now, but was {}\nhint: leave "
                    "the option out, or fit anew with another --out",
                    option, now, before));
  };
  const auto same = [&](const std::string& option, const auto& now, const auto& before) {
    if (arguments.given.contains(option) && now != before)
      refuse(option, fmt::format("{}", now), fmt::format("{}", before));
  };
  const auto with_options = [](const std::string& name, const std::map<std::string, double>& options) {
    std::string text;
    for (const auto& [option, value] : options)
      text += fmt::format("{}{}={}", text.empty() ? "" : ", ", option, value);
    return text.empty() ? name : fmt::format("{}({})", name, text);
  };
  same("--optimizer", with_options(wanted.optimizer, wanted.optimizer_options),
       with_options(saved.optimizer, saved.optimizer_options));
  same("--objective", with_options(wanted.compile.objective, wanted.compile.objective_options),
       with_options(saved.compile.objective, saved.compile.objective_options));
  same("--set", with_options("set", wanted.compile.set), with_options("set", saved.compile.set));
  same("--learning-rate", wanted.learning_rate, saved.learning_rate);
  same("--decay", wanted.decay, saved.decay);
  same("--clip-norm", wanted.clip_norm, saved.clip_norm);
  same("--average", wanted.average, saved.average);
  same("--kl-start", wanted.kl_start, saved.kl_start);
  same("--kl-steps", wanted.kl_steps, saved.kl_steps);
  same("--seed", wanted.seed, saved.seed);
  same("--init", fmt::format("{}", fmt::join(arguments.init, " ")),
       fmt::format("{}", fmt::join(saved.init.arguments(), " ")));
  same("--starts", wanted.starts, saved.starts);
  same("--particles", wanted.compile.particles, saved.compile.particles);
  same("--report-every", wanted.report_every, saved.report_every);
  const auto batches = [](const FitOptions& options) { return options.epoch_batches ? "epochs" : "uniform"; };
  same("--batches", std::string(batches(wanted)), std::string(batches(saved)));
  const auto precision = [](const FitOptions& options) {
    return options.compile.precision == Precision::f32   ? "f32"
           : options.compile.precision == Precision::f64 ? "f64"
                                                         : "auto";
  };
  same("--precision", std::string(precision(wanted)), std::string(precision(saved)));
  if (arguments.given.contains("--epochs"))
    throw Error(Fault::usage,
                "error: --epochs cannot be given with --resume\nhint: say how many steps the whole "
                "run shall have: --steps");
  if (arguments.given.contains("--steps") && wanted.steps < fit.steps())
    refuse("--steps", fmt::format("{}", wanted.steps), fmt::format("{}, and can only grow", fit.steps()));
  return fit;
}

/** What was taken from a run and what starts afresh, a line or two. */
std::string warm_start_text(const WarmStart& start) {
  const auto listed = [](const std::vector<std::string>& names) { return runtime::listed_names(names, 8); };
  std::string text = fmt::format("starts from {} after {} steps: {} taken\n", start.run, start.step,
                                 start.taken.empty() ? "nothing" : listed(start.taken));
  if (!start.fresh.empty())
    text += fmt::format("not in that run, start afresh: {}\n", listed(start.fresh));
  if (!start.unused.empty())
    text += fmt::format("of that run alone, not used: {}\n", listed(start.unused));
  return text;
}

/** What is known before the first step: of the data, of the compiled step, of the start. */
void print_beginning(const Fit& fit, const FitArguments& arguments) {
  print_notes(fit.data_notes());
  if (arguments.quiet)
    return;
  const CompileReport& report = fit.compile_report();
  fmt::print(stderr, "compiled in {:.0f} ms ({}{})\n", report.front_ms + report.native_ms, report.precision,
             report.from_cache ? ", code from the cache" : "");
  if (const StartChoice& choice = fit.start_choice(); choice.of > 1 && !arguments.resume)
    fmt::print(stderr, "start {} of {}: {} {:.6g}\n", choice.number, choice.of, fit.bound_name(),
               choice.elbo);
  if (const std::optional<WarmStart>& start = fit.warm_start())
    fmt::print(stderr, "{}", warm_start_text(*start));
}

void print_end(const Fit& fit, const std::string& folder) {
  fmt::print("{}", summary_table(fit.summaries(), 12));
  const std::vector<Progress>& trace = fit.trace();
  if (trace.empty())
    fmt::print("no step was taken; saved in {}\n", folder);
  else
    fmt::print("{} {:.6g} (mean of the last {} steps); saved in {}\n", fit.bound_name(), trace.back().elbo,
               trace.size() > 1 ? trace.back().step - trace[trace.size() - 2].step : fit.step(), folder);
}

/** Runs the fit to its end or to Ctrl-C, or `further` steps if that is more than none; shows how it goes, and
 * saves it now and then and at the end, also when a step fails. */
void run_and_save(Fit& fit, const FitArguments& arguments, std::int64_t further) {
  runtime::InterruptGuard interrupt;
  std::unique_ptr<runtime::Progress> bar;
  double seconds_before = 0; // of the run that is resumed
  auto saved = std::chrono::steady_clock::now();
  // Asked often enough that Ctrl-C answers at once; trace rows keep their own rhythm.
  const Observer observer = [&](const Progress& progress) {
    if (!arguments.quiet) {
      if (!bar) {
        runtime::Progress::Options shown = runtime::progress_options(STDERR_FILENO);
        shown.bound_name = fit.bound_name();
        seconds_before = arguments.resume ? progress.seconds : 0;
        bar = std::make_unique<runtime::Progress>(std::cerr, progress.step, progress.steps, std::move(shown));
      }
      bar->update(progress.step, progress.elbo, progress.seconds - seconds_before);
    }
    const auto now = std::chrono::steady_clock::now();
    if (arguments.save_every > 0 &&
        std::chrono::duration<double>(now - saved).count() >= arguments.save_every) {
      fit.checkpoint(arguments.out);
      saved = now;
    }
    return !interrupt.requested();
  };
  try {
    fit.run(further, observer);
  } catch (const Error&) {
    fit.save(arguments.out);
    throw;
  }
  if (bar)
    bar->finish(fit.trace().empty() ? 0 : fit.trace().back().seconds - seconds_before);
  fit.save(arguments.out);
}

int run_fit(FitArguments& arguments) {
  FitOptions options = arguments.fit;
  options.compile = read_compile_options(arguments.common);
  read_choice(arguments.optimizer, "--optimizer", options.optimizer, options.optimizer_options);
  for (const std::string& argument : arguments.init)
    options.init.add_argument(argument);
  options.epoch_batches = arguments.batches == "epochs";
  const Data data = read_data(arguments.common);
  Fit fit = arguments.resume ? resume(arguments, options, data)
                             : start(Model::load(arguments.model), data, options);
  // What the run shall have in all, when it is more than it was asked for.
  const std::int64_t further =
      arguments.resume && arguments.given.contains("--steps") ? options.steps - fit.step() : 0;
  print_beginning(fit, arguments);
  if (arguments.resume && fit.finished() && further <= 0) {
    fmt::print(stderr, "this run has finished: {} steps; --steps {} would go on\n", fit.step(),
               2 * fit.step());
    return 0;
  }
  if (!arguments.resume) {
    // A folder that cannot be written to is better known before the training than after it.
    fit.checkpoint(arguments.out);
    for (const char* file : {"summary.json", "params.safetensors"})
      std::filesystem::remove(std::filesystem::path(arguments.out) / file);
  }
  run_and_save(fit, arguments, std::max<std::int64_t>(0, further));
  if (!fit.finished()) {
    fmt::print(stderr, "interrupted after step {}; saved in {}\ngo on with: plait fit {} --out {} --resume\n",
               fit.step(), arguments.out, arguments.model, arguments.out);
    return exit_interrupted;
  }
  if (!arguments.quiet) {
    std::cerr << std::flush;
    print_end(fit, arguments.out);
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
  verb->add_option("--steps", fit.steps, "optimization steps; 0: save the start")
      ->check(positive(true))
      ->capture_default_str();
  verb->add_option("--epochs", fit.epochs, "instead of --steps: passes over the largest subsampled plate")
      ->check(positive());
  verb->add_option("--optimizer", arguments->optimizer,
                   "adam, clipped_adam, adagrad, rmsprop, sgd(momentum=0.9): `plait list optimizers`")
      ->capture_default_str();
  verb->add_option("--learning-rate,--lr", fit.learning_rate, "step size")
      ->check(positive())
      ->capture_default_str();
  verb->add_option("--decay", fit.decay, "factor on the learning rate reached smoothly at the end of the run")
      ->check(positive())
      ->capture_default_str();
  verb->add_option("--clip-norm", fit.clip_norm, "largest global norm of the gradient; 0: no limit")
      ->check(positive(true))
      ->capture_default_str();
  verb->add_option(
          "--average", fit.average,
          "end with an average of all iterates; decay of their weights, as 0.999; 0: the last iterate")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  verb->add_option("--kl-start", fit.kl_start, "weight of the latent terms at the first step")
      ->check(positive(true))
      ->capture_default_str();
  verb->add_option("--kl-steps", fit.kl_steps, "steps over which that weight grows to 1")
      ->check(positive(true))
      ->capture_default_str();
  verb->add_option("--batches", arguments->batches, "uniform: independent subsets; epochs: shuffled passes")
      ->check(CLI::IsMember({"uniform", "epochs"}))
      ->capture_default_str();
  verb->add_option("--seed", fit.seed, "same seed, same bits, with any number of threads")
      ->capture_default_str();
  verb->add_option(
          "--init", arguments->init,
          "NAME=NUMBER, NAME=FILE as for --data, or FILE.json with several names: where parameters and "
          "latents of automatic guides start; the folder of a RUN: everything that it has too starts there")
      ->take_all();
  verb->add_option("--starts", fit.starts,
                   "random starts of the seed to compare; the one with the best objective is fitted")
      ->check(positive())
      ->capture_default_str();
  verb->add_option("--threads", fit.threads, "0: all processors")
      ->check(positive(true))
      ->capture_default_str();
  verb->add_option("--report-every", fit.report_every, "steps between trace rows; 0: about 100 rows")
      ->check(positive(true))
      ->capture_default_str();
  add_compile_options(*verb, arguments->common);
  verb->add_option("--save-every", arguments->save_every,
                   "seconds after which a run is saved while it goes on, for --resume; 0: at its end")
      ->check(positive(true))
      ->capture_default_str();
  verb->add_flag("--resume", arguments->resume,
                 "go on with the run in --out, bit for bit; a greater --steps makes it longer");
  verb->add_flag("--quiet", arguments->quiet, "say nothing but errors");
  return {"fit", [arguments, verb] {
            for (const CLI::Option* option : verb->get_options())
              if (option->count() > 0)
                arguments->given.insert(option->get_name());
            return run_fit(*arguments);
          }};
}

} // namespace plait::cli
