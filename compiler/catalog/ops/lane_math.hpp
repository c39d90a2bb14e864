/** \file
 * Mathematics on lanes as it reads on paper: operators over LaneBuilder, and the elementary and special
 * functions built with them. Every function is free of branches; error bounds are stated per function in ulp
 * of the result, f32 / f64.
 */
#pragma once

#include "compiler/tensor_ir/lane.hpp"

#include <cstddef>
#include <initializer_list>
#include <span>

namespace plait::lane {

using ir::Comparison;
using ir::Lane;
using ir::LaneBuilder;

class Mask {
public:
  Mask(LaneBuilder& builder, Lane lane) : builder_(&builder), lane_(lane) {}
  LaneBuilder& builder() const { return *builder_; }
  Lane lane() const { return lane_; }

private:
  LaneBuilder* builder_;
  Lane lane_;
};

/** A real lane that knows its builder. Cheap to copy. */
class Real {
public:
  Real(LaneBuilder& builder, Lane lane) : builder_(&builder), lane_(lane) {}
  LaneBuilder& builder() const { return *builder_; }
  Lane lane() const { return lane_; }
  /** A constant of the same width and precision. */
  Real constant(double value) const { return {*builder_, builder_->real(value)}; }
  bool is_single_precision() const { return builder_->is_single_precision(); }

private:
  LaneBuilder* builder_;
  Lane lane_;
};

inline Real operator+(Real a, Real b) {
  return {a.builder(), a.builder().add(a.lane(), b.lane())};
}
inline Real operator-(Real a, Real b) {
  return {a.builder(), a.builder().subtract(a.lane(), b.lane())};
}
inline Real operator*(Real a, Real b) {
  return {a.builder(), a.builder().multiply(a.lane(), b.lane())};
}
inline Real operator/(Real a, Real b) {
  return {a.builder(), a.builder().divide(a.lane(), b.lane())};
}
inline Real operator-(Real a) {
  return {a.builder(), a.builder().negate(a.lane())};
}
inline Real operator+(Real a, double b) {
  return a + a.constant(b);
}
inline Real operator-(Real a, double b) {
  return a - a.constant(b);
}
inline Real operator*(Real a, double b) {
  return a * a.constant(b);
}
inline Real operator/(Real a, double b) {
  return a / a.constant(b);
}
inline Real operator+(double a, Real b) {
  return b.constant(a) + b;
}
inline Real operator-(double a, Real b) {
  return b.constant(a) - b;
}
inline Real operator*(double a, Real b) {
  return b.constant(a) * b;
}
inline Real operator/(double a, Real b) {
  return b.constant(a) / b;
}

inline Mask compare(Comparison comparison, Real a, Real b) {
  return {a.builder(), a.builder().compare(comparison, a.lane(), b.lane())};
}
inline Mask operator<(Real a, Real b) {
  return compare(Comparison::less, a, b);
}
inline Mask operator<=(Real a, Real b) {
  return compare(Comparison::less_equal, a, b);
}
inline Mask operator>(Real a, Real b) {
  return compare(Comparison::greater, a, b);
}
inline Mask operator>=(Real a, Real b) {
  return compare(Comparison::greater_equal, a, b);
}
inline Mask operator==(Real a, Real b) {
  return compare(Comparison::equal, a, b);
}
inline Mask operator!=(Real a, Real b) {
  return compare(Comparison::not_equal, a, b);
}
inline Mask operator<(Real a, double b) {
  return a < a.constant(b);
}
inline Mask operator<=(Real a, double b) {
  return a <= a.constant(b);
}
inline Mask operator>(Real a, double b) {
  return a > a.constant(b);
}
inline Mask operator>=(Real a, double b) {
  return a >= a.constant(b);
}
inline Mask operator==(Real a, double b) {
  return a == a.constant(b);
}
inline Mask operator!=(Real a, double b) {
  return a != a.constant(b);
}
inline Mask is_nan(Real a) {
  return a != a;
}

inline Mask operator&(Mask a, Mask b) {
  return {a.builder(), a.builder().mask_and(a.lane(), b.lane())};
}
inline Mask operator|(Mask a, Mask b) {
  return {a.builder(), a.builder().mask_or(a.lane(), b.lane())};
}
inline Mask operator!(Mask a) {
  return {a.builder(), a.builder().mask_not(a.lane())};
}

inline Real select(Mask mask, Real a, Real b) {
  return {a.builder(), a.builder().select(mask.lane(), a.lane(), b.lane())};
}
inline Real select(Mask mask, Real a, double b) {
  return select(mask, a, a.constant(b));
}
inline Real select(Mask mask, double a, Real b) {
  return select(mask, b.constant(a), b);
}

/** a * b + c in one rounding. */
inline Real fma(Real a, Real b, Real c) {
  return {a.builder(), a.builder().fused_multiply_add(a.lane(), b.lane(), c.lane())};
}
inline Real fma(Real a, double b, Real c) {
  return fma(a, a.constant(b), c);
}
inline Real fma(Real a, Real b, double c) {
  return fma(a, b, a.constant(c));
}
inline Real fma(Real a, double b, double c) {
  return fma(a, a.constant(b), a.constant(c));
}

inline Real abs(Real a) {
  return {a.builder(), a.builder().absolute(a.lane())};
}
inline Real floor(Real a) {
  return {a.builder(), a.builder().floor(a.lane())};
}
inline Real round_to_even(Real a) {
  return {a.builder(), a.builder().round_to_even(a.lane())};
}
inline Real square_root(Real a) {
  return {a.builder(), a.builder().square_root(a.lane())};
}
inline Real minimum(Real a, Real b) {
  return {a.builder(), a.builder().minimum(a.lane(), b.lane())};
}
inline Real maximum(Real a, Real b) {
  return {a.builder(), a.builder().maximum(a.lane(), b.lane())};
}
inline Real scale_by_power_of_two(Real a, Real exponent) {
  return {a.builder(), a.builder().scale_by_power_of_two(a.lane(), exponent.lane())};
}

// Elementary functions: elementary_lanes.cpp.
Real exp(Real x);
Real expm1(Real x);
Real log(Real x);
Real log1p(Real x);
Real pow(Real x, Real y);
Real sin(Real x);
Real cos(Real x);
Real tan(Real x);
Real asin(Real x);
Real acos(Real x);
Real atan(Real x);
Real sinh(Real x);
Real cosh(Real x);
Real tanh(Real x);
Real atanh(Real x);
Real logit(Real p);
Real sigmoid(Real x);
Real softplus(Real x);
Real log1m_exp(Real x);
Real log_add_exp(Real a, Real b);
/** sin(2 pi w) for |w| <= 1/4. */
Real sin_of_turns(Real w);
/** cos(2 pi u) for u in [0, 1]. */
Real cos_of_turns(Real u);

// Special functions: special_lanes.cpp.
Real lgamma(Real x);
Real digamma(Real x);
Real trigamma(Real x);
Real tetragamma(Real x);
Real erf(Real x);
Real erfc(Real x);
Real normal_cdf(Real x);
Real normal_log_cdf(Real x);
Real inverse_mills(Real x);
Real normal_quantile(Real p);

} // namespace plait::lane
