#include "compiler/catalog/ops.hpp"

#include "compiler/catalog/ops/rows.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace plait::catalog {

namespace {

constexpr std::array<const ir::Op*, 75> rows = {
    &op::abs,
    &op::acos,
    &op::add,
    &op::asin,
    &op::atan,
    &op::atanh,
    &op::ceil,
    &op::cos,
    &op::cosh,
    &op::digamma,
    &op::divide,
    &op::equal,
    &op::erf,
    &op::erfc,
    &op::exp,
    &op::expm1,
    &op::floor,
    &op::greater,
    &op::greater_equal,
    &op::integer_add,
    &op::integer_divide,
    &op::integer_equal,
    &op::integer_greater,
    &op::integer_greater_equal,
    &op::integer_less,
    &op::integer_less_equal,
    &op::integer_multiply,
    &op::integer_not_equal,
    &op::integer_remainder,
    &op::integer_subtract,
    &op::inverse_mills,
    &op::less,
    &op::less_equal,
    &op::lgamma,
    &op::log,
    &op::log10,
    &op::log1m_exp,
    &op::log1p,
    &op::log2,
    &op::log_add_exp,
    &op::log_gamma_draw,
    &op::log_gamma_sample_derivative,
    &op::log_sigmoid,
    &op::logical_and,
    &op::logical_not,
    &op::logical_or,
    &op::logit,
    &op::maximum,
    &op::minimum,
    &op::multiply,
    &op::negate,
    &op::normal_cdf,
    &op::normal_log_cdf,
    &op::normal_quantile,
    &op::not_equal,
    &op::pow,
    &op::relu,
    &op::round,
    &op::select,
    &op::sigmoid,
    &op::sign,
    &op::sin,
    &op::sinh,
    &op::softplus,
    &op::sqrt,
    &op::square,
    &op::stop_gradient,
    &op::subtract,
    &op::tan,
    &op::tanh,
    &op::tetragamma,
    &op::to_integer,
    &op::to_real,
    &op::trigamma,
    &op::x_log_y,
};

/** Rows that only derivatives and samplers write: they have no derivative of their own to offer a user. */
bool is_internal(const ir::Op& op) {
  return &op == &op::tetragamma || &op == &op::log_gamma_draw || &op == &op::log_gamma_sample_derivative;
}

} // namespace

std::span<const ir::Op* const> ops() {
  return rows;
}

const ir::Op* find_op(std::string_view name) {
  const auto found =
      std::lower_bound(rows.begin(), rows.end(), name,
                       [](const ir::Op* row, std::string_view wanted) { return row->name < wanted; });
  return found != rows.end() && (*found)->name == name && !is_internal(**found) ? *found : nullptr;
}

} // namespace plait::catalog

namespace plait::ir {

namespace {

bool is_integer(Value x) {
  return x.type().element == Element::integer;
}
bool are_integers(Value a, Value b) {
  return is_integer(a) && is_integer(b);
}

/** Reals as they are; integers and booleans converted. */
Value as_real(Value x) {
  return x.type().element == Element::real ? x : to_real(x);
}
Value as_integer(Value x) {
  return is_integer(x) ? x : to_integer(x);
}

Value apply(const Op& op, Value x) {
  return x.builder().map(op, {as_real(x)});
}
Value apply(const Op& op, Value a, Value b) {
  return a.builder().map(op, {as_real(a), as_real(b)});
}
Value apply_integer(const Op& op, Value a, Value b) {
  return a.builder().map(op, {as_integer(a), as_integer(b)});
}

/** The integer row when both inputs are integers or booleans, else the real row. */
Value apply_either(const Op& integer_op, const Op& real_op, Value a, Value b) {
  const bool integers = a.type().element != Element::real && b.type().element != Element::real;
  return integers ? apply_integer(integer_op, a, b) : apply(real_op, a, b);
}

} // namespace

Value operator+(Value a, Value b) {
  return apply_either(op::integer_add, op::add, a, b);
}
Value operator-(Value a, Value b) {
  return apply_either(op::integer_subtract, op::subtract, a, b);
}
Value operator*(Value a, Value b) {
  return apply_either(op::integer_multiply, op::multiply, a, b);
}
Value operator/(Value a, Value b) {
  return apply(op::divide, a, b);
}
Value operator-(Value a) {
  return is_integer(a) ? integer_subtract(a.builder().integer(0), a) : apply(op::negate, a);
}
Value operator+(Value a, double b) {
  return a + a.builder().real(b);
}
Value operator-(Value a, double b) {
  return a - a.builder().real(b);
}
Value operator*(Value a, double b) {
  return a * a.builder().real(b);
}
Value operator/(Value a, double b) {
  return a / a.builder().real(b);
}
Value operator+(double a, Value b) {
  return b.builder().real(a) + b;
}
Value operator-(double a, Value b) {
  return b.builder().real(a) - b;
}
Value operator*(double a, Value b) {
  return b.builder().real(a) * b;
}
Value operator/(double a, Value b) {
  return b.builder().real(a) / b;
}

Value exp(Value x) {
  return apply(op::exp, x);
}
Value log(Value x) {
  return apply(op::log, x);
}
Value log1p(Value x) {
  return apply(op::log1p, x);
}
Value expm1(Value x) {
  return apply(op::expm1, x);
}
Value sqrt(Value x) {
  return apply(op::sqrt, x);
}
Value log2(Value x) {
  return apply(op::log2, x);
}
Value log10(Value x) {
  return apply(op::log10, x);
}
Value ceil(Value x) {
  return apply(op::ceil, x);
}
Value round(Value x) {
  return apply(op::round, x);
}
Value asin(Value x) {
  return apply(op::asin, x);
}
Value acos(Value x) {
  return apply(op::acos, x);
}
Value sinh(Value x) {
  return apply(op::sinh, x);
}
Value cosh(Value x) {
  return apply(op::cosh, x);
}
Value atanh(Value x) {
  return apply(op::atanh, x);
}
Value logit(Value x) {
  return apply(op::logit, x);
}
Value erfc(Value x) {
  return apply(op::erfc, x);
}
Value sign(Value x) {
  return apply(op::sign, x);
}
Value floor(Value x) {
  return apply(op::floor, x);
}
Value sin(Value x) {
  return apply(op::sin, x);
}
Value cos(Value x) {
  return apply(op::cos, x);
}
Value tan(Value x) {
  return apply(op::tan, x);
}
Value atan(Value x) {
  return apply(op::atan, x);
}
Value tanh(Value x) {
  return apply(op::tanh, x);
}
Value sigmoid(Value x) {
  return apply(op::sigmoid, x);
}
Value softplus(Value x) {
  return apply(op::softplus, x);
}
Value log_sigmoid(Value x) {
  return apply(op::log_sigmoid, x);
}
Value relu(Value x) {
  return apply(op::relu, x);
}
Value log1m_exp(Value x) {
  return apply(op::log1m_exp, x);
}
Value lgamma(Value x) {
  return apply(op::lgamma, x);
}
Value digamma(Value x) {
  return apply(op::digamma, x);
}
Value trigamma(Value x) {
  return apply(op::trigamma, x);
}
Value erf(Value x) {
  return apply(op::erf, x);
}
Value normal_cdf(Value x) {
  return apply(op::normal_cdf, x);
}
Value normal_log_cdf(Value x) {
  return apply(op::normal_log_cdf, x);
}
Value normal_quantile(Value x) {
  return apply(op::normal_quantile, x);
}
Value stop_gradient(Value x) {
  return apply(op::stop_gradient, x);
}
Value pow(Value x, Value y) {
  return apply(op::pow, x, y);
}
Value log_add_exp(Value a, Value b) {
  return apply(op::log_add_exp, a, b);
}
Value x_log_y(Value x, Value y) {
  return apply(op::x_log_y, x, y);
}

Value square(Value x) {
  return is_integer(x) ? integer_multiply(x, x) : apply(op::square, x);
}
Value abs(Value x) {
  return is_integer(x) ? select(less(x, x.builder().integer(0)), -x, x) : apply(op::abs, x);
}
Value minimum(Value a, Value b) {
  return are_integers(a, b) ? select(less(a, b), a, b) : apply(op::minimum, a, b);
}
Value maximum(Value a, Value b) {
  return are_integers(a, b) ? select(greater(a, b), a, b) : apply(op::maximum, a, b);
}

Value attach_log_gamma_derivative(Value alpha, Value log_sample) {
  return apply(op::log_gamma_draw, alpha, log_sample);
}

Value less(Value a, Value b) {
  return apply_either(op::integer_less, op::less, a, b);
}
Value less_equal(Value a, Value b) {
  return apply_either(op::integer_less_equal, op::less_equal, a, b);
}
Value greater(Value a, Value b) {
  return apply_either(op::integer_greater, op::greater, a, b);
}
Value greater_equal(Value a, Value b) {
  return apply_either(op::integer_greater_equal, op::greater_equal, a, b);
}
Value equal(Value a, Value b) {
  return apply_either(op::integer_equal, op::equal, a, b);
}
Value not_equal(Value a, Value b) {
  return apply_either(op::integer_not_equal, op::not_equal, a, b);
}
Value logical_and(Value a, Value b) {
  return a.builder().map(op::logical_and, {a, b});
}
Value logical_or(Value a, Value b) {
  return a.builder().map(op::logical_or, {a, b});
}
Value logical_not(Value a) {
  return a.builder().map(op::logical_not, {a});
}
Value select(Value mask, Value a, Value b) {
  if (a.type().element != b.type().element) {
    a = as_real(a);
    b = as_real(b);
  }
  return mask.builder().map(op::select, {mask, a, b});
}
Value to_real(Value x) {
  return x.type().element == Element::real ? x : x.builder().map(op::to_real, {x});
}
Value to_integer(Value x) {
  return is_integer(x) ? x : x.builder().map(op::to_integer, {x});
}
Value integer_add(Value a, Value b) {
  return apply_integer(op::integer_add, a, b);
}
Value integer_subtract(Value a, Value b) {
  return apply_integer(op::integer_subtract, a, b);
}
Value integer_multiply(Value a, Value b) {
  return apply_integer(op::integer_multiply, a, b);
}
Value integer_divide(Value a, Value b) {
  return apply_integer(op::integer_divide, a, b);
}
Value integer_remainder(Value a, Value b) {
  return apply_integer(op::integer_remainder, a, b);
}

} // namespace plait::ir
