#include "compiler/codegen/philox_lanes.hpp"

#include "compiler/catalog/ops/lane_math.hpp"
#include "runtime/rng.hpp"

#include <llvm/ADT/SmallVector.h>
#include <llvm/IR/IRBuilder.h>

namespace plait::codegen {

namespace {

struct Product {
  llvm::Value* low;
  llvm::Value* high;
};

/** word * multiplier in 64 bits. Vector machines multiply the even lanes of a register: the product is taken
 * of the even and of the odd lanes, and their halves are put together. */
Product multiply_wide(llvm::IRBuilderBase& builder, llvm::Value* word, std::uint32_t multiplier) {
  const auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(word->getType());
  if (vector == nullptr) {
    llvm::Value* product =
        builder.CreateMul(builder.CreateZExt(word, builder.getInt64Ty()), builder.getInt64(multiplier));
    return {builder.CreateTrunc(product, builder.getInt32Ty()),
            builder.CreateTrunc(builder.CreateLShr(product, std::uint64_t{32}), builder.getInt32Ty())};
  }
  const unsigned width = vector->getNumElements();
  auto* pairs = llvm::FixedVectorType::get(builder.getInt64Ty(), width / 2);
  llvm::Value* factor = llvm::ConstantInt::get(pairs, multiplier);
  llvm::Value* both = builder.CreateBitCast(word, pairs);
  llvm::Value* even = builder.CreateAnd(both, llvm::ConstantInt::get(pairs, 0xFFFFFFFFu));
  llvm::Value* odd = builder.CreateLShr(both, llvm::ConstantInt::get(pairs, 32));
  llvm::Value* even_product = builder.CreateBitCast(builder.CreateMul(even, factor), word->getType());
  llvm::Value* odd_product = builder.CreateBitCast(builder.CreateMul(odd, factor), word->getType());
  llvm::SmallVector<int, 16> low;
  llvm::SmallVector<int, 16> high;
  for (unsigned pair = 0; pair < width; pair += 2) {
    low.append({static_cast<int>(pair), static_cast<int>(width + pair)});
    high.append({static_cast<int>(pair + 1), static_cast<int>(width + pair + 1)});
  }
  return {builder.CreateShuffleVector(even_product, odd_product, low),
          builder.CreateShuffleVector(even_product, odd_product, high)};
}

/** Exclusive or of words of which some are scalar; vector if one is. */
llvm::Value* exclusive_or(LlvmLanes& lanes, llvm::Value* a, llvm::Value* b) {
  if (a->getType() != b->getType()) {
    a = lanes.splat(a);
    b = lanes.splat(b);
  }
  return lanes.builder().CreateXor(a, b);
}

} // namespace

std::array<llvm::Value*, 4> draw_block(LlvmLanes& lanes, const DrawLanes& place) {
  llvm::IRBuilderBase& builder = lanes.builder();
  std::array<llvm::Value*, 4> counter = {place.element, place.row, place.step, place.stream};
  llvm::Value* key_low = place.key_low;
  llvm::Value* key_high = place.key_high;
  // Words that are the same in all lanes stay scalar until they meet one that is not: the first rounds are
  // cheap, and invariant parts leave the loop.
  for (int round = 0; round < runtime::philox_rounds; ++round) {
    const Product product_0 = multiply_wide(builder, counter[0], runtime::philox_multiplier_0);
    const Product product_1 = multiply_wide(builder, counter[2], runtime::philox_multiplier_1);
    counter = {exclusive_or(lanes, exclusive_or(lanes, key_low, counter[1]), product_1.high), product_1.low,
               exclusive_or(lanes, exclusive_or(lanes, key_high, counter[3]), product_0.high), product_0.low};
    key_low = builder.CreateAdd(key_low, builder.getInt32(runtime::philox_weyl_0));
    key_high = builder.CreateAdd(key_high, builder.getInt32(runtime::philox_weyl_1));
  }
  for (llvm::Value*& word : counter)
    word = lanes.splat(word);
  return counter;
}

llvm::Value* uniform_of(LlvmLanes& lanes, llvm::Value* word) {
  llvm::IRBuilderBase& builder = lanes.builder();
  if (lanes.is_single_precision()) {
    llvm::Value* high = builder.CreateLShr(word, llvm::ConstantInt::get(lanes.integer_type(), 8));
    const lane::Real number{lanes, LlvmLanes::wrap(builder.CreateSIToFP(high, lanes.real_type()))};
    const lane::Real centred = number + 0.5;
    return LlvmLanes::value((minimum(centred, centred.constant(16777215.0)) * 0x1p-24).lane());
  }
  const lane::Real number{lanes, LlvmLanes::wrap(builder.CreateUIToFP(word, lanes.real_type()))};
  return LlvmLanes::value(((number + 0.5) * 0x1p-32).lane());
}

llvm::Value* standard_uniform(LlvmLanes& lanes, const DrawLanes& place) {
  return uniform_of(lanes, draw_block(lanes, place)[0]);
}

llvm::Value* standard_normal(LlvmLanes& lanes, const DrawLanes& place) {
  const auto block = draw_block(lanes, place);
  const lane::Real u1{lanes, LlvmLanes::wrap(uniform_of(lanes, block[0]))};
  const lane::Real u2{lanes, LlvmLanes::wrap(uniform_of(lanes, block[1]))};
  return LlvmLanes::value((square_root(-2.0 * log(u1)) * cos_of_turns(u2)).lane());
}

} // namespace plait::codegen
