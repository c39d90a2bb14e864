#include "tests/support/random_graph.hpp"
#include "tests/support/run_step.hpp"

#include "compiler/autodiff/reverse.hpp"
#include "compiler/passes/passes.hpp"
#include "compiler/tensor_ir/print.hpp"

#include <cstdlib>

using namespace plait;
using namespace plait::ir;
using test::require_agreement;

namespace {

codegen::CodegenOptions precision(bool single) {
  codegen::CodegenOptions options;
  options.single_precision = single;
  return options;
}

int graphs_to_try() {
  const char* wanted = std::getenv("PLAIT_FUZZ_GRAPHS");
  return wanted ? std::atoi(wanted) : 40;
}

} // namespace

TEST_CASE("every value of a random graph is computed as the interpreter does") {
  const int first = std::getenv("PLAIT_FUZZ_FIRST") ? std::atoi(std::getenv("PLAIT_FUZZ_FIRST")) : 0;
  for (int seed = first; seed < first + graphs_to_try(); ++seed) {
    test::RandomGraph made = test::random_graph(static_cast<std::uint64_t>(seed));
    Graph& graph = made.graph;
    for (NodeId id : graph.regions[0].order)
      if (graph.node(id).kind != Kind::loop)
        graph.outputs.push_back({OutputKind::value, "v" + std::to_string(id), id, -1, -1});
    INFO("seed " << seed);
    if (std::getenv("PLAIT_FUZZ_PRINT"))
      WARN(to_string(graph));
    require_agreement(graph, made.inputs, precision(seed % 2 == 1));
  }
}

TEST_CASE("gradients and updates of random graphs are computed as the interpreter does") {
  const int first = std::getenv("PLAIT_FUZZ_FIRST") ? std::atoi(std::getenv("PLAIT_FUZZ_FIRST")) : 0;
  for (int seed = first; seed < first + graphs_to_try(); ++seed) {
    test::RandomGraph made = test::random_graph(static_cast<std::uint64_t>(seed));
    Graph& graph = made.graph;
    Builder builder(graph);
    std::vector<Value> parameters;
    for (NodeId id : made.parameters)
      parameters.push_back(builder.value(id));
    const std::vector<Value> gradients = autodiff::gradients(builder, builder.value(made.loss), parameters);
    for (std::size_t k = 0; k < parameters.size(); ++k) {
      const std::int32_t index = static_cast<std::int32_t>(k);
      made.inputs.slots[k] = {made.inputs.parameters[k]};
      const Value moment = 0.9 * builder.slot(index, 0) + 0.1 * square(gradients[k]);
      const Value updated = parameters[k] - 0.01 * gradients[k] / (1.0 + sqrt(1.0 + abs(moment)));
      graph.outputs.push_back({OutputKind::gradient, "gradient", gradients[k].id(), index, -1});
      graph.outputs.push_back({OutputKind::store_slot, "slot", moment.id(), index, 0});
      graph.outputs.push_back({OutputKind::store_parameter, "parameter", updated.id(), index, -1});
    }
    const Graph optimized = passes::optimize(graph);
    INFO("seed " << seed);
    if (std::getenv("PLAIT_FUZZ_PRINT"))
      WARN(to_string(optimized));
    codegen::CodegenOptions options = precision(seed % 2 == 1);
    options.vector_bytes = 16 << (seed / 2 % 3);
    require_agreement(optimized, made.inputs, options, static_cast<std::size_t>(seed % 3));
  }
}
