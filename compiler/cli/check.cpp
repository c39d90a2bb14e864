#include "compiler/cli/verbs.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <memory>

namespace plait::cli {

Verb add_check(CLI::App& app) {
  struct Arguments {
    std::string model;
    CommonOptions common;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* verb = app.add_subcommand(
      "check", "What the compiler understands: sites, plates, scales, supports, estimators");
  verb->add_option("model", arguments->model, "the model file")->required();
  add_data_options(*verb, arguments->common);
  add_compile_options(*verb, arguments->common);
  return {"check", [arguments] {
            const Model model = Model::load(arguments->model);
            fmt::print("{}",
                       model.check(read_data(arguments->common), read_compile_options(arguments->common)));
            return 0;
          }};
}

} // namespace plait::cli
