/** \file
 * The compiler from end to end, in the order the data walks through it.
 */
#pragma once

#include "compiler/codegen/generate.hpp"
#include "compiler/elbo/build_step.hpp"
#include "compiler/guide/pairing.hpp"
#include "compiler/program/program.hpp"
#include "grammar/ast.hpp"
#include "grammar/diagnostic.hpp"
#include "runtime/dataset.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace plait::compiler {

/** Called with the printed form of a stage as soon as it exists; see stage_names(). */
using EmitStage = std::function<void(const std::string& stage, const std::function<std::string()>& text)>;

/** "ast", "types", "sites", "elbo", "gradient", "ir", "schedule", "llvm", "asm", in pipeline order. */
const std::vector<std::string>& stage_names();

struct ProgramOptions {
  std::map<std::string, double> sets;
  std::map<std::string, std::int64_t> sizes; ///< read from bound data
};

struct CheckedProgram {
  program::Program program;
  guide::Pairing pairing;
};

/** Resolve, check types, find sites and plates, pair model with guide. */
std::optional<CheckedProgram> check_program(const ast::Program& file, const ProgramOptions& options,
                                            Diagnostics& diagnostics, const EmitStage& emit = {});

/** What the data declarations ask of the files. */
std::vector<runtime::ExpectedData> expected_data(const program::Program& program);

struct NativeOptions {
  bool single_precision = false;
  bool use_cache = true;
  std::map<std::string, std::int64_t> expected_extents; ///< hints for the cost model
  std::vector<runtime::Storage> storage;                ///< of each data array, in the order of Graph::data
};

/** Passes, schedule, machine code. */
struct NativeProgram {
  ir::Graph graph; ///< after the passes
  codegen::Artifact artifact;
};
NativeProgram compile_native(ir::Graph graph, const NativeOptions& options, const EmitStage& emit = {});

/** A training step, from a checked program. */
struct CompiledStep {
  NativeProgram native;
  std::vector<guide::RegisteredParameter> parameters;
  elbo::Slots slots;
};
std::optional<CompiledStep> compile_step(const program::Program& program, const elbo::ElboOptions& objective,
                                         const elbo::StepOptions& step, const NativeOptions& native,
                                         Diagnostics& diagnostics, const EmitStage& emit = {});

} // namespace plait::compiler
