#include "compiler/codegen/generate.hpp"
#include "compiler/codegen/lower.hpp"
#include "compiler/tensor_ir/print.hpp"

#include <fmt/format.h>
#include <llvm/Bitcode/BitcodeWriter.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Support/raw_ostream.h>

#include <chrono>
#include <stdexcept>

namespace plait::codegen {

struct Artifact::Plan {
  Graph graph; ///< axes and extents are what the workspace formula needs
  Schedule schedule;
};

namespace {

double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

Schedule make_schedule(const Graph& graph, const CodegenOptions& options, const Target& target) {
  passes::ScheduleOptions wanted;
  wanted.lanes = target.lanes(options.single_precision);
  wanted.real_bytes = options.single_precision ? 4 : 8;
  wanted.expected_extents = options.expected_extents;
  wanted.tile_rows = options.tile_rows;
  wanted.maximum_chunks = options.maximum_chunks;
  return passes::schedule(graph, wanted);
}

void fill_module(const Graph& graph, const Schedule& schedule, const CodegenOptions& options,
                 const Target& target, llvm::Module& module) {
  Lowering(graph, schedule, options, target, module).run();
  std::string message;
  llvm::raw_string_ostream stream(message);
  if (llvm::verifyModule(module, &stream))
    throw std::runtime_error("generated code is malformed: " + message);
}

/** The module as a name: two independent 64-bit FNV-1a hashes of its bitcode, and its length. */
std::string module_digest(const llvm::Module& module) {
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::WriteBitcodeToFile(module, stream);
  std::uint64_t first = 0xCBF29CE484222325u, second = 0x84222325CBF29CE4u;
  for (const char byte : bytes) {
    first = (first ^ static_cast<unsigned char>(byte)) * 0x100000001B3u;
    second = (second ^ static_cast<unsigned char>(byte)) * 0x9E3779B97F4A7C15u;
  }
  return fmt::format("step-{:016x}{:016x}-{}", first, second, bytes.size());
}

} // namespace

std::int64_t Artifact::workspace_bytes(const std::vector<std::int64_t>& extent_values) const {
  return passes::workspace_bytes(plan->graph, plan->schedule, extent_values);
}

Artifact generate(const Graph& graph, const CodegenOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const Target target = host_target(options.vector_bytes);
  Artifact artifact;
  auto plan = std::make_shared<Artifact::Plan>();
  plan->schedule = make_schedule(graph, options, target);
  plan->graph.axes = graph.axes;
  artifact.extents = plan->schedule.extents;
  artifact.inputs = plan->schedule.inputs;
  for (const ir::Output& output : graph.outputs) {
    if (output.kind == ir::OutputKind::scalar)
      artifact.scalars.push_back(output.name);
    if (output.kind == ir::OutputKind::value)
      artifact.values.push_back(output.name);
    if (output.kind == ir::OutputKind::store_slot)
      artifact.slots_per_parameter = std::max(artifact.slots_per_parameter, output.slot + 1);
  }
  for (const Node& node : graph.nodes)
    if (node.kind == Kind::slot)
      artifact.slots_per_parameter = std::max(artifact.slots_per_parameter, node.slot + 1);
  artifact.schedule_text = passes::print(graph, plan->schedule);

  JitOptions jit_options;
  jit_options.target = target;
  jit_options.use_cache = options.use_cache;
  jit_options.cache_folder = options.cache_folder;
  artifact.jit = std::make_shared<Jit>(jit_options);
  auto context = std::make_unique<llvm::LLVMContext>();
  auto module = artifact.jit->make_module(*context, "step");
  fill_module(graph, plan->schedule, options, target, *module);
  artifact.lower_milliseconds = milliseconds_since(start);
  // The module itself is the key: whatever changes the code changes the key.
  const std::string key = options.use_cache ? module_digest(*module) : std::string();
  std::optional<CompiledCode> known;
  if (options.use_cache)
    known = artifact.jit->load(key);
  const CompiledCode code =
      known ? *known : artifact.jit->compile(std::move(context), std::move(module), key);
  artifact.times = code.times();
  artifact.entry = code.function<runtime::StepFunction>(Lowering::step_name);
  artifact.plan = std::move(plan);
  return artifact;
}

std::string schedule_text(const Graph& graph, const CodegenOptions& options) {
  return passes::print(graph, make_schedule(graph, options, host_target(options.vector_bytes)));
}

std::string llvm_text(const Graph& graph, const CodegenOptions& options, bool optimized) {
  const Target target = host_target(options.vector_bytes);
  JitOptions jit_options;
  jit_options.target = target;
  Jit jit(jit_options);
  llvm::LLVMContext context;
  auto module = jit.make_module(context, "step");
  fill_module(graph, make_schedule(graph, options, target), options, target, *module);
  if (optimized)
    optimize(*module, target);
  return print_llvm(*module);
}

std::string assembly_text(const Graph& graph, const CodegenOptions& options) {
  const Target target = host_target(options.vector_bytes);
  JitOptions jit_options;
  jit_options.target = target;
  Jit jit(jit_options);
  llvm::LLVMContext context;
  auto module = jit.make_module(context, "step");
  fill_module(graph, make_schedule(graph, options, target), options, target, *module);
  optimize(*module, target);
  return print_assembly(*module, target);
}

} // namespace plait::codegen
