#pragma once

#include "grammar/ast.hpp"

#include <string>

namespace plait {

/// The tree of a program, one node a line, children indented below their parent: `plait emit --stage ast`.
std::string print(const ast::Program& program);
/// The tree of one expression.
std::string print(const ast::ExprPtr& expr);

} // namespace plait
