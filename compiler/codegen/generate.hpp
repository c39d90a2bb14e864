/** \file
 * The public entry of code generation: an optimized graph becomes a native step function. No LLVM types.
 */
#pragma once

#include "compiler/codegen/jit.hpp"
#include "compiler/passes/schedule.hpp"
#include "compiler/tensor_ir/ir.hpp"
#include "runtime/abi.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace plait::codegen {

struct CodegenOptions {
  bool single_precision = true;
  std::optional<int> vector_bytes; ///< 16, 32 or 64; the machine's widest when empty
  std::vector<runtime::Storage>
      storage; ///< one per Graph::data; missing ones: f64 for reals, i32 for integers, u8 for booleans
  std::map<std::string, std::int64_t> expected_extents; ///< hints for the cost model
  int tile_rows = 0;                                    ///< 0: the cost model chooses
  int maximum_chunks = 8;             ///< parallel units of one plate; results depend on it, not on threads
  bool use_cache = true;              ///< the object cache on disk
  std::filesystem::path cache_folder; ///< empty: the user's cache folder
};

/** A compiled step and what its caller must know to fill StepArguments. Copies share the code. */
class Artifact {
public:
  runtime::StepFunction entry = nullptr;
  std::vector<std::string> extents; ///< run-time extents, in the order of StepArguments::extents
  std::vector<std::string> inputs;  ///< named scalars, in the order of StepArguments::inputs
  std::vector<std::string> scalars; ///< names of the scalar outputs, in the order of StepArguments::scalars
  std::vector<std::string> values;  ///< names of the value outputs, in the order of StepArguments::values
  int slots_per_parameter = 0;      ///< stride of StepArguments::slots
  CompileTimes times;
  double lower_milliseconds = 0; ///< scheduling and building LLVM IR
  std::string schedule_text;

  /** Bytes of workspace for these values of `extents`. */
  std::int64_t workspace_bytes(const std::vector<std::int64_t>& extent_values) const;

  struct Plan;
  std::shared_ptr<const Plan> plan;
  std::shared_ptr<Jit> jit; ///< keeps the code alive
};

/** Schedules, lowers and compiles. Throws std::runtime_error, saying why, when LLVM cannot. */
Artifact generate(const ir::Graph& graph, const CodegenOptions& options);

/** The stages as text, for `emit`. */
std::string schedule_text(const ir::Graph& graph, const CodegenOptions& options);
std::string llvm_text(const ir::Graph& graph, const CodegenOptions& options, bool optimized = true);
std::string assembly_text(const ir::Graph& graph, const CodegenOptions& options);

} // namespace plait::codegen
