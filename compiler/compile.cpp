#include "compiler/compile.hpp"

#include "compiler/guide/pairing_print.hpp"
#include "compiler/passes/passes.hpp"
#include "compiler/program/check.hpp"
#include "compiler/program/print.hpp"
#include "compiler/tensor_ir/print.hpp"
#include "grammar/ast_print.hpp"

namespace plait::compiler {

const std::vector<std::string>& stage_names() {
  static const std::vector<std::string> names{"ast", "types",    "sites", "elbo", "gradient",
                                              "ir",  "schedule", "llvm",  "asm"};
  return names;
}

namespace {

void show(const EmitStage& emit, const char* stage, const std::function<std::string()>& text) {
  if (emit)
    emit(stage, text);
}

} // namespace

std::optional<CheckedProgram> check_program(const ast::Program& file, const ProgramOptions& options,
                                            Diagnostics& diagnostics, const EmitStage& emit) {
  show(emit, "ast", [&] { return print(file); });

  auto typed = program::check(file, {options.sets, options.sizes}, diagnostics);
  if (!typed)
    return std::nullopt;
  show(emit, "types", [&] { return program::print(*typed); });

  auto pairing = guide::pair(*typed, diagnostics);
  if (!pairing)
    return std::nullopt;
  show(emit, "sites", [&] { return guide::print_sites(*typed, *pairing); });
  return CheckedProgram{std::move(*typed), std::move(*pairing)};
}

NativeProgram compile_native(ir::Graph graph, const NativeOptions& options, const EmitStage& emit) {
  NativeProgram native;
  native.graph = passes::optimize(std::move(graph));
  show(emit, "ir", [&] { return ir::to_string(native.graph); });

  codegen::CodegenOptions codegen;
  codegen.single_precision = options.single_precision;
  codegen.use_cache = options.use_cache;
  codegen.expected_extents = options.expected_extents;
  codegen.storage = options.storage;
  show(emit, "schedule", [&] { return codegen::schedule_text(native.graph, codegen); });
  show(emit, "llvm", [&] { return codegen::llvm_text(native.graph, codegen); });
  show(emit, "asm", [&] { return codegen::assembly_text(native.graph, codegen); });
  native.artifact = codegen::generate(native.graph, codegen);
  return native;
}

std::optional<CompiledStep> compile_step(const program::Program& program, const elbo::ElboOptions& objective,
                                         const elbo::StepOptions& step, const NativeOptions& native,
                                         Diagnostics& diagnostics, const EmitStage& emit) {
  auto elbo = elbo::build_elbo(program, objective, diagnostics);
  if (!elbo)
    return std::nullopt;
  show(emit, "elbo", [&] {
    ir::Graph shown = *elbo->graph;
    shown.outputs.push_back({ir::OutputKind::scalar, "elbo", elbo->objective.reported.id(), -1, -1});
    return ir::to_string(shown);
  });

  CompiledStep compiled;
  compiled.slots = elbo::add_update(*elbo, step);
  show(emit, "gradient", [&] { return ir::to_string(*elbo->graph); });

  compiled.parameters = elbo->parameters->all();
  compiled.native = compile_native(std::move(*elbo->graph), native, emit);
  return compiled;
}

} // namespace plait::compiler
