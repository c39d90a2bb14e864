/** \file
 * The parts that elementary and special functions on lanes share.
 */
#pragma once

#include "compiler/catalog/ops/lane_math.hpp"

#include <limits>
#include <span>

namespace plait::lane {

inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
inline constexpr double infinity = std::numeric_limits<double>::infinity();

/** Sum of coefficients[k] x^k by Horner's rule, with the coefficients for the lanes' precision. */
Real polynomial(Real x, std::span<const double> single, std::span<const double> precise);

/** e^x for x <= 0. */
Real exp_of_nonpositive(Real x);

/** e^x and e^x - 1 for x <= 0, each to its own relative precision. */
struct ExpAndExpm1 {
  Real exp, expm1;
};
ExpAndExpm1 exp_and_expm1_of_nonpositive(Real x);

/** log(u) where u rounds 1 + difference: keeps the digits of the difference where u is near one. */
Real log_near_one(Real u, Real difference);

/** log(1 + y) for 0 <= y <= 1. */
Real log1p_of_unit(Real y);

} // namespace plait::lane
