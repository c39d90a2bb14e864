#pragma once

#include "grammar/ast.hpp"

#include <string>
#include <vector>

/// Source text of the parts of a statement, with marks where a long line may be broken.
namespace plait::formatting {

/// Stands for a space that may become a line break.
constexpr char soft_break = '\x01';

/// Parentheses go around an expression that binds weaker than `weakest`, and where they were written.
std::string text_of(const ast::ExprPtr& expr, int weakest = 1);
std::string text_of(const ast::Type& type);
std::string text_of(const ast::LValue& target);
std::string text_of(const ast::Choice& choice);
std::string text_of(const std::vector<ast::ExprPtr>& list);
std::string text_of(const ast::Subscript& subscript);

/// `lower..upper`; either may be null.
std::string range_text(const ast::ExprPtr& lower, const ast::ExprPtr& upper);

} // namespace plait::formatting
