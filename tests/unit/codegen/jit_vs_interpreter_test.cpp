#include "tests/support/random_graph.hpp"
#include "tests/support/run_step.hpp"

#include "compiler/autodiff/reverse.hpp"
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
