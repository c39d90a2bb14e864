#include "compiler/program/checker.hpp"
#include "compiler/program/describe.hpp"

#include <cmath>

namespace plait::program {

namespace {

using catalog::SupportKind;

SupportKind support_of(ast::BaseType base) {
  switch (base) {
  case ast::BaseType::positive:
    return SupportKind::positive;
  case ast::BaseType::unit:
    return SupportKind::unit_interval;
  case ast::BaseType::simplex:
    return SupportKind::simplex;
  case ast::BaseType::ordered:
    return SupportKind::ordered;
  case ast::BaseType::positive_ordered:
    return SupportKind::positive_ordered;
  case ast::BaseType::cholesky_corr:
    return SupportKind::cholesky_corr;
  case ast::BaseType::cholesky_cov:
    return SupportKind::cholesky_cov;
  case ast::BaseType::corr: // a correlation matrix is read as a covariance
  case ast::BaseType::cov:
    return SupportKind::covariance;
  case ast::BaseType::bit:
    return SupportKind::bit;
  case ast::BaseType::index:
    return SupportKind::category;
  case ast::BaseType::real:
  case ast::BaseType::integer:
    break;
  }
  return SupportKind::real;
}

Element element_of(ast::BaseType base) {
  switch (base) {
  case ast::BaseType::integer:
    return Element::integer;
  case ast::BaseType::bit:
    return Element::bit;
  case ast::BaseType::index:
    return Element::index;
  default:
    return Element::real;
  }
}

} // namespace

std::optional<Dim> Checker::dim_of(const ExprPtr& expr) const {
  if (auto number = constant_value(expr)) {
    if (*number != std::floor(*number) || std::abs(*number) > 1e15)
      return std::nullopt;
    return Dim::known(static_cast<std::int64_t>(*number));
  }
  if (auto* size = get_if<SizeValue>(expr))
    return size->dim;
  if (auto* convert = get_if<ToReal>(expr))
    return dim_of(convert->operand);
  if (auto* index = get_if<Index>(expr)) {
    auto* name = get_if<Name>(index->base);
    if (!name || index->subscripts.size() != 1 || index->subscripts[0].kind != Subscript::Kind::element)
      return std::nullopt;
    auto size = program_.sizes.find(program_.symbol(name->symbol).name);
    if (size == program_.sizes.end() || size->second.lengths != name->symbol)
      return std::nullopt;
    Dim dim = Dim::ragged(size->first);
    choose_row(dim, index->subscripts[0].element, program_);
    return dim;
  }
  auto* binary = get_if<Binary>(expr);
  if (!binary)
    return std::nullopt;
  auto left = dim_of(binary->left);
  auto right = dim_of(binary->right);
  if (!left || !right)
    return std::nullopt;
  switch (binary->op) {
  case ast::BinaryOp::add:
    return *left + *right;
  case ast::BinaryOp::subtract:
    return *left - *right;
  case ast::BinaryOp::multiply:
    if (right->is_known())
      return scale(*left, right->constant);
    if (left->is_known())
      return scale(*right, left->constant);
    return std::nullopt;
  default:
    return std::nullopt;
  }
}

/// Reports the bare name of ragged lengths, `T` for `T[n]`.
bool Checker::refuse_open_length(const ast::ExprPtr& expr) {
  auto* name = ast::get_if<ast::Name>(expr);
  auto lengths = name ? program_.sizes.find(name->name) : program_.sizes.end();
  if (lengths == program_.sizes.end() || lengths->second.lengths < 0 || find_local(name->name) >= 0)
    return false;
  errors::ragged_size_needs_row(out_, expr->span, name->name, lengths->second.span);
  return true;
}

std::optional<Dim> Checker::check_dim(const ast::ExprPtr& expr) {
  if (refuse_open_length(expr))
    return std::nullopt;
  ExprPtr value = check_expr(expr);
  if (!value)
    return std::nullopt;
  auto dim = dim_of(value);
  if (!dim) {
    errors::not_a_size(out_, expr->span, to_string(value->type));
    return std::nullopt;
  }
  if (dim->is_known() && dim->constant < 1) {
    errors::size_below_one(out_, expr->span, dim->constant);
    return std::nullopt;
  }
  return dim;
}

ExprPtr Checker::size_value(const Dim& dim, Span span) {
  Type type;
  type.element = Element::integer;
  if (dim.is_known())
    return make(Constant{static_cast<double>(dim.constant)}, type, span, {});
  return make(SizeValue{dim}, type, span, {});
}

bool Checker::set_bounds(Type& type, const ast::Type& written) {
  auto check_bound = [&](const ast::ExprPtr& expr, ExprPtr& bound) {
    if (!expr)
      return true;
    bound = check_expr(expr);
    if (!bound)
      return false;
    if (!bound->type.is_scalar()) {
      errors::bound_not_scalar(out_, expr->span, to_string(bound->type));
      return false;
    }
    if (bound->random || bound->learnable) {
      errors::bound_not_fixed(out_, expr->span);
      return false;
    }
    if (type.element == Element::integer && bound->type.element == Element::real) {
      errors::bound_not_integer(out_, expr->span);
      return false;
    }
    if (type.element == Element::real)
      bound = to_real(bound);
    return true;
  };
  bool ok = check_bound(written.lower, type.lower);
  ok = check_bound(written.upper, type.upper) && ok;
  if (!ok || (!type.lower && !type.upper))
    return ok;
  auto lower = constant_value(type.lower);
  auto upper = constant_value(type.upper);
  if (lower && upper && *lower >= *upper && !(type.element == Element::integer && *lower == *upper)) {
    errors::empty_bounds(out_, cover(written.lower->span, written.upper->span), *lower, *upper);
    return false;
  }
  type.support.lower = lower;
  type.support.upper = upper;
  if (type.element == Element::integer) {
    if (lower && *lower == 0)
      type.support.kind = type.upper ? SupportKind::bounded_count : SupportKind::count;
  } else if (type.lower && type.upper) {
    bool unit = lower && upper && *lower == 0 && *upper == 1;
    type.support.kind = unit ? SupportKind::unit_interval : SupportKind::interval;
  } else {
    bool positive = type.lower && lower && *lower == 0;
    type.support.kind = positive     ? SupportKind::positive
                        : type.lower ? SupportKind::greater_than
                                     : SupportKind::less_than;
  }
  if (type.support.kind == SupportKind::positive || type.support.kind == SupportKind::unit_interval ||
      type.support.kind == SupportKind::count)
    type.support.lower = type.support.upper = std::nullopt;
  return true;
}

std::optional<Type> Checker::check_type(const ast::Type& written) {
  Type type;
  type.element = element_of(written.base);
  type.support.kind = support_of(written.base);
  bool ok = set_bounds(type, written);
  if (written.index_size) {
    type.index_size = check_dim(written.index_size);
    ok = ok && type.index_size;
    if (type.index_size && type.index_size->is_known()) {
      type.support.lower = 0;
      type.support.upper = static_cast<double>(type.index_size->constant - 1);
    }
  }
  if (written.index_base) {
    ExprPtr base = check_expr(written.index_base);
    auto number = constant_value(base);
    if (base && (!number || *number != std::floor(*number))) {
      errors::index_base_not_constant(out_, written.index_base->span);
      ok = false;
    }
    type.index_base = number ? static_cast<std::int64_t>(*number) : 0;
    ok = ok && base;
  }
  for (std::size_t i = 0; i < written.dims.size(); ++i) {
    const ast::ExprPtr& expr = written.dims[i];
    auto* name = ast::get_if<ast::Name>(expr);
    if (written.ragged && i == 1 && name) {
      type.dims.push_back(Dim::ragged(name->name));
      continue;
    }
    auto dim = check_dim(expr);
    ok = ok && dim;
    type.dims.push_back(dim.value_or(Dim::known(1)));
  }
  if (!ok)
    return std::nullopt;
  auto needed = static_cast<std::size_t>(catalog::event_rank(type.support.kind));
  if (needed > 0 && type.dims.empty()) {
    errors::type_needs_dimension(out_, written.span, std::string(ast::spelling(written.base)));
    return std::nullopt;
  }
  // A matrix type is written with one size for both of its dimensions.
  if (needed == 2)
    type.dims.push_back(type.dims.back());
  return type;
}

ExprPtr Checker::convert(const ExprPtr& value, const Type& type, const std::string& what) {
  if (!value)
    return nullptr;
  if (value->type.is_tuple()) {
    errors::tuple_as_value(out_, value->span);
    return nullptr;
  }
  Element from = value->type.element;
  if (type.element == Element::real)
    return to_real(value);
  bool fits = false;
  switch (type.element) {
  case Element::integer:
    fits = from != Element::real;
    break;
  case Element::bit:
    fits = from == Element::bit;
    if (auto number = constant_value(value))
      fits = *number == 0 || *number == 1;
    break;
  case Element::index:
    fits = from == Element::integer;
    if (from == Element::index)
      fits = !type.index_size || !value->type.index_size || *type.index_size == *value->type.index_size;
    break;
  case Element::real:
    break;
  }
  if (!fits) {
    errors::wrong_element(out_, value->span, what, to_string(type), to_string(value->type));
    return nullptr;
  }
  return value;
}

bool Checker::check_constant_sum(const ExprPtr& value, const Type& type, const std::string& what) {
  if (type.support.kind != SupportKind::simplex || value->type.dims.size() != 1)
    return true;
  constexpr double tolerance = 1e-6; // as written in decimals: 0.333333 three times
  double sum = 0;
  if (auto* array = get_if<ArrayExpr>(value)) {
    for (ExprPtr element : array->elements) {
      if (auto* convert = get_if<ToReal>(element))
        element = convert->operand;
      const auto number = constant_value(element);
      if (!number)
        return true;
      sum += *number;
    }
  } else if (auto* call = get_if<BuiltinCall>(value); call && call->builtin->kind == BuiltinKind::fill) {
    const auto number = constant_value(call->arguments[0]);
    const auto size = value->type.dims[0].value();
    if (!number || !size)
      return true;
    sum = *number * static_cast<double>(*size);
  } else {
    return true;
  }
  if (std::abs(sum - 1) <= tolerance)
    return true;
  errors::constant_sum(out_, value->span, what, sum);
  return false;
}

bool Checker::check_constant_inside(const ExprPtr& value, const Type& type, const std::string& what) {
  if (auto* array = get_if<ArrayExpr>(value)) {
    for (const ExprPtr& element : array->elements)
      if (!check_constant_inside(element, type, what))
        return false;
    return check_constant_sum(value, type, what);
  }
  if (auto* call = get_if<BuiltinCall>(value); call && call->builtin->kind == BuiltinKind::fill)
    return check_constant_inside(call->arguments[0], type, what) && check_constant_sum(value, type, what);
  if (auto* convert = get_if<ToReal>(value))
    return check_constant_inside(convert->operand, type, what);
  auto number = constant_value(value);
  if (!number)
    return true;
  const catalog::Support& support = type.support;
  bool inside = true;
  switch (support.kind) {
  case SupportKind::positive:
    inside = *number > 0;
    break;
  case SupportKind::unit_interval:
    inside = *number > 0 && *number < 1;
    break;
  case SupportKind::simplex:
    inside = *number >= 0 && *number <= 1;
    break;
  case SupportKind::interval:
  case SupportKind::greater_than:
  case SupportKind::less_than:
    inside = (!support.lower || *number > *support.lower) && (!support.upper || *number < *support.upper);
    break;
  case SupportKind::positive_ordered:
    inside = *number > 0;
    break;
  case SupportKind::bit:
    inside = *number == 0 || *number == 1;
    break;
  case SupportKind::count:
    inside = *number >= 0;
    break;
  case SupportKind::bounded_count:
  case SupportKind::category:
    inside = *number >= 0 && (!support.upper || *number <= *support.upper);
    break;
  default:
    break;
  }
  if (!inside)
    errors::constant_outside_support(out_, value->span, what, *number, support);
  return inside;
}

} // namespace plait::program
