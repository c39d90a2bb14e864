/** \file
 * Philox4x32-10 on lanes: the draws of runtime/rng.hpp, word for word.
 */
#pragma once

#include "compiler/codegen/lanes.hpp"

#include <array>

namespace plait::codegen {

/** The place of a draw, as runtime/rng.hpp lays it out. All are i32, scalar or one per lane; the key is
 * scalar. */
struct DrawLanes {
  llvm::Value* key_low = nullptr;  ///< low word of the seed
  llvm::Value* key_high = nullptr; ///< high word of the seed
  llvm::Value* step = nullptr;
  llvm::Value* stream = nullptr;
  llvm::Value* row = nullptr;
  llvm::Value* element = nullptr;
};

/** The four words of the block of every lane's draw, <W x i32>; equal to runtime::draw_block bit for bit. */
std::array<llvm::Value*, 4> draw_block(LlvmLanes& lanes, const DrawLanes& place);

/** A uniform in (0, 1) from one word; equal to runtime::uniform_of in the lanes' precision. */
llvm::Value* uniform_of(LlvmLanes& lanes, llvm::Value* word);

/** A standard uniform of every lane's draw. */
llvm::Value* standard_uniform(LlvmLanes& lanes, const DrawLanes& place);

/** A standard normal by Box and Muller's cosine branch; within 1e-6 (f32) and 1e-14 (f64) of
 * runtime::standard_normal, relative where |value| > 1 and absolute elsewhere. */
llvm::Value* standard_normal(LlvmLanes& lanes, const DrawLanes& place);

} // namespace plait::codegen
