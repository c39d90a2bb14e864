/** \file
 * Every elementwise op, and the mathematics written with them. `plait::op` holds the rows; the overloaded
 * operators and free functions build nodes.
 */
#pragma once

#include "compiler/tensor_ir/build.hpp"

#include <span>
#include <string_view>

namespace plait::catalog {
/** All rows, sorted by name. */
std::span<const ir::Op* const> ops();
/** By the name the user writes; nullptr when there is none. */
const ir::Op* find_op(std::string_view name);
} // namespace plait::catalog

namespace plait::ir {

// Arithmetic. A double or an int on one side becomes a constant.
Value operator+(Value a, Value b);
Value operator-(Value a, Value b);
Value operator*(Value a, Value b);
Value operator/(Value a, Value b);
Value operator-(Value a);
Value operator+(Value a, double b);
Value operator-(Value a, double b);
Value operator*(Value a, double b);
Value operator/(Value a, double b);
Value operator+(double a, Value b);
Value operator-(double a, Value b);
Value operator*(double a, Value b);
Value operator/(double a, Value b);

Value exp(Value x);
Value log(Value x);
Value log1p(Value x);
Value expm1(Value x);
Value log2(Value x);
Value log10(Value x);
Value sqrt(Value x);
Value square(Value x);
Value abs(Value x);
Value sign(Value x);
Value floor(Value x);
Value ceil(Value x);
Value round(Value x);
Value sin(Value x);
Value cos(Value x);
Value tan(Value x);
Value asin(Value x);
Value acos(Value x);
Value atan(Value x);
Value sinh(Value x);
Value cosh(Value x);
Value tanh(Value x);
Value atanh(Value x);
Value logit(Value p);
Value sigmoid(Value x);
Value softplus(Value x);
Value log_sigmoid(Value x);
Value relu(Value x);
Value log1m_exp(Value x);
Value lgamma(Value x);
Value digamma(Value x);
Value trigamma(Value x);
Value erf(Value x);
Value erfc(Value x);
Value normal_cdf(Value x);
Value normal_log_cdf(Value x);
Value normal_quantile(Value x);
Value pow(Value x, Value y);
Value minimum(Value a, Value b);
Value maximum(Value a, Value b);
Value log_add_exp(Value a, Value b);
Value x_log_y(Value x, Value y); ///< 0 where x is 0
Value stop_gradient(Value x);

/** Log of a standard gamma draw as a differentiable function of alpha: value `log_sample`, d/dalpha implicit.
 */
Value attach_log_gamma_derivative(Value alpha, Value log_sample);

// Comparisons, masks, conversions.
Value less(Value a, Value b);
Value less_equal(Value a, Value b);
Value greater(Value a, Value b);
Value greater_equal(Value a, Value b);
Value equal(Value a, Value b);
Value not_equal(Value a, Value b);
Value logical_and(Value a, Value b);
Value logical_or(Value a, Value b);
Value logical_not(Value a);
Value select(Value mask, Value a, Value b);
Value to_real(Value x);
Value to_integer(Value x);
Value integer_add(Value a, Value b);
Value integer_subtract(Value a, Value b);
Value integer_multiply(Value a, Value b);
Value integer_divide(Value a, Value b);
Value integer_remainder(Value a, Value b);

} // namespace plait::ir
