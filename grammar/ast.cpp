#include "grammar/ast.hpp"

#include <algorithm>
#include <type_traits>

namespace plait::ast {

namespace {

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};

std::uint32_t height_of(const ExprPtr& expr) {
  return expr ? expr->height : 0;
}

std::uint32_t height_of(const std::vector<ExprPtr>& list) {
  std::uint32_t result = 0;
  for (const ExprPtr& expr : list)
    result = std::max(result, height_of(expr));
  return result;
}

std::uint32_t children_height(const Expr::Node& node) {
  return std::visit(
      Overloaded{
          [](const Number&) -> std::uint32_t { return 0; }, [](const Name&) -> std::uint32_t { return 0; },
          [](const Unary& unary) { return height_of(unary.operand); },
          [](const Binary& binary) { return std::max(height_of(binary.left), height_of(binary.right)); },
          [](const Call& call) {
            std::uint32_t result = std::max(height_of(call.sizes), height_of(call.arguments));
            for (const NamedArgument& argument : call.named)
              result = std::max(result, height_of(argument.value));
            return result;
          },
          [](const Index& index) {
            std::uint32_t result = height_of(index.base);
            for (const Subscript& place : index.subscripts)
              result = std::max(
                  {result, height_of(place.element), height_of(place.lower), height_of(place.upper)});
            return result;
          },
          [](const TupleExpr& tuple) { return height_of(tuple.elements); },
          [](const ArrayLiteral& array) { return height_of(array.elements); },
          [](const Conditional& choice) {
            return std::max(
                {height_of(choice.condition), height_of(choice.then_value), height_of(choice.else_value)});
          }},
      node);
}

} // namespace

ExprPtr make_expr(Expr::Node node, Span span) {
  std::uint32_t height = children_height(node) + 1;
  return std::make_shared<const Expr>(Expr{std::move(node), span, height, false});
}

const Call& Sample::call() const {
  return std::get<Call>(distribution->node);
}

std::string_view spelling(UnaryOp op) {
  return op == UnaryOp::negate ? "-" : "!";
}

std::string_view spelling(BinaryOp op) {
  switch (op) {
  case BinaryOp::add:
    return "+";
  case BinaryOp::subtract:
    return "-";
  case BinaryOp::multiply:
    return "*";
  case BinaryOp::divide:
    return "/";
  case BinaryOp::power:
    return "^";
  case BinaryOp::matrix_product:
    return "@";
  case BinaryOp::equal:
    return "==";
  case BinaryOp::not_equal:
    return "!=";
  case BinaryOp::less:
    return "<";
  case BinaryOp::less_equal:
    return "<=";
  case BinaryOp::greater:
    return ">";
  case BinaryOp::greater_equal:
    return ">=";
  case BinaryOp::logical_and:
    return "&&";
  case BinaryOp::logical_or:
    return "||";
  }
  return "?";
}

int precedence(BinaryOp op) {
  switch (op) {
  case BinaryOp::logical_or:
    return 2;
  case BinaryOp::logical_and:
    return 3;
  case BinaryOp::equal:
  case BinaryOp::not_equal:
    return 4;
  case BinaryOp::less:
  case BinaryOp::less_equal:
  case BinaryOp::greater:
  case BinaryOp::greater_equal:
    return 5;
  case BinaryOp::add:
  case BinaryOp::subtract:
    return 6;
  case BinaryOp::multiply:
  case BinaryOp::divide:
  case BinaryOp::matrix_product:
    return 7;
  case BinaryOp::power:
    return 9;
  }
  return 0;
}

std::string_view spelling(BaseType type) {
  switch (type) {
  case BaseType::real:
    return "real";
  case BaseType::integer:
    return "int";
  case BaseType::bit:
    return "bit";
  case BaseType::index:
    return "index";
  case BaseType::positive:
    return "positive";
  case BaseType::unit:
    return "unit";
  case BaseType::simplex:
    return "simplex";
  case BaseType::ordered:
    return "ordered";
  case BaseType::positive_ordered:
    return "positive_ordered";
  case BaseType::cholesky_corr:
    return "cholesky_corr";
  case BaseType::cholesky_cov:
    return "cholesky_cov";
  case BaseType::corr:
    return "corr";
  case BaseType::cov:
    return "cov";
  }
  return "?";
}

// ---------------------------------------------------------------------------------------------- equality

// One overload per node type, declared first because the types refer to each other.
namespace {

bool same(const ExprPtr& a, const ExprPtr& b);
bool same(const Identifier& a, const Identifier& b) {
  return a.name == b.name;
}
bool same(const NamedArgument& a, const NamedArgument& b);
bool same(const Subscript& a, const Subscript& b);
bool same(const LValue& a, const LValue& b);
bool same(const Choice& a, const Choice& b);
bool same(const Type& a, const Type& b);
bool same(const Parameter& a, const Parameter& b);
bool same(const Statement& a, const Statement& b);
bool same(const Block& a, const Block& b);
bool same(const Item& a, const Item& b);

template <class T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const T& left, const T& right) { return same(left, right); });
}

template <class T>
bool same(const std::optional<T>& a, const std::optional<T>& b) {
  return a.has_value() == b.has_value() && (!a || same(*a, *b));
}

bool same(const Number& a, const Number& b) {
  return a.spelling == b.spelling;
}
bool same(const Name& a, const Name& b) {
  return a.name == b.name;
}
bool same(const Unary& a, const Unary& b) {
  return a.op == b.op && same(a.operand, b.operand);
}
bool same(const Binary& a, const Binary& b) {
  return a.op == b.op && same(a.left, b.left) && same(a.right, b.right);
}
bool same(const Call& a, const Call& b) {
  return same(a.callee, b.callee) && same(a.sizes, b.sizes) && same(a.arguments, b.arguments) &&
         same(a.named, b.named);
}
bool same(const Index& a, const Index& b) {
  return same(a.base, b.base) && same(a.subscripts, b.subscripts);
}
bool same(const TupleExpr& a, const TupleExpr& b) {
  return same(a.elements, b.elements);
}
bool same(const ArrayLiteral& a, const ArrayLiteral& b) {
  return same(a.elements, b.elements);
}
bool same(const Conditional& a, const Conditional& b) {
  return same(a.condition, b.condition) && same(a.then_value, b.then_value) &&
         same(a.else_value, b.else_value);
}

bool same(const Assign& a, const Assign& b) {
  return same(a.targets, b.targets) && same(a.value, b.value);
}
bool same(const Sample& a, const Sample& b) {
  return same(a.target, b.target) && same(a.distribution, b.distribution) && same(a.copies, b.copies) &&
         same(a.strategy, b.strategy);
}
bool same(const ParamDecl& a, const ParamDecl& b) {
  return same(a.name, b.name) && same(a.type, b.type) && same(a.init, b.init);
}
bool same(const Plate& a, const Plate& b) {
  return a.kind == b.kind && same(a.index, b.index) && same(a.size, b.size) && same(a.alias, b.alias) &&
         same(a.subsample, b.subsample) && same(a.body, b.body);
}
bool same(const For& a, const For& b) {
  return same(a.index, b.index) && a.reverse == b.reverse && same(a.lower, b.lower) &&
         same(a.upper, b.upper) && same(a.body, b.body);
}
bool same(const If& a, const If& b) {
  return same(a.condition, b.condition) && same(a.then_body, b.then_body) && same(a.else_body, b.else_body);
}
bool same(const Factor& a, const Factor& b) {
  return same(a.value, b.value);
}
bool same(const Return& a, const Return& b) {
  return same(a.value, b.value);
}

bool same(const Const& a, const Const& b) {
  return same(a.name, b.name) && same(a.type, b.type) && same(a.value, b.value);
}
bool same(const Data& a, const Data& b) {
  return same(a.name, b.name) && same(a.type, b.type);
}
bool same(const Function& a, const Function& b) {
  return a.is_net == b.is_net && same(a.name, b.name) && same(a.parameters, b.parameters) &&
         same(a.results, b.results) && same(a.body, b.body);
}
bool same(const Model& a, const Model& b) {
  return same(a.body, b.body);
}
bool same(const Guide& a, const Guide& b) {
  return same(a.body, b.body) && same(a.family, b.family);
}
bool same(const Predict& a, const Predict& b) {
  return same(a.body, b.body);
}

template <class... Alternatives>
bool same_node(const std::variant<Alternatives...>& a, const std::variant<Alternatives...>& b) {
  if (a.index() != b.index())
    return false;
  return std::visit([&](const auto& left) { return same(left, std::get<std::decay_t<decltype(left)>>(b)); },
                    a);
}

bool same(const ExprPtr& a, const ExprPtr& b) {
  if (!a || !b)
    return !a && !b;
  return a == b || same_node(a->node, b->node);
}
bool same(const NamedArgument& a, const NamedArgument& b) {
  return same(a.name, b.name) && same(a.value, b.value);
}
bool same(const Subscript& a, const Subscript& b) {
  return a.kind == b.kind && same(a.element, b.element) && same(a.lower, b.lower) && same(a.upper, b.upper);
}
bool same(const LValue& a, const LValue& b) {
  return same(a.name, b.name) && same(a.subscripts, b.subscripts);
}
bool same(const Choice& a, const Choice& b) {
  return same(a.name, b.name) && same(a.arguments, b.arguments) && same(a.named, b.named);
}
bool same(const Type& a, const Type& b) {
  return a.ragged == b.ragged && a.base == b.base && same(a.lower, b.lower) && same(a.upper, b.upper) &&
         same(a.index_size, b.index_size) && same(a.index_base, b.index_base) && same(a.dims, b.dims);
}
bool same(const Parameter& a, const Parameter& b) {
  return same(a.name, b.name) && same(a.type, b.type);
}
bool same(const Statement& a, const Statement& b) {
  return same_node(a.node, b.node);
}
bool same(const Block& a, const Block& b) {
  return same(a.statements, b.statements);
}
bool same(const Item& a, const Item& b) {
  return same_node(a.node, b.node);
}

} // namespace

bool equal(const ExprPtr& a, const ExprPtr& b) {
  return same(a, b);
}
bool equal(const Type& a, const Type& b) {
  return same(a, b);
}
bool equal(const Statement& a, const Statement& b) {
  return same(a, b);
}
bool equal(const Program& a, const Program& b) {
  return same(a.items, b.items);
}

} // namespace plait::ast
