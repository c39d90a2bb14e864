#include "compiler/program/checker.hpp"

#include <cmath>

namespace plait::program {

namespace {

bool is_number(const Type& type) {
  return !type.is_tuple();
}

std::optional<double> fold(ast::BinaryOp op, double a, double b) {
  switch (op) {
  case ast::BinaryOp::add:
    return a + b;
  case ast::BinaryOp::subtract:
    return a - b;
  case ast::BinaryOp::multiply:
    return a * b;
  case ast::BinaryOp::divide:
    return a / b;
  case ast::BinaryOp::power:
    return std::pow(a, b);
  case ast::BinaryOp::equal:
    return a == b;
  case ast::BinaryOp::not_equal:
    return a != b;
  case ast::BinaryOp::less:
    return a < b;
  case ast::BinaryOp::less_equal:
    return a <= b;
  case ast::BinaryOp::greater:
    return a > b;
  case ast::BinaryOp::greater_equal:
    return a >= b;
  case ast::BinaryOp::logical_and:
    return a != 0 && b != 0;
  case ast::BinaryOp::logical_or:
    return a != 0 || b != 0;
  case ast::BinaryOp::matrix_product:
    break;
  }
  return std::nullopt;
}

bool is_comparison(ast::BinaryOp op) {
  return op >= ast::BinaryOp::equal && op <= ast::BinaryOp::greater_equal;
}
bool is_logical(ast::BinaryOp op) {
  return op == ast::BinaryOp::logical_and || op == ast::BinaryOp::logical_or;
}

Type bit_type(std::vector<Dim> dims) {
  Type type;
  type.element = Element::bit;
  type.support.kind = catalog::SupportKind::bit;
  type.dims = std::move(dims);
  return type;
}

} // namespace

ExprPtr Checker::make(Expr::Node node, Type type, Span span, const std::vector<ExprPtr>& parts) {
  auto made = std::make_shared<Expr>();
  made->node = std::move(node);
  made->type = std::move(type);
  made->span = span;
  for (const ExprPtr& part : parts) {
    made->varies = unite(made->varies, part->varies);
    made->random |= part->random;
    made->learnable |= part->learnable;
  }
  return made;
}

ExprPtr Checker::check_expr(const ast::ExprPtr& expr) {
  if (!expr)
    return nullptr;
  struct Dispatch {
    Checker& self;
    Span span;
    ExprPtr operator()(const ast::Number& node) { return self.check_number(node, span); }
    ExprPtr operator()(const ast::Name& node) { return self.check_name(node.name, span); }
    ExprPtr operator()(const ast::Unary& node) { return self.check_unary(node, span); }
    ExprPtr operator()(const ast::Binary& node) { return self.check_binary(node, span); }
    ExprPtr operator()(const ast::Call& node) { return self.check_call(node, span); }
    ExprPtr operator()(const ast::Index& node) { return self.check_index(node, span); }
    ExprPtr operator()(const ast::TupleExpr& node) { return self.check_tuple(node, span); }
    ExprPtr operator()(const ast::ArrayLiteral& node) { return self.check_array(node, span); }
    ExprPtr operator()(const ast::Conditional& node) { return self.check_conditional(node, span); }
  };
  return std::visit(Dispatch{*this, expr->span}, expr->node);
}

ExprPtr Checker::check_scalar_integer(const ast::ExprPtr& expr, const std::string& what) {
  if (refuse_open_length(expr))
    return nullptr;
  ExprPtr value = check_expr(expr);
  if (!value)
    return nullptr;
  if (value->type.is_tuple() || !value->type.is_scalar() || value->type.element == Element::real) {
    errors::needs_integer(out_, expr->span, what, to_string(value->type));
    return nullptr;
  }
  return value;
}

ExprPtr Checker::check_number(const ast::Number& number, Span span) {
  Type type;
  type.element = number.is_integer ? Element::integer : Element::real;
  return make(Constant{number.value}, type, span, {});
}

ExprPtr Checker::to_real(const ExprPtr& value) {
  if (!value || value->type.element == Element::real)
    return value;
  Type type;
  type.dims = value->type.dims;
  if (auto number = constant_value(value))
    return make(Constant{*number}, type, value->span, {});
  return make(ToReal{value}, type, value->span, {value});
}

bool Checker::join_elements(ExprPtr& left, ExprPtr& right) {
  if (left->type.element == Element::real || right->type.element == Element::real) {
    left = to_real(left);
    right = to_real(right);
  }
  return true;
}

bool Checker::join_shapes(const ExprPtr& left, const ExprPtr& right, std::vector<Dim>& dims, Span span) {
  if (left->type.dims == right->type.dims || right->type.is_scalar()) {
    dims = left->type.dims;
    return true;
  }
  if (left->type.is_scalar()) {
    dims = right->type.dims;
    return true;
  }
  errors::shapes_disagree(out_, span, left->span, to_string(left->type), right->span, to_string(right->type));
  return false;
}

ExprPtr Checker::check_unary(const ast::Unary& unary, Span span) {
  ExprPtr operand = check_expr(unary.operand);
  if (!operand)
    return nullptr;
  if (!is_number(operand->type)) {
    errors::tuple_as_value(out_, operand->span);
    return nullptr;
  }
  if (unary.op == ast::UnaryOp::logical_not) {
    if (operand->type.element != Element::bit) {
      errors::needs_bit(out_, operand->span, "!", to_string(operand->type));
      return nullptr;
    }
    if (auto number = constant_value(operand))
      return make(Constant{*number == 0 ? 1.0 : 0.0}, bit_type({}), span, {});
    return make(Unary{unary.op, operand}, bit_type(operand->type.dims), span, {operand});
  }
  Type type;
  type.element = operand->type.element == Element::real ? Element::real : Element::integer;
  type.dims = operand->type.dims;
  if (auto number = constant_value(operand))
    return make(Constant{-*number}, type, span, {});
  return make(Unary{unary.op, operand}, type, span, {operand});
}

ExprPtr Checker::check_matrix_product(const ExprPtr& left, const ExprPtr& right, Span span) {
  const auto& a = left->type.dims;
  const auto& b = right->type.dims;
  if (guesses_ && (a.empty() || b.empty())) {
    Type type;
    if (a.size() == 2)
      type.dims = {a.front()};
    else if (b.size() == 2)
      type.dims = {b.back()};
    return make(Binary{ast::BinaryOp::matrix_product, left, right}, type, span, {left, right});
  }
  if (a.size() == 1 && b.size() == 1) {
    errors::matrix_product_of_vectors(out_, span, to_string(left->type), to_string(right->type));
    return nullptr;
  }
  if (a.empty() || b.empty() || a.size() > 2 || b.size() > 2 || !(a.back() == b.front())) {
    errors::matrix_shapes_disagree(out_, span, left->span, to_string(left->type), right->span,
                                   to_string(right->type));
    return nullptr;
  }
  Type type;
  type.dims.assign(a.begin(), a.end() - 1);
  type.dims.insert(type.dims.end(), b.begin() + 1, b.end());
  return make(Binary{ast::BinaryOp::matrix_product, left, right}, type, span, {left, right});
}

ExprPtr Checker::check_binary(const ast::Binary& binary, Span span) {
  ExprPtr left = check_expr(binary.left);
  ExprPtr right = check_expr(binary.right);
  if (!left || !right)
    return nullptr;
  for (const ExprPtr& side : {left, right})
    if (!is_number(side->type)) {
      errors::tuple_as_value(out_, side->span);
      return nullptr;
    }
  if (binary.op == ast::BinaryOp::matrix_product)
    return check_matrix_product(to_real(left), to_real(right), span);
  if (is_logical(binary.op))
    for (const ExprPtr& side : {left, right})
      if (side->type.element != Element::bit) {
        errors::needs_bit(out_, side->span, ast::spelling(binary.op), to_string(side->type));
        return nullptr;
      }
  std::vector<Dim> dims;
  if (!join_shapes(left, right, dims, span))
    return nullptr;

  bool integers = left->type.element != Element::real && right->type.element != Element::real;
  auto a = constant_value(left);
  auto b = constant_value(right);
  Type type;
  type.dims = dims;
  if (is_comparison(binary.op) || is_logical(binary.op)) {
    type = bit_type(dims);
    join_elements(left, right);
  } else if (binary.op == ast::BinaryOp::divide || binary.op == ast::BinaryOp::power) {
    bool whole = binary.op == ast::BinaryOp::power && integers && a && b && *b >= 0;
    type.element = whole ? Element::integer : Element::real;
    left = to_real(left);
    right = to_real(right);
  } else {
    type.element = integers ? Element::integer : Element::real;
    join_elements(left, right);
  }
  if (a && b)
    if (auto number = fold(binary.op, *a, *b)) {
      if (!std::isfinite(*number)) {
        errors::constant_not_finite(out_, span, *number);
        return nullptr;
      }
      return make(Constant{*number}, type, span, {});
    }
  return make(Binary{binary.op, left, right}, type, span, {left, right});
}

ExprPtr Checker::check_conditional(const ast::Conditional& conditional, Span span) {
  ExprPtr condition = check_expr(conditional.condition);
  ++guards_;
  ExprPtr first = check_expr(conditional.then_value);
  ExprPtr second = check_expr(conditional.else_value);
  --guards_;
  if (!condition || !first || !second)
    return nullptr;
  for (const ExprPtr& side : {first, second})
    if (side->type.is_tuple()) {
      errors::tuple_as_value(out_, side->span);
      return nullptr;
    }
  if (condition->type.is_tuple() || condition->type.element != Element::bit) {
    errors::needs_bit(out_, condition->span, "the condition of `? :`", to_string(condition->type));
    return nullptr;
  }
  std::vector<Dim> dims;
  if (!join_shapes(first, second, dims, span))
    return nullptr;
  Type type;
  if (first->type.element == second->type.element) {
    type = first->type;
    type.lower = type.upper = nullptr;
    bool same_index =
        !type.index_size || !second->type.index_size || *type.index_size == *second->type.index_size;
    if (!(type.support == second->type.support) || !same_index) {
      type.support = {};
      if (type.element == Element::index && !same_index) {
        type.element = Element::integer;
        type.index_size.reset();
      }
    }
  } else {
    join_elements(first, second);
    type.element = first->type.element == Element::real ? Element::real : Element::integer;
  }
  type.dims = dims;
  if (!condition->type.is_scalar()) {
    if (type.dims.empty())
      type.dims = condition->type.dims;
    if (!(type.dims == condition->type.dims)) {
      errors::shapes_disagree(out_, span, condition->span, to_string(condition->type), first->span,
                              to_string(type));
      return nullptr;
    }
  }
  if (auto number = constant_value(condition); number && first->type.dims == second->type.dims)
    return *number != 0 ? first : second;
  return make(Select{condition, first, second}, type, span, {condition, first, second});
}

ExprPtr Checker::check_tuple(const ast::TupleExpr& tuple, Span span) {
  Type type;
  std::vector<ExprPtr> elements;
  bool ok = true;
  for (const ast::ExprPtr& element : tuple.elements) {
    ExprPtr value = check_expr(element);
    if (value && value->type.is_tuple()) {
      errors::tuple_as_value(out_, value->span);
      value = nullptr;
    }
    ok = ok && value;
    if (value)
      type.tuple.push_back(value->type);
    elements.push_back(value);
  }
  return ok ? make(TupleExpr{elements}, type, span, elements) : nullptr;
}

ExprPtr Checker::check_array(const ast::ArrayLiteral& array, Span span) {
  std::vector<ExprPtr> elements;
  bool ok = true;
  bool real = false;
  bool integer = false;
  for (const ast::ExprPtr& element : array.elements) {
    ExprPtr value = check_expr(element);
    if (value && value->type.is_tuple()) {
      errors::tuple_as_value(out_, value->span);
      value = nullptr;
    }
    ok = ok && value;
    if (value) {
      real = real || value->type.element == Element::real;
      integer = integer || value->type.element != Element::bit;
    }
    elements.push_back(value);
  }
  if (!ok)
    return nullptr;
  if (elements.empty()) {
    errors::empty_array(out_, span);
    return nullptr;
  }
  for (ExprPtr& element : elements) {
    if (real)
      element = to_real(element);
    if (!(element->type.dims == elements[0]->type.dims)) {
      errors::array_elements_disagree(out_, element->span, to_string(element->type), elements[0]->span,
                                      to_string(elements[0]->type));
      return nullptr;
    }
  }
  Type type = real || integer ? Type{} : bit_type({});
  if (!real && integer)
    type.element = Element::integer;
  type.dims = elements[0]->type.dims;
  type.dims.insert(type.dims.begin(), Dim::known(static_cast<std::int64_t>(elements.size())));
  return make(ArrayExpr{elements}, type, span, elements);
}

} // namespace plait::program
