#include "compiler/cli/verbs.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <memory>

namespace plait::cli {

Verb add_format(CLI::App& app) {
  struct Arguments {
    std::string model;
    bool write = false, check = false;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* verb = app.add_subcommand("fmt", "Print a model in canonical form");
  verb->add_option("model", arguments->model, "the model file")->required();
  verb->add_flag("--write", arguments->write, "replace the file instead of printing");
  verb->add_flag("--check", arguments->check,
                 "print nothing; exit with 1 when the file is not in canonical form");
  return {"fmt", [arguments] {
            const Model model = Model::load(arguments->model);
            const std::string text = model.format();
            if (arguments->check)
              return text == model.text() ? 0 : 1;
            if (!arguments->write)
              write_output("-", text);
            else if (text != model.text())
              write_output(arguments->model, text);
            return 0;
          }};
}

} // namespace plait::cli
