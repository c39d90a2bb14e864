#include "compiler/program/check.hpp"

#include "compiler/program/checker.hpp"

#include <set>
#include <tuple>

namespace plait::program {

namespace {

/// Drops repetitions: a function's body is checked once for each way it is called.
Diagnostics without_repetitions(const Diagnostics& diagnostics) {
  Diagnostics result;
  std::set<std::tuple<std::size_t, std::size_t, std::string>> seen;
  for (const Diagnostic& entry : diagnostics) {
    Span span = entry.span.value_or(Span{});
    if (seen.emplace(span.begin, span.end, entry.message).second)
      result.add(entry);
  }
  return result;
}

} // namespace

std::optional<Program> check(const ast::Program& file, const CheckOptions& options,
                             Diagnostics& diagnostics) {
  Widenings widenings;
  // What a local must hold only ever grows, a step for each local and plate at most; the bound is never
  // reached and only guards against a defect that would make this run forever.
  for (int round = 0; round < 1000; ++round) {
    Diagnostics found;
    Checker checker(file, options, widenings, found);
    checker.run();
    if (checker.grew())
      continue;
    bool ok = !found.has_errors();
    found = without_repetitions(found);
    found.sort_by_place();
    for (const Diagnostic& entry : found)
      diagnostics.add(entry);
    return ok ? std::optional<Program>(checker.take()) : std::nullopt;
  }
  diagnostics.add(
      {Severity::error, "internal", std::nullopt, "the types of the locals do not settle", {}, {}});
  return std::nullopt;
}

} // namespace plait::program
