#pragma once

#include "compiler/program/program.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

/// Conditions on data and indices around statements: when they hold together, and when one holds.
namespace plait::plates {

/// A condition around a statement, and the branch the statement is in.
struct Condition {
  program::ExprPtr expr;
  bool taken = true;
};

/// The conditions around one statement, outermost first: it runs where all of them hold.
using Path = std::vector<Condition>;

/// Decides about conditions by their truth tables. Comparisons of one value with constants are told apart by
/// what the value can be (`bit`, `index<K>`, integer, real), comparisons of two values by their order; all
/// else is true or false by its text. A name that is assigned once stands for what it is assigned; the names
/// of plate and loop indices do not matter, so that conditions of the model and of the guide compare. What is
/// not certain counts as different.
class ConditionLogic {
public:
  explicit ConditionLogic(const program::Program& program);

  /// Whether some path of `a` holds exactly where some path of `b` does.
  bool same(const std::vector<Path>& a, const std::vector<Path>& b) const;
  /// Whether there is nothing for which both hold.
  bool exclude(const Path& a, const Path& b) const;
  /// Whether `b` holds wherever `a` does.
  bool implies(const Path& a, const Path& b) const;
  /// Whether some path holds everywhere.
  bool cover(const std::vector<Path>& paths) const;
  /// The paths joined by `||`, names that are assigned once replaced by what they are; empty for everywhere.
  std::string explain(const std::vector<Path>& paths) const;

private:
  const program::Program& program_;
  std::map<program::SymbolId, program::ExprPtr> definitions_; ///< of locals that are assigned once
  std::map<program::LoopId, std::size_t> depths_;             ///< number of loops around a loop
};

/// `c[i] == 1 && !(k > 2)`; empty for none.
std::string text_of(const program::Program& program, const Path& path);
/// The paths joined by `||`.
std::string text_of(const program::Program& program, const std::vector<Path>& paths);

} // namespace plait::plates
