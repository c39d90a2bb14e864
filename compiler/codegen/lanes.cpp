#include "compiler/codegen/lanes.hpp"

#include "compiler/catalog/ops/rows.hpp"

#include <llvm/ADT/SmallVector.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/IntrinsicsX86.h>
#include <llvm/IR/Module.h>

#include <limits>

namespace plait::codegen {

namespace {

using llvm::Intrinsic::ID;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

llvm::CmpInst::Predicate real_predicate(Comparison comparison) {
  switch (comparison) {
  case Comparison::equal:
    return llvm::CmpInst::FCMP_OEQ;
  case Comparison::not_equal:
    return llvm::CmpInst::FCMP_UNE;
  case Comparison::less:
    return llvm::CmpInst::FCMP_OLT;
  case Comparison::less_equal:
    return llvm::CmpInst::FCMP_OLE;
  case Comparison::greater:
    return llvm::CmpInst::FCMP_OGT;
  case Comparison::greater_equal:
    break;
  }
  return llvm::CmpInst::FCMP_OGE;
}

llvm::CmpInst::Predicate integer_predicate(Comparison comparison) {
  switch (comparison) {
  case Comparison::equal:
    return llvm::CmpInst::ICMP_EQ;
  case Comparison::not_equal:
    return llvm::CmpInst::ICMP_NE;
  case Comparison::less:
    return llvm::CmpInst::ICMP_SLT;
  case Comparison::less_equal:
    return llvm::CmpInst::ICMP_SLE;
  case Comparison::greater:
    return llvm::CmpInst::ICMP_SGT;
  case Comparison::greater_equal:
    break;
  }
  return llvm::CmpInst::ICMP_SGE;
}

/** AVX-512 intrinsics of one operation by register width; `bits` is 128, 256 or 512. */
struct ByWidth {
  ID single_128, single_256, single_512, double_128, double_256, double_512;
  ID at(int bits, bool single) const {
    if (single)
      return bits == 512 ? single_512 : bits == 256 ? single_256 : single_128;
    return bits == 512 ? double_512 : bits == 256 ? double_256 : double_128;
  }
};

constexpr ByWidth scalef = {
    llvm::Intrinsic::x86_avx512_mask_scalef_ps_128, llvm::Intrinsic::x86_avx512_mask_scalef_ps_256,
    llvm::Intrinsic::x86_avx512_mask_scalef_ps_512, llvm::Intrinsic::x86_avx512_mask_scalef_pd_128,
    llvm::Intrinsic::x86_avx512_mask_scalef_pd_256, llvm::Intrinsic::x86_avx512_mask_scalef_pd_512};
constexpr ByWidth getexp = {
    llvm::Intrinsic::x86_avx512_mask_getexp_ps_128, llvm::Intrinsic::x86_avx512_mask_getexp_ps_256,
    llvm::Intrinsic::x86_avx512_mask_getexp_ps_512, llvm::Intrinsic::x86_avx512_mask_getexp_pd_128,
    llvm::Intrinsic::x86_avx512_mask_getexp_pd_256, llvm::Intrinsic::x86_avx512_mask_getexp_pd_512};
constexpr ByWidth getmant = {
    llvm::Intrinsic::x86_avx512_mask_getmant_ps_128, llvm::Intrinsic::x86_avx512_mask_getmant_ps_256,
    llvm::Intrinsic::x86_avx512_mask_getmant_ps_512, llvm::Intrinsic::x86_avx512_mask_getmant_pd_128,
    llvm::Intrinsic::x86_avx512_mask_getmant_pd_256, llvm::Intrinsic::x86_avx512_mask_getmant_pd_512};

/** Calls an AVX-512 intrinsic `(operands…, passthrough, full mask[, rounding])`. A scalar is computed in the
 * low lane of a 128-bit register. */
llvm::Value* call_avx512(llvm::IRBuilderBase& builder, const ByWidth& operation, bool single, int width,
                         llvm::ArrayRef<llvm::Value*> operands) {
  llvm::Type* element = single ? builder.getFloatTy() : builder.getDoubleTy();
  const int lanes = width == 1 ? (single ? 4 : 2) : width;
  const int bits = lanes * (single ? 32 : 64);
  auto* type = llvm::FixedVectorType::get(element, static_cast<unsigned>(lanes));
  llvm::SmallVector<llvm::Value*, 6> arguments;
  for (llvm::Value* operand : operands) {
    const bool widen = width == 1 && operand->getType()->isFloatingPointTy();
    arguments.push_back(
        widen ? builder.CreateInsertElement(llvm::Constant::getNullValue(type), operand, std::uint64_t{0})
              : operand);
  }
  arguments.push_back(llvm::Constant::getNullValue(type));
  llvm::Type* mask = lanes == 16 ? builder.getInt16Ty() : builder.getInt8Ty();
  arguments.push_back(llvm::Constant::getAllOnesValue(mask));
  if (bits == 512)
    arguments.push_back(builder.getInt32(4)); // rounding as the machine is set
  llvm::Value* result = builder.CreateIntrinsic(type, operation.at(bits, single), arguments);
  return width == 1 ? builder.CreateExtractElement(result, std::uint64_t{0}) : result;
}

bool is_mere_arithmetic(const ir::Op& op) {
  return &op == &op::add || &op == &op::subtract || &op == &op::multiply || &op == &op::negate ||
         &op == &op::square;
}

} // namespace

LlvmLanes::LlvmLanes(llvm::IRBuilderBase& builder, const Target& target, int width, bool single_precision)
    : builder_(&builder), target_(target), width_(width), single_(single_precision),
      real_type_(vector_of(single_precision ? builder.getFloatTy() : builder.getDoubleTy())),
      integer_type_(vector_of(builder.getInt32Ty())), mask_type_(vector_of(builder.getInt1Ty())) {}

llvm::Type* LlvmLanes::vector_of(llvm::Type* element) const {
  return width_ == 1 ? element : llvm::FixedVectorType::get(element, static_cast<unsigned>(width_));
}

bool LlvmLanes::has_scale_instructions() const {
  const int bits = width_ * (single_ ? 32 : 64);
  return target_.has_avx512 && (width_ == 1 || bits == 128 || bits == 256 || bits == 512);
}

llvm::Value* LlvmLanes::splat(llvm::Value* scalar) {
  if (width_ == 1 || scalar->getType()->isVectorTy())
    return scalar;
  return builder_->CreateVectorSplat(static_cast<unsigned>(width_), scalar);
}

llvm::Value* LlvmLanes::apply(const ir::Op& op, std::span<llvm::Value* const> inputs) {
  const llvm::IRBuilderBase::FastMathFlagGuard guard(*builder_);
  llvm::FastMathFlags flags;
  flags.setAllowContract(is_mere_arithmetic(op));
  builder_->setFastMathFlags(flags);
  llvm::SmallVector<Lane, 4> lanes;
  for (llvm::Value* input : inputs)
    lanes.push_back(wrap(input));
  return value(op.lower.get()(*this, std::span<const Lane>(lanes.data(), lanes.size())));
}

Lane LlvmLanes::real(double value) {
  return wrap(llvm::ConstantFP::get(real_type_, value));
}
Lane LlvmLanes::add(Lane a, Lane b) {
  return wrap(builder_->CreateFAdd(value(a), value(b)));
}
Lane LlvmLanes::subtract(Lane a, Lane b) {
  return wrap(builder_->CreateFSub(value(a), value(b)));
}
Lane LlvmLanes::multiply(Lane a, Lane b) {
  return wrap(builder_->CreateFMul(value(a), value(b)));
}
Lane LlvmLanes::divide(Lane a, Lane b) {
  return wrap(builder_->CreateFDiv(value(a), value(b)));
}
Lane LlvmLanes::negate(Lane a) {
  return wrap(builder_->CreateFNeg(value(a)));
}

Lane LlvmLanes::fused_multiply_add(Lane a, Lane b, Lane c) {
  return wrap(builder_->CreateIntrinsic(real_type_, llvm::Intrinsic::fma, {value(a), value(b), value(c)}));
}
Lane LlvmLanes::square_root(Lane a) {
  return wrap(builder_->CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, value(a)));
}
Lane LlvmLanes::absolute(Lane a) {
  return wrap(builder_->CreateUnaryIntrinsic(llvm::Intrinsic::fabs, value(a)));
}
Lane LlvmLanes::floor(Lane a) {
  return wrap(builder_->CreateUnaryIntrinsic(llvm::Intrinsic::floor, value(a)));
}
Lane LlvmLanes::round_to_even(Lane a) {
  return wrap(builder_->CreateUnaryIntrinsic(llvm::Intrinsic::roundeven, value(a)));
}

// Exactly what x86's minps and maxps do: one instruction.
Lane LlvmLanes::minimum(Lane a, Lane b) {
  return select(compare(Comparison::less, a, b), a, b);
}
Lane LlvmLanes::maximum(Lane a, Lane b) {
  return select(compare(Comparison::greater, a, b), a, b);
}

Lane LlvmLanes::compare(Comparison comparison, Lane a, Lane b) {
  return wrap(builder_->CreateFCmp(real_predicate(comparison), value(a), value(b)));
}

Lane LlvmLanes::scale_by_power_of_two(Lane a, Lane exponent) {
  if (has_scale_instructions())
    return wrap(call_avx512(*builder_, scalef, single_, width_, {value(a), value(exponent)}));
  // a 2^h 2^(e-h) with h about e/2: both factors are normal numbers for every e that does not already give 0
  // or infinity, so overflow and gradual underflow come from the products themselves.
  const double bound = single_ ? 252 : 2044;
  const Lane bounded = maximum(real(-bound), minimum(real(bound), exponent));
  llvm::Type* bits = vector_of(single_ ? builder_->getInt32Ty() : builder_->getInt64Ty());
  llvm::Value* bias = llvm::ConstantInt::get(bits, single_ ? 127 : 1023);
  llvm::Value* shift = llvm::ConstantInt::get(bits, single_ ? 23 : 52);
  // Adding 1.5 * 2^(fraction bits) leaves the integer in the low bits: one addition, defined for NaN too.
  const double magic = single_ ? 0x1.8p23 : 0x1.8p52;
  llvm::Value* shifted = builder_->CreateBitCast(value(add(bounded, real(magic))), bits);
  llvm::Value* whole = builder_->CreateSub(shifted, builder_->CreateBitCast(value(real(magic)), bits));
  // Half of it, rounded down: the sum with an even offset is positive, so a logical shift does (64-bit lanes
  // have no arithmetic one before AVX-512).
  llvm::Value* offset = llvm::ConstantInt::get(bits, 4096);
  llvm::Value* half = builder_->CreateSub(
      builder_->CreateLShr(builder_->CreateAdd(whole, offset), llvm::ConstantInt::get(bits, 1)),
      llvm::ConstantInt::get(bits, 2048));
  llvm::Value* rest = builder_->CreateSub(whole, half);
  const auto power = [&](llvm::Value* e) {
    return wrap(
        builder_->CreateBitCast(builder_->CreateShl(builder_->CreateAdd(e, bias), shift), real_type_));
  };
  return multiply(multiply(a, power(half)), power(rest));
}

LlvmLanes::Normalized LlvmLanes::normalized(Lane a) {
  const double smallest_normal = single_ ? 0x1p-126 : 0x1p-1022;
  const Lane is_small = compare(Comparison::less, a, real(smallest_normal));
  const int shift = single_ ? 24 : 54;
  const Lane scaled = multiply(a, real(single_ ? 0x1p24 : 0x1p54));
  return {value(select(is_small, scaled, a)), value(select(is_small, real(-shift), real(0)))};
}

Lane LlvmLanes::exponent_of(Lane a) {
  if (has_scale_instructions())
    return wrap(call_avx512(*builder_, getexp, single_, width_, {value(a)}));
  const Normalized normal = normalized(a);
  llvm::Type* bits = vector_of(single_ ? builder_->getInt32Ty() : builder_->getInt64Ty());
  llvm::Value* shift = llvm::ConstantInt::get(bits, single_ ? 23 : 52);
  llvm::Value* mask = llvm::ConstantInt::get(bits, single_ ? 0xFF : 0x7FF);
  llvm::Value* biased =
      builder_->CreateAnd(builder_->CreateLShr(builder_->CreateBitCast(normal.value, bits), shift), mask);
  const Lane unbiased =
      subtract(wrap(builder_->CreateSIToFP(builder_->CreateTrunc(biased, integer_type_), real_type_)),
               real(single_ ? 127 : 1023));
  const Lane exponent = add(unbiased, wrap(normal.shift));
  const Lane magnitude = absolute(a);
  const Lane at_zero = select(compare(Comparison::equal, a, real(0)), real(-infinity), exponent);
  // Infinity and NaN are their own exponents.
  return select(compare(Comparison::less, magnitude, real(infinity)), at_zero, magnitude);
}

Lane LlvmLanes::mantissa_of(Lane a) {
  constexpr int not_a_number_if_negative = 8; // interval [1, 2), sign control 2
  if (has_scale_instructions())
    return wrap(call_avx512(*builder_, getmant, single_, width_,
                            {value(a), builder_->getInt32(not_a_number_if_negative)}));
  const Normalized normal = normalized(a);
  llvm::Type* bits = vector_of(single_ ? builder_->getInt32Ty() : builder_->getInt64Ty());
  const std::uint64_t fraction = single_ ? 0x7FFFFF : 0xFFFFFFFFFFFFF;
  const std::uint64_t one = single_ ? 0x3F800000 : 0x3FF0000000000000;
  llvm::Value* mantissa = builder_->CreateOr(builder_->CreateAnd(builder_->CreateBitCast(normal.value, bits),
                                                                 llvm::ConstantInt::get(bits, fraction)),
                                             llvm::ConstantInt::get(bits, one));
  const Lane finite = wrap(builder_->CreateBitCast(mantissa, real_type_));
  const Lane not_negative = compare(Comparison::greater_equal, a, real(0)); // false for NaN too
  const Lane is_zero = compare(Comparison::equal, a, real(0));
  return select(not_negative, select(is_zero, real(1), finite), real(not_a_number));
}

Lane LlvmLanes::integer(std::int32_t value) {
  return wrap(llvm::ConstantInt::getSigned(integer_type_, value));
}
Lane LlvmLanes::integer_add(Lane a, Lane b) {
  return wrap(builder_->CreateAdd(value(a), value(b)));
}
Lane LlvmLanes::integer_subtract(Lane a, Lane b) {
  return wrap(builder_->CreateSub(value(a), value(b)));
}
Lane LlvmLanes::integer_multiply(Lane a, Lane b) {
  return wrap(builder_->CreateMul(value(a), value(b)));
}

// Through doubles, which hold every 32-bit quotient exactly enough to truncate: vectors have no integer
// division, and it cannot trap (the one quotient that overflows saturates).
Lane LlvmLanes::integer_divide(Lane a, Lane b) {
  llvm::Type* wide = vector_of(builder_->getDoubleTy());
  llvm::Value* quotient =
      builder_->CreateFDiv(builder_->CreateSIToFP(value(a), wide), builder_->CreateSIToFP(value(b), wide));
  return wrap(builder_->CreateIntrinsic(llvm::Intrinsic::fptosi_sat, {integer_type_, wide}, {quotient}));
}
Lane LlvmLanes::integer_remainder(Lane a, Lane b) {
  return integer_subtract(a, integer_multiply(integer_divide(a, b), b));
}

Lane LlvmLanes::integer_compare(Comparison comparison, Lane a, Lane b) {
  return wrap(builder_->CreateICmp(integer_predicate(comparison), value(a), value(b)));
}
Lane LlvmLanes::to_real(Lane integer) {
  if (value(integer)->getType() == mask_type_)
    return mask_to_real(integer);
  return wrap(builder_->CreateSIToFP(value(integer), real_type_));
}
Lane LlvmLanes::to_integer(Lane real) {
  if (value(real)->getType() == mask_type_)
    return mask_to_integer(real);
  return wrap(
      builder_->CreateIntrinsic(llvm::Intrinsic::fptosi_sat, {integer_type_, real_type_}, {value(real)}));
}

Lane LlvmLanes::mask(bool value) {
  return wrap(llvm::ConstantInt::get(mask_type_, value ? 1 : 0));
}
Lane LlvmLanes::mask_and(Lane a, Lane b) {
  return wrap(builder_->CreateAnd(value(a), value(b)));
}
Lane LlvmLanes::mask_or(Lane a, Lane b) {
  return wrap(builder_->CreateOr(value(a), value(b)));
}
Lane LlvmLanes::mask_not(Lane a) {
  return wrap(builder_->CreateNot(value(a)));
}
Lane LlvmLanes::select(Lane mask, Lane a, Lane b) {
  return wrap(builder_->CreateSelect(value(mask), value(a), value(b)));
}
Lane LlvmLanes::select_integer(Lane mask, Lane a, Lane b) {
  return select(mask, a, b);
}
Lane LlvmLanes::mask_to_real(Lane mask) {
  return select(mask, real(1), real(0));
}
Lane LlvmLanes::mask_to_integer(Lane mask) {
  return wrap(builder_->CreateZExt(value(mask), integer_type_));
}

Lane LlvmLanes::call_per_lane(std::string_view name, std::span<const Lane> arguments) {
  llvm::Module* module = builder_->GetInsertBlock()->getModule();
  llvm::Type* wide = builder_->getDoubleTy();
  const llvm::SmallVector<llvm::Type*, 4> parameters(arguments.size(), wide);
  llvm::FunctionCallee callee = module->getOrInsertFunction(llvm::StringRef(name.data(), name.size()),
                                                            llvm::FunctionType::get(wide, parameters, false));
  if (auto* function = llvm::dyn_cast<llvm::Function>(callee.getCallee())) {
    function->setDoesNotAccessMemory();
    function->setDoesNotThrow();
    function->setWillReturn();
  }
  llvm::Type* element = single_ ? builder_->getFloatTy() : builder_->getDoubleTy();
  llvm::Value* result = llvm::PoisonValue::get(real_type_);
  for (int lane = 0; lane < width_; ++lane) {
    const auto position = static_cast<std::uint64_t>(lane);
    llvm::SmallVector<llvm::Value*, 4> numbers;
    for (const Lane argument : arguments) {
      llvm::Value* number =
          width_ == 1 ? value(argument) : builder_->CreateExtractElement(value(argument), position);
      numbers.push_back(builder_->CreateFPExt(number, wide));
    }
    llvm::Value* number = builder_->CreateFPTrunc(builder_->CreateCall(callee, numbers), element);
    if (width_ == 1)
      return wrap(number);
    result = builder_->CreateInsertElement(result, number, position);
  }
  return wrap(result);
}

} // namespace plait::codegen
