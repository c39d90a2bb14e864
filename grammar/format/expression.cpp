#include "grammar/format/expression.hpp"

#include "grammar/format/format.hpp"

#include <algorithm>

namespace plait::formatting {

namespace {

constexpr int conditional_strength = 1;
constexpr int unary_strength = 8;
constexpr int postfix_strength = 10;

template <class T, class Text>
std::string joined(const std::vector<T>& list, Text text) {
  std::string result;
  for (const T& element : list) {
    if (!result.empty())
      result += std::string(",") + soft_break;
    result += text(element);
  }
  return result;
}

std::string subscripts_text(const std::vector<ast::Subscript>& list) {
  return "[" + joined(list, [](const ast::Subscript& place) { return text_of(place); }) + "]";
}

std::string arguments_text(const std::vector<ast::ExprPtr>& positional,
                           const std::vector<ast::NamedArgument>& named) {
  std::string result = text_of(positional);
  std::string rest = joined(named, [](const ast::NamedArgument& argument) {
    return argument.name.name + " = " + text_of(argument.value);
  });
  if (!result.empty() && !rest.empty())
    result += std::string(",") + soft_break;
  return result + rest;
}

struct Strength {
  int operator()(const ast::Unary&) const { return unary_strength; }
  int operator()(const ast::Binary& binary) const { return precedence(binary.op); }
  int operator()(const ast::Conditional&) const { return conditional_strength; }
  template <class Other>
  int operator()(const Other&) const {
    return postfix_strength;
  }
};

struct NodeText {
  std::string operator()(const ast::Number& number) const { return number.spelling; }
  std::string operator()(const ast::Name& name) const { return name.name; }
  std::string operator()(const ast::Unary& unary) const {
    return std::string(spelling(unary.op)) + text_of(unary.operand, unary_strength);
  }

  std::string operator()(const ast::Binary& binary) const {
    int strength = precedence(binary.op);
    // What may stand on each side without parentheses: a power takes signs and powers on its right only,
    // comparisons do not chain, all others group to the left.
    int left = strength;
    int right = strength + 1;
    if (binary.op == ast::BinaryOp::power) {
      left = postfix_strength;
      right = unary_strength;
    } else if (strength == 4 || strength == 5) {
      left = strength + 1;
    }
    return text_of(binary.left, left) + soft_break + std::string(spelling(binary.op)) + " " +
           text_of(binary.right, right);
  }

  std::string operator()(const ast::Call& call) const {
    std::string sizes = call.sizes.empty() ? "" : "[" + text_of(call.sizes) + "]";
    return call.callee.name + sizes + "(" + arguments_text(call.arguments, call.named) + ")";
  }
  std::string operator()(const ast::Index& index) const {
    return text_of(index.base, postfix_strength) + subscripts_text(index.subscripts);
  }
  std::string operator()(const ast::TupleExpr& tuple) const { return "(" + text_of(tuple.elements) + ")"; }
  std::string operator()(const ast::ArrayLiteral& array) const { return "[" + text_of(array.elements) + "]"; }

  std::string operator()(const ast::Conditional& choice) const {
    return text_of(choice.condition, conditional_strength + 1) + soft_break + "? " +
           text_of(choice.then_value) + soft_break + ": " + text_of(choice.else_value);
  }
};

std::string without_breaks(std::string text) {
  std::replace(text.begin(), text.end(), soft_break, ' ');
  return text;
}

} // namespace

std::string text_of(const ast::ExprPtr& expr, int weakest) {
  if (!expr)
    return {};
  std::string text = std::visit(NodeText{}, expr->node);
  bool parentheses = expr->parenthesized || std::visit(Strength{}, expr->node) < weakest;
  return parentheses ? "(" + text + ")" : text;
}

std::string text_of(const std::vector<ast::ExprPtr>& list) {
  return joined(list, [](const ast::ExprPtr& expr) { return text_of(expr); });
}

std::string range_text(const ast::ExprPtr& lower, const ast::ExprPtr& upper) {
  std::string from = text_of(lower);
  std::string to = text_of(upper);
  // `1.` before the dots and `.5` behind them would run into one another.
  if (!from.empty() && from.back() == '.')
    from += ' ';
  if (!to.empty() && to.front() == '.')
    to = ' ' + to;
  return from + ".." + to;
}

std::string text_of(const ast::Subscript& subscript) {
  switch (subscript.kind) {
  case ast::Subscript::Kind::all:
    return ":";
  case ast::Subscript::Kind::slice:
    return range_text(subscript.lower, subscript.upper);
  case ast::Subscript::Kind::element:
    break;
  }
  return text_of(subscript.element);
}

std::string text_of(const ast::Type& type) {
  constexpr int arithmetic_strength = 6;
  std::vector<std::string> arguments;
  if (type.index_size)
    arguments.push_back(text_of(type.index_size, arithmetic_strength));
  if (type.index_base)
    arguments.push_back("base=" + text_of(type.index_base, arithmetic_strength));
  if (type.lower)
    arguments.push_back("lower=" + text_of(type.lower, arithmetic_strength));
  if (type.upper)
    arguments.push_back("upper=" + text_of(type.upper, arithmetic_strength));
  std::string result = type.ragged ? "ragged " : "";
  result += spelling(type.base);
  if (!arguments.empty())
    result += "<" + joined(arguments, [](const std::string& text) { return text; }) + ">";
  if (!type.dims.empty())
    result += "[" + text_of(type.dims) + "]";
  return result;
}

std::string text_of(const ast::LValue& target) {
  return target.name.name + (target.subscripts.empty() ? "" : subscripts_text(target.subscripts));
}

std::string text_of(const ast::Choice& choice) {
  std::string arguments = arguments_text(choice.arguments, choice.named);
  return arguments.empty() ? choice.name.name : choice.name.name + "(" + arguments + ")";
}

} // namespace plait::formatting

namespace plait {

std::string format(const ast::ExprPtr& expr) {
  return formatting::without_breaks(formatting::text_of(expr));
}
std::string format(const ast::Type& type) {
  return formatting::without_breaks(formatting::text_of(type));
}
std::string format(const ast::LValue& target) {
  return formatting::without_breaks(formatting::text_of(target));
}
std::string format(const ast::Choice& choice) {
  return formatting::without_breaks(formatting::text_of(choice));
}
std::string format(const ast::Subscript& subscript) {
  return formatting::without_breaks(formatting::text_of(subscript));
}

} // namespace plait
