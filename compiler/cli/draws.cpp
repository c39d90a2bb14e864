#include "compiler/cli/validators.hpp"
#include "compiler/cli/verbs.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <memory>

namespace plait::cli {

namespace {

struct DrawArguments {
  std::string run, out;
  std::int64_t draws = 1000;
  bool local = false, gradients = false;
  int repeats = 10;
  CommonOptions common;
};

/** What `evaluate` was asked for in place of the objective of the fit. */
std::optional<ObjectiveChoice> chosen_objective(const CommonOptions& asked, const Fit& fit) {
  if (asked.objective.empty() && asked.particles == 0)
    return std::nullopt;
  const CompileOptions& compile = fit.options().compile;
  ObjectiveChoice choice{compile.objective, compile.objective_options, compile.particles};
  if (!asked.objective.empty()) {
    choice.options.clear();
    read_choice(asked.objective, "--objective", choice.name, choice.options);
  }
  if (asked.particles > 0)
    choice.particles = asked.particles;
  return choice;
}

} // namespace

Verb add_sample(CLI::App& app) {
  auto arguments = std::make_shared<DrawArguments>();
  CLI::App* verb = app.add_subcommand("sample", "Posterior draws from the fitted guide, as csv");
  verb->add_option("run", arguments->run, "folder of the run")->required();
  verb->add_option("-n", arguments->draws, "number of draws")->check(positive())->capture_default_str();
  verb->add_option("--out", arguments->out, "file; standard output when left out");
  verb->add_flag("--local", arguments->local, "latents of subsampled plates as well, for every row");
  return {"sample", [arguments] {
            write_output(arguments->out,
                         draws_to_csv(Fit::open(arguments->run).sample(arguments->draws, arguments->local)));
            return 0;
          }};
}

Verb add_predict(CLI::App& app) {
  auto arguments = std::make_shared<DrawArguments>();
  CLI::App* verb =
      app.add_subcommand("predict", "Draws of the predict block, or of the data where there is none");
  verb->add_option("run", arguments->run, "folder of the run")->required();
  add_data_options(*verb, arguments->common);
  add_size_option(*verb, arguments->common);
  verb->add_option("-n", arguments->draws, "number of draws")->check(positive())->capture_default_str();
  verb->add_option("--out", arguments->out, "file; standard output when left out");
  return {"predict", [arguments] {
            const Fit fit = Fit::open(arguments->run);
            const bool of_fit = arguments->common.data.empty() && arguments->common.set.empty();
            const std::vector<DrawnArray> drawn =
                of_fit ? fit.predict(arguments->draws)
                       : fit.predict(read_new_data(arguments->common), arguments->draws);
            print_notes(of_fit ? fit.data_notes() : fit.new_data_notes());
            write_output(arguments->out, draws_to_csv(drawn));
            return 0;
          }};
}

Verb add_evaluate(CLI::App& app) {
  auto arguments = std::make_shared<DrawArguments>();
  CLI::App* verb = app.add_subcommand(
      "evaluate", "The objective, and its gradient, at the fitted parameters over all rows");
  verb->add_option("run", arguments->run, "folder of the run")->required();
  add_data_options(*verb, arguments->common);
  verb->add_option("-n", arguments->repeats, "estimates to average")
      ->check(positive())
      ->capture_default_str();
  verb->add_flag("--gradients", arguments->gradients,
                 "derivatives with respect to every unconstrained parameter as well");
  arguments->common.objective.clear();
  verb->add_option("--objective", arguments->common.objective,
                   "another one than that of the fit: `plait list objectives`");
  arguments->common.particles = 0;
  verb->add_option("--particles", arguments->common.particles,
                   "draws of the guide for each estimate; those of the fit when left out")
      ->check(CLI::Range(1, 1 << 20));
  return {
      "evaluate", [arguments] {
        const Fit fit = Fit::open(arguments->run);
        const std::optional<ObjectiveChoice> objective = chosen_objective(arguments->common, fit);
        const Evaluation evaluation = arguments->common.data.empty()
                                          ? fit.evaluate(arguments->repeats, arguments->gradients, objective)
                                          : fit.evaluate(read_data(arguments->common), arguments->repeats,
                                                         arguments->gradients, objective);
        print_notes(fit.new_data_notes());
        const std::string name = objective && objective->name != fit.options().compile.objective
                                     ? objective->name
                                     : fit.bound_name();
        fmt::print("{} {:.8g} +- {:.2g}\n", name, evaluation.elbo, evaluation.error);
        for (const Gradient& gradient : evaluation.gradients)
          for (std::size_t k = 0; k < gradient.mean.size(); ++k)
            fmt::print("d {} / d {} {:.8g} +- {:.2g}\n", name, element_name(gradient.name, gradient.shape, k),
                       gradient.mean[k], gradient.error[k]);
        return 0;
      }};
}

} // namespace plait::cli
