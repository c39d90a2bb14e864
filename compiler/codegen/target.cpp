#include "compiler/codegen/target.hpp"

#include <llvm/ADT/StringMap.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/TargetParser/SubtargetFeature.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <stdexcept>

namespace plait::codegen {

namespace {

int widest_vector(const llvm::StringMap<bool>& features, const llvm::Triple& triple) {
  if (triple.isX86()) {
    if (features.lookup("avx512f") && features.lookup("avx512vl") && features.lookup("avx512dq"))
      return 64;
    if (features.lookup("avx2") && features.lookup("fma"))
      return 32;
  }
  return 16;
}

std::optional<int> forced_by_environment() {
  const char* text = std::getenv("PLAIT_VECTOR_BYTES");
  if (text == nullptr)
    return std::nullopt;
  const int bytes = std::atoi(text);
  return bytes == 16 || bytes == 32 || bytes == 64 ? std::optional(bytes) : std::nullopt;
}

} // namespace

Target host_target(std::optional<int> vector_bytes) {
  const llvm::Triple triple(llvm::sys::getProcessTriple());
  const llvm::StringMap<bool> host_features = llvm::sys::getHostCPUFeatures();

  Target target;
  target.triple = triple.str();
  target.cpu = llvm::sys::getHostCPUName().str();
  llvm::SubtargetFeatures features;
  for (const auto& feature : host_features)
    features.AddFeature(feature.first(), feature.second);
  // LLVM prefers 256-bit registers on some machines with wider ones; lanes decide the width here.
  const int widest = widest_vector(host_features, triple);
  if (!vector_bytes)
    vector_bytes = forced_by_environment();
  target.vector_bytes = vector_bytes ? std::min(*vector_bytes, widest) : widest;
  if (triple.isX86())
    features.AddFeature("prefer-256-bit", target.vector_bytes < 64);
  target.features = features.getString();
  target.has_fma = !triple.isX86() || host_features.lookup("fma");
  target.has_avx512 = widest == 64;
  return target;
}

std::unique_ptr<llvm::TargetMachine> make_target_machine(const Target& target) {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
  });
  std::string problem;
  const llvm::Target* known = llvm::TargetRegistry::lookupTarget(target.triple, problem);
  if (known == nullptr)
    throw std::runtime_error("cannot generate code for this machine: " + problem);
  llvm::TargetOptions options;
  // Contraction is asked for instruction by instruction.
  options.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  std::unique_ptr<llvm::TargetMachine> machine(
      known->createTargetMachine(target.triple, target.cpu, target.features, options, llvm::Reloc::PIC_,
                                 llvm::CodeModel::Small, llvm::CodeGenOptLevel::Default, /*JIT=*/true));
  if (machine == nullptr)
    throw std::runtime_error("cannot generate code for this machine: LLVM has no generator for " +
                             target.triple);
  return machine;
}

} // namespace plait::codegen
