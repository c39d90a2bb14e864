#pragma once

#include "grammar/ast.hpp"
#include "grammar/source.hpp"

#include <string>

namespace plait {

/// Canonical source text of a program that was parsed from `source` without errors. Comments of the source
/// are kept: one that ends a line stays at the end of its statement, others stand on lines of their own
/// before what they preceded. Single blank lines are kept, and items with a body stand apart. Formatting the
/// result again changes nothing, and it parses to an equal program.
std::string format(const ast::Program& program, const Source& source);

/// One line of source text for a part of a program, as messages and printed trees want it.
std::string format(const ast::ExprPtr& expr);
std::string format(const ast::Type& type);
std::string format(const ast::LValue& target);
std::string format(const ast::Choice& choice);
std::string format(const ast::Subscript& subscript);

} // namespace plait
