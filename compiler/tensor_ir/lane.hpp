/** \file
 * The vocabulary in which an op says how it is computed on one SIMD register, without knowing LLVM. Code
 * generation implements LaneBuilder with vector instructions; tests implement it with plain doubles and
 * floats, so that every lowering is checked for accuracy without a JIT.
 */
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace plait::ir {

/** A register of lanes: real numbers, 32-bit integers, 64-bit unsigned words or a mask, as its maker says. */
struct Lane {
  void* handle = nullptr;
};

enum class Comparison : std::uint8_t { equal, not_equal, less, less_equal, greater, greater_equal };

class LaneBuilder {
public:
  virtual ~LaneBuilder() = default;

  virtual bool is_single_precision() const = 0;

  // Real lanes.
  virtual Lane real(double value) = 0;
  virtual Lane add(Lane a, Lane b) = 0;
  virtual Lane subtract(Lane a, Lane b) = 0;
  virtual Lane multiply(Lane a, Lane b) = 0;
  virtual Lane divide(Lane a, Lane b) = 0;
  virtual Lane negate(Lane a) = 0;
  virtual Lane fused_multiply_add(Lane a, Lane b, Lane c) = 0; ///< a * b + c
  virtual Lane square_root(Lane a) = 0;
  virtual Lane absolute(Lane a) = 0;
  virtual Lane floor(Lane a) = 0;
  virtual Lane round_to_even(Lane a) = 0;
  virtual Lane minimum(Lane a, Lane b) = 0; ///< a < b ? a : b, so b when either is NaN
  virtual Lane maximum(Lane a, Lane b) = 0; ///< a > b ? a : b, so b when either is NaN
  virtual Lane compare(Comparison comparison, Lane a,
                       Lane b) = 0; ///< ordered: false when either is NaN, except not_equal

  // Parts of a floating-point number.
  /** a * 2^exponent in one rounding or two, exponent an integral real lane; overflows to infinity, underflows
   * to 0. */
  virtual Lane scale_by_power_of_two(Lane a, Lane exponent) = 0;
  /** e with |a| = m 2^e, 1 <= m < 2, as a real lane, for subnormals too; -inf for 0, inf for infinities, NaN
   * for NaN. */
  virtual Lane exponent_of(Lane a) = 0;
  /** m of the same for a > 0; 1 for 0 and inf, NaN for NaN and negative numbers. */
  virtual Lane mantissa_of(Lane a) = 0;

  // Integer lanes (32 bits).
  virtual Lane integer(std::int32_t value) = 0;
  virtual Lane integer_add(Lane a, Lane b) = 0;
  virtual Lane integer_subtract(Lane a, Lane b) = 0;
  virtual Lane integer_multiply(Lane a, Lane b) = 0;
  virtual Lane integer_divide(Lane a, Lane b) = 0;    ///< truncates; b != 0
  virtual Lane integer_remainder(Lane a, Lane b) = 0; ///< sign of a; b != 0
  virtual Lane integer_compare(Comparison comparison, Lane a, Lane b) = 0;
  virtual Lane to_real(Lane integer) = 0; ///< a mask too: 0 and 1
  virtual Lane to_integer(Lane real) = 0; ///< truncates, saturates, 0 for NaN; a mask too: 0 and 1

  // Masks.
  virtual Lane mask(bool value) = 0;
  virtual Lane mask_and(Lane a, Lane b) = 0;
  virtual Lane mask_or(Lane a, Lane b) = 0;
  virtual Lane mask_not(Lane a) = 0;
  virtual Lane select(Lane mask, Lane a, Lane b) = 0; ///< a and b both real, both integer or both masks
  virtual Lane select_integer(Lane mask, Lane a, Lane b) = 0;
  virtual Lane mask_to_real(Lane mask) = 0;
  virtual Lane mask_to_integer(Lane mask) = 0;

  /** One call of the C function `double name(double, …)` of the runtime for every lane: for functions too
   * rare or too long to vectorize. */
  virtual Lane call_per_lane(std::string_view name, std::span<const Lane> arguments) = 0;
};

} // namespace plait::ir
