#include "compiler/cli/verbs.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <new>

namespace {

constexpr const char* introduction =
    "Plait fits probabilistic models by variational inference, compiled to one native step.\n"
    "\n"
    "  plait fit model.ppl --data data.json --out RUN     fit; then look at RUN/summary.json\n"
    "  plait check model.ppl                              what the compiler understands of a model\n"
    "\n"
    "Exit codes: 0 done, 1 the model is wrong, 2 usage, 3 the data is wrong, 4 inference failed, 130 "
    "interrupted (saved).";

int run(int argc, char** argv) {
  CLI::App app(introduction);
  app.name("plait");
  app.set_version_flag("--version", plait::version());
  app.require_subcommand(1);
  std::vector<plait::cli::Verb> verbs;
  for (auto add :
       {plait::cli::add_check, plait::cli::add_fit, plait::cli::add_sample, plait::cli::add_predict,
        plait::cli::add_evaluate, plait::cli::add_emit, plait::cli::add_format, plait::cli::add_list})
    verbs.push_back(add(app));
  // CLI11 would say that a subcommand is missing; the user wants to know which word is wrong.
  if (argc > 1 && argv[1][0] != '-' &&
      std::none_of(verbs.begin(), verbs.end(),
                   [&](const plait::cli::Verb& verb) { return verb.name == argv[1]; })) {
    std::string names;
    for (const plait::cli::Verb& verb : verbs)
      names += (names.empty() ? "" : ", ") + verb.name;
    fmt::print(stderr, "error: there is no verb '{}'\nhint: the verbs are {}; `plait --help` explains them\n",
               argv[1], names);
    return static_cast<int>(plait::Fault::usage);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // CLI11 numbers its errors; ours is one code for usage, and 0 for --help and --version.
    return app.exit(error) == 0 ? 0 : static_cast<int>(plait::Fault::usage);
  }
  for (const plait::cli::Verb& verb : verbs)
    if (app.got_subcommand(verb.name))
      return verb.action();
  return static_cast<int>(plait::Fault::usage);
}

} // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const plait::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return static_cast<int>(error.fault);
  } catch (const std::bad_alloc&) {
    fmt::print(
        stderr,
        "error: out of memory\nhint: a smaller subsample, fewer particles or --precision f32 need less\n");
    return static_cast<int>(plait::Fault::inference);
  } catch (const std::exception& error) {
    fmt::print(stderr,
               "error: {}\nhint: this is a defect of plait; the model and data that led here would help to "
               "mend it\n",
               error.what());
    return static_cast<int>(plait::Fault::inference);
  }
}
