#include "compiler/elbo/build_starts.hpp"

#include "compiler/elbo/walk.hpp"

#include <algorithm>

namespace plait::elbo {

bool needs_data(const program::Program& program, const program::ExprPtr& expression) {
  if (!expression)
    return false;
  // A function may read data of the file.
  if (!expression->varies.empty() || program::get_if<program::FunctionCall>(expression))
    return true;
  if (const auto* name = program::get_if<program::Name>(expression))
    return program.symbol(name->symbol).kind != program::SymbolKind::constant;
  const std::vector<program::ExprPtr> parts = parts_of(*expression);
  return std::any_of(parts.begin(), parts.end(),
                     [&](const program::ExprPtr& part) { return needs_data(program, part); });
}

std::optional<ParameterStarts> build_starts(const program::Program& program, const ElboOptions& given,
                                            Diagnostics& diagnostics) {
  const auto build = [&](const ElboOptions& options) -> std::optional<ParameterStarts> {
    Walk walk(program, options, false);
    Executor& executor = *walk.executor;
    executor.wants_starts = true;
    if (program.guide)
      executor.run(*program.guide, Role::guide);
    executor.run(program.model, Role::model);
    ParameterStarts result;
    for (const program::SymbolId id : program.params) {
      const program::Symbol& symbol = program.symbol(id);
      const auto found = executor.starts.find(symbol.name);
      if (found != executor.starts.end() && needs_data(program, symbol.value))
        result.starts[symbol.name] = {found->second.value, found->second.exists};
    }
    result.graph = std::move(walk.elbo.graph);
    result.builder = std::move(walk.elbo.builder);
    return result;
  };
  return guarded<ParameterStarts>(diagnostics, [&] { return with_sizes_as_needed(given, build); });
}

} // namespace plait::elbo
