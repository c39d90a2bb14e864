#pragma once

#include "compiler/program/program.hpp"
#include "grammar/ast.hpp"
#include "grammar/diagnostic.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace plait::program {

struct CheckOptions {
  std::map<std::string, double> sets; ///< `--set K=16`: replaces the value of a `const`, or fixes a size
  std::map<std::string, std::int64_t> sizes; ///< sizes read from bound data
};

/// Resolves every name and checks every type, shape, support and plate rule of a parsed file. Errors go to
/// `diagnostics`, as many as can be told apart in one run; the result is empty exactly when there is one.
/// The syntax tree must come from a parse without errors.
std::optional<Program> check(const ast::Program& file, const CheckOptions& options, Diagnostics& diagnostics);

} // namespace plait::program
