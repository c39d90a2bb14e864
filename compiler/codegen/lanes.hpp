/** \file
 * Lanes as LLVM vectors: the LaneBuilder of generated code.
 *
 * A real lane is <W x float> or <W x double>, an integer lane <W x i32>, a mask <W x i1>; with W = 1 they are
 * the scalar types. Instructions go where the IRBuilder stands; no block is opened.
 */
#pragma once

#include "compiler/codegen/target.hpp"
#include "compiler/tensor_ir/op.hpp"

#include <span>
#include <string_view>

namespace llvm {
class IRBuilderBase;
class Type;
class Value;
} // namespace llvm

namespace plait::codegen {

using ir::Comparison;
using ir::Lane;

class LlvmLanes final : public ir::LaneBuilder {
public:
  LlvmLanes(llvm::IRBuilderBase& builder, const Target& target, int width, bool single_precision);

  llvm::IRBuilderBase& builder() const { return *builder_; }
  int width() const { return width_; }
  llvm::Type* real_type() const { return real_type_; }       ///< float, double or a vector of them
  llvm::Type* integer_type() const { return integer_type_; } ///< i32 or a vector of it
  llvm::Type* mask_type() const { return mask_type_; }       ///< i1 or a vector of it

  static Lane wrap(llvm::Value* value) { return Lane{value}; }
  static llvm::Value* value(Lane lane) { return static_cast<llvm::Value*>(lane.handle); }
  /** A scalar in every lane; vectors pass. */
  llvm::Value* splat(llvm::Value* scalar);

  /** The row's lowering. Products and sums of the rows that are mere arithmetic may be contracted to fused
   * operations; inside longer lowerings the arithmetic stays as written, for their error bounds rest on it.
   */
  llvm::Value* apply(const ir::Op& op, std::span<llvm::Value* const> inputs);

  bool is_single_precision() const override { return single_; }
  Lane real(double value) override;
  Lane add(Lane a, Lane b) override;
  Lane subtract(Lane a, Lane b) override;
  Lane multiply(Lane a, Lane b) override;
  Lane divide(Lane a, Lane b) override;
  Lane negate(Lane a) override;
  Lane fused_multiply_add(Lane a, Lane b, Lane c) override;
  Lane square_root(Lane a) override;
  Lane absolute(Lane a) override;
  Lane floor(Lane a) override;
  Lane round_to_even(Lane a) override;
  Lane minimum(Lane a, Lane b) override;
  Lane maximum(Lane a, Lane b) override;
  Lane compare(Comparison comparison, Lane a, Lane b) override;

  Lane scale_by_power_of_two(Lane a, Lane exponent) override;
  Lane exponent_of(Lane a) override;
  Lane mantissa_of(Lane a) override;

  Lane integer(std::int32_t value) override;
  Lane integer_add(Lane a, Lane b) override;
  Lane integer_subtract(Lane a, Lane b) override;
  Lane integer_multiply(Lane a, Lane b) override;
  Lane integer_divide(Lane a, Lane b) override;
  Lane integer_remainder(Lane a, Lane b) override;
  Lane integer_compare(Comparison comparison, Lane a, Lane b) override;
  Lane to_real(Lane integer) override;
  Lane to_integer(Lane real) override;

  Lane mask(bool value) override;
  Lane mask_and(Lane a, Lane b) override;
  Lane mask_or(Lane a, Lane b) override;
  Lane mask_not(Lane a) override;
  Lane select(Lane mask, Lane a, Lane b) override;
  Lane select_integer(Lane mask, Lane a, Lane b) override;
  Lane mask_to_real(Lane mask) override;
  Lane mask_to_integer(Lane mask) override;

  Lane call_per_lane(std::string_view name, std::span<const Lane> arguments) override;

private:
  llvm::Type* vector_of(llvm::Type* element) const;
  /** Whether a register of these lanes can take AVX-512's scale and getexp instructions. */
  bool has_scale_instructions() const;
  /** `a` with subnormals multiplied into the normal range, and the exponent that this added. */
  struct Normalized {
    llvm::Value* value;
    llvm::Value* shift;
  };
  Normalized normalized(Lane a);

  llvm::IRBuilderBase* builder_;
  Target target_;
  int width_;
  bool single_;
  llvm::Type* real_type_;
  llvm::Type* integer_type_;
  llvm::Type* mask_type_;
};

} // namespace plait::codegen
