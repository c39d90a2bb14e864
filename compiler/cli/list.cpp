#include "compiler/cli/verbs.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <memory>

namespace plait::cli {

Verb add_list(CLI::App& app) {
  auto table = std::make_shared<std::string>();
  CLI::App* verb = app.add_subcommand("list", "Print a table of what a program may name");
  verb->add_option("table", *table,
                   "distributions, transforms, functions, layers, optimizers, objectives or guides")
      ->required();
  return {"list", [table] {
            for (const TableRow& row : list(*table))
              fmt::print("{}\n", row.signature);
            return 0;
          }};
}

} // namespace plait::cli
