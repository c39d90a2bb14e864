/** \file
 * The machine that code is generated for.
 */
#pragma once

#include <memory>
#include <optional>
#include <string>

namespace llvm {
class TargetMachine;
}

namespace plait::codegen {

struct Target {
  std::string triple;
  std::string cpu;
  std::string features;  ///< as LLVM writes them: "+avx2,+fma,…"
  int vector_bytes = 16; ///< width of the registers that lanes fill
  bool has_fma = false;
  bool has_avx512 = false; ///< with the VL, DQ and BW extensions, so also on narrower registers

  /** Lanes of one register: 16 for f32 on 64-byte registers. */
  int lanes(bool single_precision) const { return vector_bytes / (single_precision ? 4 : 8); }
};

/** The machine this process runs on. `vector_bytes` (16, 32 or 64) forces a register width; without it, or
 * where the machine has no such registers, the widest one is taken. The environment variable
 * PLAIT_VECTOR_BYTES forces it too.
 */
Target host_target(std::optional<int> vector_bytes = std::nullopt);

/** LLVM's code generator for the target. Throws std::runtime_error when LLVM does not know it. */
std::unique_ptr<llvm::TargetMachine> make_target_machine(const Target& target);

} // namespace plait::codegen
