#include "grammar/rules/build.hpp"

#include <fast_float/fast_float.h>
#include <fmt/format.h>

#include <cmath>

namespace plait::grammar {

using ast::Expr;
using ast::ExprPtr;

ExprPtr build_expr(ParseState& state, Expr::Node node, Span span) {
  ExprPtr expr = ast::make_expr(std::move(node), span);
  if (expr->height > tallest_expression)
    state.stop_too_deep(span, "this expression is too long");
  return expr;
}

ExprPtr build_number(ParseState& state, const char* from, const char* to) {
  ast::Number number;
  number.spelling.assign(from, to);
  number.is_integer = number.spelling.find_first_of(".eE") == std::string::npos;
  const char* stop = fast_float::from_chars(from, to, number.value).ptr;
  Span span = state.span(from, to);
  if (stop != to)
    state.reject(span, fmt::format("'{}' is not a number", number.spelling))
        .with_hint("a product is written with '*', and a name starts with a letter");
  else if (!std::isfinite(number.value))
    state.reject(span, fmt::format("'{}' is too large for a number", number.spelling));
  return ast::make_expr(std::move(number), span);
}

ExprPtr build_name(ast::Identifier identifier) {
  Span span = identifier.span;
  return ast::make_expr(ast::Name{std::move(identifier.name)}, span);
}

ExprPtr build_parenthesized(ParseState& state, std::vector<ExprPtr> elements, Span span) {
  if (elements.size() > 1)
    return build_expr(state, ast::TupleExpr{std::move(elements)}, span);
  auto expr = std::make_shared<Expr>(*elements.front());
  expr->span = span;
  expr->parenthesized = true;
  return expr;
}

namespace {

constexpr int unary_precedence = 8;

bool is_comparison(ast::BinaryOp op) {
  return precedence(op) == 4 || precedence(op) == 5;
}

/// Two stacks, no recursion: a chain may be long.
class OperationBuilder {
public:
  explicit OperationBuilder(ParseState& state) : state_(state) {}

  void sign(UnaryToken token) { pending_.push_back(token); }
  void operand(ExprPtr value) { values_.push_back(std::move(value)); }

  void binary(BinaryToken token) {
    int strength = precedence(token.op);
    bool to_right = token.op == ast::BinaryOp::power;
    while (!pending_.empty()) {
      int top = precedence_of(pending_.back());
      if (top < strength || (top == strength && to_right))
        break;
      check_chained(pending_.back(), token);
      reduce();
    }
    pending_.push_back(token);
  }

  ExprPtr finish() {
    while (!pending_.empty())
      reduce();
    return std::move(values_.back());
  }

private:
  using Token = std::variant<UnaryToken, BinaryToken>;

  static int precedence_of(const Token& token) {
    auto* binary = std::get_if<BinaryToken>(&token);
    return binary ? precedence(binary->op) : unary_precedence;
  }

  void check_chained(const Token& left, const BinaryToken& right) {
    auto* binary = std::get_if<BinaryToken>(&left);
    if (binary && is_comparison(right.op) && precedence(binary->op) == precedence(right.op))
      state_.reject(right.span, "comparisons do not chain")
          .note(binary->span, "the first comparison is here")
          .with_hint("write 'a < b && b < c', or parentheses around one of them");
  }

  void reduce() {
    Token token = pending_.back();
    pending_.pop_back();
    ExprPtr right = std::move(values_.back());
    values_.pop_back();
    if (auto* unary = std::get_if<UnaryToken>(&token)) {
      Span span = cover(unary->span, right->span);
      values_.push_back(build_expr(state_, ast::Unary{unary->op, std::move(right)}, span));
      return;
    }
    auto& binary = std::get<BinaryToken>(token);
    ExprPtr left = std::move(values_.back());
    values_.pop_back();
    Span span = cover(left->span, right->span);
    values_.push_back(
        build_expr(state_, ast::Binary{binary.op, binary.span, std::move(left), std::move(right)}, span));
  }

  ParseState& state_;
  std::vector<Token> pending_;
  std::vector<ExprPtr> values_;
};

} // namespace

ExprPtr build_operation(ParseState& state, OperandChain chain) {
  OperationBuilder builder(state);
  for (std::size_t i = 0; i < chain.operands.size(); ++i) {
    for (const UnaryToken& sign : chain.operands[i].signs)
      builder.sign(sign);
    builder.operand(std::move(chain.operands[i].value));
    if (i < chain.operators.size())
      builder.binary(chain.operators[i]);
  }
  return builder.finish();
}

ExprPtr build_call(ParseState& state, ExprPtr base, ArgumentList arguments, std::size_t end) {
  ast::Call call;
  Span span{base->span.begin, end};
  ExprPtr callee = base;
  if (auto* index = ast::get_if<ast::Index>(base); index && !base->parenthesized) {
    callee = index->base;
    for (const ast::Subscript& place : index->subscripts) {
      if (place.kind == ast::Subscript::Kind::element)
        call.sizes.push_back(place.element);
      else
        state.reject(place.span, "a slice cannot be a size of a call");
    }
  }
  if (auto* name = ast::get_if<ast::Name>(callee); name && !callee->parenthesized)
    call.callee = {name->name, callee->span};
  else
    state.reject(base->span, "only a name can be called")
        .with_hint(
            "to multiply, write '*'; to apply a function to the result of another, nest the calls: g(f(x))");
  call.arguments = std::move(arguments.positional);
  call.named = std::move(arguments.named);
  return build_expr(state, std::move(call), span);
}

ExprPtr build_index(ParseState& state, ExprPtr base, std::vector<ast::Subscript> subscripts,
                    std::size_t end) {
  Span span{base->span.begin, end};
  return build_expr(state, ast::Index{std::move(base), std::move(subscripts)}, span);
}

void add_positional(ParseState& state, ArgumentList& list, ExprPtr value) {
  if (!list.named.empty())
    state.reject(value->span, "an argument without a name cannot follow one with a name")
        .note(list.named.back().name.span, "the named argument is here");
  list.positional.push_back(std::move(value));
}

void add_named(ParseState& state, ArgumentList& list, ast::Identifier name, ExprPtr value) {
  for (const ast::NamedArgument& other : list.named)
    if (other.name.name == name.name)
      state.reject(name.span, fmt::format("argument '{}' is given twice", name.name))
          .note(other.name.span, "given first here");
  list.named.push_back({std::move(name), std::move(value)});
}

ast::Type build_type(ParseState& state, TypeParts parts) {
  using ast::BaseType;
  ast::Type type;
  type.ragged = parts.ragged;
  type.base = parts.base;
  type.dims = std::move(parts.dims);
  type.span = parts.span;

  bool takes_bounds = type.base == BaseType::real || type.base == BaseType::integer;
  bool takes_size = type.base == BaseType::index;
  for (std::size_t i = 0; i < parts.arguments.positional.size(); ++i) {
    ExprPtr value = parts.arguments.positional[i];
    if (takes_size && i == 0)
      type.index_size = value;
    else
      state.reject(value->span, fmt::format("type '{}' takes no such argument", spelling(type.base)))
          .with_hint(takes_bounds ? "bounds have names: real<lower = a, upper = b>"
                                  : "sizes go in brackets: simplex[K], index<J>[N]");
  }
  for (const ast::NamedArgument& argument : parts.arguments.named) {
    const std::string& name = argument.name.name;
    if (takes_bounds && name == "lower")
      type.lower = argument.value;
    else if (takes_bounds && name == "upper")
      type.upper = argument.value;
    else if (takes_size && name == "base")
      type.index_base = argument.value;
    else
      state
          .reject(argument.name.span,
                  fmt::format("type '{}' takes no argument '{}'", spelling(type.base), name))
          .with_hint(takes_bounds ? "the bounds of a type are 'lower' and 'upper'"
                     : takes_size ? "index takes a size and 'base': index<J, base = 1>"
                                  : "bounds belong to real and int: real<lower = a, upper = b>");
  }
  if (takes_size && !type.index_size)
    state.reject(type.span, "type 'index' needs the size of the set it points into")
        .with_hint("write index<J>");
  if (type.ragged && type.dims.empty())
    state.reject(type.span, "a ragged type needs dimensions")
        .with_hint("write ragged real[N, T]: T differs per row");
  return type;
}

namespace {

ast::Statement::Node build_sample(ParseState& state, TargetedStatement parts) {
  ast::Sample sample;
  sample.target = std::move(parts.target);
  sample.strategy = std::move(parts.strategy);
  ExprPtr distribution = parts.value;
  if (auto* index = ast::get_if<ast::Index>(distribution); index && ast::get_if<ast::Call>(index->base)) {
    for (const ast::Subscript& place : index->subscripts) {
      if (place.kind == ast::Subscript::Kind::element)
        sample.copies.push_back(place.element);
      else
        state.reject(place.span, "the number of independent copies must be a size, not a slice");
    }
    distribution = index->base;
  }
  if (!ast::get_if<ast::Call>(distribution)) {
    auto& error =
        state.reject(distribution->span, "the right side of '~' must be a distribution with its arguments");
    if (auto* name = ast::get_if<ast::Name>(distribution))
      error.with_hint(fmt::format("write {}(…); a value is assigned with '='", name->name));
    else
      error.with_hint("write a distribution such as normal(0, 1); a value is assigned with '='");
    distribution = ast::make_expr(ast::Call{}, distribution->span);
  }
  sample.distribution = std::move(distribution);
  return sample;
}

} // namespace

ast::Statement::Node build_targeted(ParseState& state, TargetedStatement parts) {
  if (parts.is_sample)
    return build_sample(state, std::move(parts));
  ast::Assign assign;
  assign.targets.push_back(std::move(parts.target));
  assign.value = std::move(parts.value);
  return assign;
}

void check_not_empty(ParseState& state, const ast::Program& program) {
  if (program.items.empty() && !state.diagnostics->has_errors())
    state
        .reject({state.offset(state.begin), state.offset(state.begin)},
                "the file is empty: it declares nothing")
        .with_hint("a model file has data declarations and a block 'model { … }'");
}

} // namespace plait::grammar
