/** \file
 * The elementwise op rows by name, grouped as in the files that define them. Passes compare a node's `op`
 * with the address of a row: `node.op == &op::add`.
 */
#pragma once

#include "compiler/tensor_ir/op.hpp"

namespace plait::op {

using ir::Op;

// arithmetic.cpp
extern const Op add, subtract, multiply, divide, negate, abs, sign, square, floor, ceil, round, minimum,
    maximum, relu;
extern const Op integer_add, integer_subtract, integer_multiply;
extern const Op integer_divide;    ///< truncates; 0 where the divisor is 0
extern const Op integer_remainder; ///< sign of the dividend; 0 where the divisor is 0

// comparison.cpp
extern const Op less, less_equal, greater, greater_equal, equal, not_equal;
extern const Op integer_less, integer_less_equal, integer_greater, integer_greater_equal, integer_equal,
    integer_not_equal;
extern const Op logical_and, logical_or, logical_not;
extern const Op select; ///< (boolean, T, T) -> T

// elementary.cpp
extern const Op exp, log, log1p, expm1, log2, log10, sqrt, pow, sin, cos, tan, asin, acos, atan;
extern const Op sinh, cosh, tanh, atanh, logit, sigmoid, softplus, log_sigmoid, log1m_exp, log_add_exp,
    x_log_y;

// special.cpp
extern const Op lgamma, digamma, trigamma;
extern const Op tetragamma; ///< derivative of trigamma
extern const Op erf, erfc, normal_cdf, normal_log_cdf, normal_quantile;
extern const Op inverse_mills; ///< phi(x) / Phi(x): derivative of normal_log_cdf
/** (alpha, log_sample): log_sample, the log of a standard gamma draw, as a function of alpha at a fixed level
 * of its distribution function. */
extern const Op log_gamma_draw;
extern const Op log_gamma_sample_derivative; ///< (alpha, log x): d log x / d alpha at that fixed level

// conversion.cpp
extern const Op to_real, to_integer, stop_gradient;

} // namespace plait::op
