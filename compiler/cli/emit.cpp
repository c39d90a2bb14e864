#include "compiler/cli/verbs.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <memory>

namespace plait::cli {

Verb add_emit(CLI::App& app) {
  struct Arguments {
    std::string model, stage;
    std::string optimizer = "adam";
    CommonOptions common;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* verb = app.add_subcommand("emit", "Print what lies between two stages of the compiler");
  verb->add_option("model", arguments->model, "the model file")->required();
  verb->add_option("--stage", arguments->stage, fmt::format("one of {}", fmt::join(Model::stages(), ", ")))
      ->required()
      ->check(CLI::IsMember(Model::stages()));
  verb->add_option("--optimizer", arguments->optimizer, "of the step")->capture_default_str();
  add_data_options(*verb, arguments->common);
  add_compile_options(*verb, arguments->common);
  return {"emit", [arguments] {
            FitOptions options;
            options.compile = read_compile_options(arguments->common);
            read_choice(arguments->optimizer, "--optimizer", options.optimizer, options.optimizer_options);
            write_output(
                "-",
                Model::load(arguments->model).emit(arguments->stage, read_data(arguments->common), options));
            return 0;
          }};
}

} // namespace plait::cli
