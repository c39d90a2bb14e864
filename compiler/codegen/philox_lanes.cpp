#include "compiler/codegen/philox_lanes.hpp"

#include "compiler/catalog/ops/lane_math.hpp"
#include "runtime/rng.hpp"

#include <llvm/ADT/SmallVector.h>
#include <llvm/IR/IRBuilder.h>

namespace plait::codegen {

namespace {

/** A word of every lane. Vector machines multiply 32-bit numbers that stand in 64-bit lanes, so the even and
 * the odd lanes of a word are kept apart for all ten rounds, each in the low half of a 64-bit lane; the high
 * halves hold whatever is left there, which products do not read. A word that is the same in all lanes stays
 * scalar until it meets one that is not: the first rounds are cheap, and invariant parts leave the loop. */
struct Word {
  llvm::Value* scalar = nullptr;
  llvm::Value* even = nullptr;
  llvm::Value* odd = nullptr;
};

class PhiloxRounds {
public:
  explicit PhiloxRounds(LlvmLanes& lanes) : lanes_(lanes), builder_(lanes.builder()) {
    if (lanes.width() > 1)
      halves_ = llvm::FixedVectorType::get(builder_.getInt64Ty(), static_cast<unsigned>(lanes.width() / 2));
  }

  Word split(llvm::Value* word) {
    if (!word->getType()->isVectorTy())
      return {word, nullptr, nullptr};
    llvm::Value* pairs = builder_.CreateBitCast(word, halves_);
    return {nullptr, pairs, high_half(pairs)};
  }

  /** The word as <W x i32>, or i32 for one lane. */
  llvm::Value* join(Word word) {
    if (word.scalar != nullptr)
      return lanes_.splat(word.scalar);
    llvm::SmallVector<int, 16> order;
    for (int pair = 0; pair < lanes_.width(); pair += 2)
      order.append({pair, lanes_.width() + pair});
    return builder_.CreateShuffleVector(builder_.CreateBitCast(word.even, lanes_.integer_type()),
                                        builder_.CreateBitCast(word.odd, lanes_.integer_type()), order);
  }

  struct Product {
    Word low, high;
  };
  Product multiply(Word word, std::uint32_t multiplier) {
    if (word.scalar != nullptr) {
      llvm::Type* wide = builder_.getInt64Ty();
      llvm::Value* product =
          builder_.CreateMul(builder_.CreateZExt(word.scalar, wide), builder_.getInt64(multiplier));
      return {{builder_.CreateTrunc(product, builder_.getInt32Ty()), nullptr, nullptr},
              {builder_.CreateTrunc(high_half(product), builder_.getInt32Ty()), nullptr, nullptr}};
    }
    llvm::Value* even = product_of(word.even, multiplier);
    llvm::Value* odd = product_of(word.odd, multiplier);
    return {{nullptr, even, odd}, {nullptr, high_half(even), high_half(odd)}};
  }

  Word exclusive_or(Word a, Word b) {
    if (a.scalar != nullptr && b.scalar != nullptr)
      return {builder_.CreateXor(a.scalar, b.scalar), nullptr, nullptr};
    a = spread(a);
    b = spread(b);
    return {nullptr, builder_.CreateXor(a.even, b.even), builder_.CreateXor(a.odd, b.odd)};
  }

private:
  Word spread(Word word) {
    if (word.scalar == nullptr)
      return word;
    llvm::Value* wide = builder_.CreateZExt(word.scalar, builder_.getInt64Ty());
    llvm::Value* all = builder_.CreateVectorSplat(static_cast<unsigned>(lanes_.width() / 2), wide);
    return {nullptr, all, all};
  }
  llvm::Value* high_half(llvm::Value* pairs) { return builder_.CreateLShr(pairs, std::uint64_t{32}); }
  llvm::Value* product_of(llvm::Value* pairs, std::uint32_t multiplier) {
    llvm::Value* low = builder_.CreateAnd(pairs, llvm::ConstantInt::get(halves_, 0xFFFFFFFFu));
    return builder_.CreateMul(low, llvm::ConstantInt::get(halves_, multiplier));
  }

  LlvmLanes& lanes_;
  llvm::IRBuilderBase& builder_;
  llvm::Type* halves_ = nullptr;
};

} // namespace

std::array<llvm::Value*, 4> draw_block(LlvmLanes& lanes, const DrawLanes& place) {
  llvm::IRBuilderBase& builder = lanes.builder();
  PhiloxRounds rounds(lanes);
  std::array<Word, 4> counter = {rounds.split(place.element), rounds.split(place.row),
                                 rounds.split(place.step), rounds.split(place.stream)};
  Word key_low{place.key_low, nullptr, nullptr};
  Word key_high{place.key_high, nullptr, nullptr};
  for (int round = 0; round < runtime::philox_rounds; ++round) {
    const auto product_0 = rounds.multiply(counter[0], runtime::philox_multiplier_0);
    const auto product_1 = rounds.multiply(counter[2], runtime::philox_multiplier_1);
    counter = {rounds.exclusive_or(rounds.exclusive_or(key_low, counter[1]), product_1.high), product_1.low,
               rounds.exclusive_or(rounds.exclusive_or(key_high, counter[3]), product_0.high), product_0.low};
    key_low.scalar = builder.CreateAdd(key_low.scalar, builder.getInt32(runtime::philox_weyl_0));
    key_high.scalar = builder.CreateAdd(key_high.scalar, builder.getInt32(runtime::philox_weyl_1));
  }
  return {rounds.join(counter[0]), rounds.join(counter[1]), rounds.join(counter[2]), rounds.join(counter[3])};
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
