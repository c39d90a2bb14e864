#include "compiler/passes/passes.hpp"

#include "compiler/passes/common_subexpressions.hpp"
#include "compiler/passes/dead_code.hpp"
#include "compiler/passes/hoist.hpp"
#include "compiler/passes/simplify.hpp"
#include "compiler/tensor_ir/verify.hpp"

#include <string>

namespace plait::passes {
namespace {

struct Pass {
  std::string_view name;
  ir::Graph (*run)(const ir::Graph&);
};

ir::Graph simplify_finally(const ir::Graph& graph) {
  return simplify(graph, {});
}

constexpr Pass passes[] = {
    {"dead code", dead_code},                         // what differentiation left over need not be looked at
    {"common subexpressions", common_subexpressions}, // rules compare values by identity
    {"simplify", simplify_finally},                   // most of the work disappears here
    {"hoist", hoist},               // identities first: they show what a loop does not change
    {"simplify", simplify_finally}, // results of loops whose values were hoisted
    {"common subexpressions", common_subexpressions}, // rules and hoisting make equal nodes
    {"dead code", dead_code},                         // and leave behind what they replaced
};

std::size_t placed_nodes(const ir::Graph& graph) {
  std::size_t count = 0;
  for (const ir::Region& region : graph.regions)
    count += region.order.size();
  return count;
}

} // namespace

ir::Graph optimize(ir::Graph graph, const Options& options) {
  if (!options.enabled)
    return graph;
  // Usually the second round finds nothing more; a third would be for loops in loops.
  constexpr int most_rounds = 3;
  for (int round = 0; round < most_rounds; ++round) {
    const std::size_t before = placed_nodes(graph);
    for (const Pass& pass : passes) {
      graph = pass.run(graph);
      if (options.verify)
        ir::verify(graph, pass.name);
      if (options.observe)
        options.observe(pass.name, graph);
    }
    if (placed_nodes(graph) == before)
      break;
  }
  return graph;
}

} // namespace plait::passes
