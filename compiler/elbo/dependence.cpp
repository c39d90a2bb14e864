#include "compiler/elbo/dependence.hpp"

namespace plait::elbo {

using ir::AxisId;
using ir::Kind;
using ir::NodeId;

Dependence::Dependence(const ir::Graph& graph, const std::vector<NodeId>& sources,
                       const std::vector<NodeId>& barriers)
    : state_(graph.nodes.size()) {
  std::vector<bool> fixed(graph.nodes.size(), false);
  for (NodeId barrier : barriers)
    fixed[static_cast<std::size_t>(barrier)] = true;
  std::vector<AxisId> source_axes;
  for (NodeId source : sources) {
    state_[static_cast<std::size_t>(source)] = std::vector<AxisId>{};
    fixed[static_cast<std::size_t>(source)] = true;
    source_axes = ir::unite(source_axes, graph.type(source).axes);
  }
  // Nodes are in order except that a loop's argument depends on the body's next value: repeat until nothing
  // changes.
  bool changed = true;
  while (changed) {
    changed = false;
    for (std::size_t k = 0; k < graph.nodes.size(); ++k) {
      const ir::Node& node = graph.nodes[k];
      if (fixed[k])
        continue;
      std::optional<std::vector<AxisId>> state = state_[k];
      const auto join = [&](NodeId from) {
        const auto& other = state_[static_cast<std::size_t>(from)];
        if (other)
          state = state ? ir::unite(*state, *other) : *other;
      };
      if (node.kind == Kind::loop_argument) {
        const ir::Loop& loop = graph.loop_of(graph.regions[static_cast<std::size_t>(node.region)].owner);
        join(loop.inits.at(static_cast<std::size_t>(node.index)));
        if (static_cast<std::size_t>(node.index) < loop.nexts.size())
          join(loop.nexts[static_cast<std::size_t>(node.index)]);
      } else if (node.kind == Kind::loop_result) {
        const ir::Loop& loop = graph.loop_of(node.operands.at(0));
        const auto number = static_cast<std::size_t>(node.index);
        switch (node.result) {
        case ir::LoopResult::carried:
          join(loop.inits.at(number));
          join(loop.nexts.at(number));
          break;
        case ir::LoopResult::stacked:
          join(loop.stacked.at(number));
          break;
        case ir::LoopResult::accumulated:
          join(loop.accumulated.at(number));
          break;
        }
      } else if (node.kind == Kind::map && node.op->name == "stop_gradient") {
        join(node.operands.at(0)); // a cost depends on a draw whether or not a derivative flows
      } else if (node.kind != Kind::loop) {
        for (NodeId operand : node.operands)
          join(operand);
      }
      if (state) {
        const bool crosses = node.kind == Kind::axis_to_dim || node.kind == Kind::reduce_sum ||
                             node.kind == Kind::reduce_max || node.kind == Kind::contract ||
                             node.kind == Kind::scatter_add;
        if (crosses)
          for (AxisId axis : node.axes)
            if (ir::contains(source_axes, axis))
              state = ir::unite(*state, {axis});
      }
      if (state != state_[k]) {
        state_[k] = std::move(state);
        changed = true;
      }
    }
  }
}

} // namespace plait::elbo
