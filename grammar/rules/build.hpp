#pragma once

#include "grammar/ast.hpp"
#include "grammar/rules/state.hpp"

#include <optional>
#include <variant>
#include <vector>

/// From what the rules collected to tree nodes. What parses but cannot be meant (a chained comparison, a call
/// of something that is no name) is recorded in the state's diagnostics here.
namespace plait::grammar {

struct UnaryToken {
  ast::UnaryOp op = ast::UnaryOp::negate;
  Span span;
};

struct BinaryToken {
  ast::BinaryOp op = ast::BinaryOp::add;
  Span span;
};

/// `-!x`: the signs from left to right, and what they stand before.
struct Operand {
  std::vector<UnaryToken> signs;
  ast::ExprPtr value;
};

/// operand op operand op …: one more operand than operators.
struct OperandChain {
  std::vector<Operand> operands;
  std::vector<BinaryToken> operators;
};

/// Positional and named arguments in one list.
struct ArgumentList {
  std::vector<ast::ExprPtr> positional;
  std::vector<ast::NamedArgument> named;
};

/// A type as written, before it is known whether its arguments fit its base.
struct TypeParts {
  bool ragged = false;
  ast::BaseType base = ast::BaseType::real;
  ArgumentList arguments;
  std::vector<ast::ExprPtr> dims;
  Span span;
};

/// `target = value` or `target ~ value using strategy`.
struct TargetedStatement {
  ast::LValue target;
  bool is_sample = false;
  ast::ExprPtr value;
  std::optional<ast::Choice> strategy;
};

/// make_expr, and stop if the tree has grown too tall.
ast::ExprPtr build_expr(ParseState& state, ast::Expr::Node node, Span span);

ast::ExprPtr build_number(ParseState& state, const char* from, const char* to);
ast::ExprPtr build_name(ast::Identifier identifier);

/// One element: that expression, marked as parenthesized; several: a tuple.
ast::ExprPtr build_parenthesized(ParseState& state, std::vector<ast::ExprPtr> elements, Span span);

/// Groups a flat chain by precedence: `^` to the right and above the signs, the others to the left.
ast::ExprPtr build_operation(ParseState& state, OperandChain chain);

/// `base(arguments)` and `base[sizes](arguments)`; `end` is the offset past the closing parenthesis.
ast::ExprPtr build_call(ParseState& state, ast::ExprPtr base, ArgumentList arguments, std::size_t end);
ast::ExprPtr build_index(ParseState& state, ast::ExprPtr base, std::vector<ast::Subscript> subscripts,
                         std::size_t end);

/// Refuses a positional argument after a named one and a name given twice.
void add_positional(ParseState& state, ArgumentList& list, ast::ExprPtr value);
void add_named(ParseState& state, ArgumentList& list, ast::Identifier name, ast::ExprPtr value);

ast::Type build_type(ParseState& state, TypeParts parts);

/// An Assign, or a Sample whose right side is taken apart into distribution and copies.
ast::Statement::Node build_targeted(ParseState& state, TargetedStatement parts);

/// Refuses a file without any item. Which items a model needs is for the checker to say.
void check_not_empty(ParseState& state, const ast::Program& program);

} // namespace plait::grammar
