/** \file
 * From LLVM module to code in memory: a light optimization pipeline, the code generator, an object cache on
 * disk, and ORC to link the result. Thread-safe; code lives as long as the Jit.
 */
#pragma once

#include "compiler/codegen/target.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace llvm {
class LLVMContext;
class Module;
class TargetMachine;
} // namespace llvm

namespace plait::codegen {

struct JitOptions {
  Target target = host_target();
  bool use_cache = true;
  std::filesystem::path cache_folder = {}; ///< empty: $XDG_CACHE_HOME/plait, or ~/.cache/plait
};

/** What one compilation cost, in milliseconds. */
struct CompileTimes {
  double optimize = 0;
  double generate = 0;
  double link = 0;
  bool from_cache = false;
};

class Jit;

/** Compiled code, not owned: it lives as long as its Jit. */
class CompiledCode {
public:
  /** Address of a function of the module. Throws std::runtime_error when there is none of that name. */
  void* address(std::string_view function) const;
  template <class Function>
  Function function(std::string_view name) const {
    return reinterpret_cast<Function>(address(name));
  }
  const CompileTimes& times() const { return times_; }

private:
  friend class Jit;
  Jit* jit_ = nullptr;
  void* library_ = nullptr;
  CompileTimes times_;
};

class Jit {
public:
  /** Throws std::runtime_error when LLVM cannot generate code for the target. */
  explicit Jit(JitOptions options = {});
  ~Jit();
  Jit(const Jit&) = delete;
  Jit& operator=(const Jit&) = delete;

  const Target& target() const;

  /** An empty module set up for the target: data layout and triple. */
  std::unique_ptr<llvm::Module> make_module(llvm::LLVMContext& context, std::string_view name) const;

  /** Code compiled earlier under this key, by this or another process, without generating a module at all.
   * Empty when there is none, it is damaged, or the cache is off. The key is completed with the machine and
   * the LLVM version. */
  std::optional<CompiledCode> load(std::string_view cache_key);

  /** Optimizes and compiles; the object is stored under `cache_key` (no storing when it is empty). The
   * context must be the module's. Throws std::runtime_error, with LLVM's words, when the module is malformed
   * or names a function that neither it nor runtime_symbols() has. */
  CompiledCode compile(std::unique_ptr<llvm::LLVMContext> context, std::unique_ptr<llvm::Module> module,
                       std::string_view cache_key = {});

private:
  friend class CompiledCode;
  struct State;
  std::unique_ptr<State> state_;
};

/** Runs the JIT's pipeline on a module in place. */
void optimize(llvm::Module& module, const Target& target);
void optimize(llvm::Module& module, llvm::TargetMachine& machine);
/** Textual LLVM IR, as it is. */
std::string print_llvm(const llvm::Module& module);
/** Assembly of the module as it is; optimize it first. Changes the module as code generation does: print
 * last. */
std::string print_assembly(llvm::Module& module, const Target& target);

} // namespace plait::codegen
