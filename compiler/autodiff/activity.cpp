#include "compiler/autodiff/activity.hpp"

#include "compiler/autodiff/rules.hpp"

namespace plait::autodiff {

using ir::Graph;
using ir::Kind;
using ir::Loop;
using ir::LoopResult;
using ir::Node;
using ir::NodeId;
using ir::RegionId;

namespace {

std::size_t place(NodeId id) {
  return static_cast<std::size_t>(id);
}

class Activity {
public:
  Activity(const Graph& graph, const std::vector<bool>& sources, const std::vector<bool>& held)
      : graph_(graph), held_(held), active_(sources) {}

  std::vector<bool> run() {
    region(ir::root_region);
    return std::move(active_);
  }

private:
  void region(RegionId id) {
    for (NodeId member : graph_.regions[place(id)].order) {
      const Node& node = graph_.node(member);
      if (held_[place(member)])
        continue;
      if (node.kind == Kind::loop)
        loop(member);
      else if (node.kind == Kind::loop_result)
        active_[place(member)] = active_[place(member)] || loop_result(node);
      else if (!active_[place(member)] && node.type.element == ir::Element::real)
        for (std::size_t k = 0; k < node.operands.size(); ++k)
          if (active_[place(node.operands[k])] && carries_derivative(graph_, node, k))
            active_[place(member)] = true;
    }
  }

  void loop(NodeId id) {
    const Loop& loop = graph_.loop_of(id);
    for (bool changed = true; changed;) {
      changed = false;
      region(loop.body);
      for (std::size_t k = 0; k < loop.arguments.size(); ++k)
        if (!active_[place(loop.arguments[k])] && !held_[place(loop.arguments[k])] &&
            (active_[place(loop.inits[k])] || active_[place(loop.nexts[k])])) {
          active_[place(loop.arguments[k])] = true;
          changed = true;
        }
    }
    bool any = false;
    for (const std::vector<NodeId>* values : {&loop.arguments, &loop.stacked, &loop.accumulated})
      for (NodeId value : *values)
        any = any || active_[place(value)];
    active_[place(id)] = any;
  }

  bool loop_result(const Node& node) const {
    const Loop& loop = graph_.loop_of(node.operands[0]);
    const std::vector<NodeId>& values = node.result == LoopResult::carried   ? loop.arguments
                                        : node.result == LoopResult::stacked ? loop.stacked
                                                                             : loop.accumulated;
    return active_[place(values[place(node.index)])];
  }

  const Graph& graph_;
  const std::vector<bool>& held_;
  std::vector<bool> active_;
};

/** Everything a loop reads from outside of its body: inits and captured values. */
void outer_operands(const Graph& graph, NodeId loop_node, std::set<NodeId>& found) {
  const Loop& loop = graph.loop_of(loop_node);
  found.insert(loop.inits.begin(), loop.inits.end());
  for (const std::vector<NodeId>* values : {&loop.nexts, &loop.stacked, &loop.accumulated})
    found.insert(values->begin(), values->end());
  for (NodeId member : graph.regions[place(loop.body)].order) {
    const Node& node = graph.node(member);
    if (node.kind == Kind::loop)
      outer_operands(graph, member, found);
    else
      found.insert(node.operands.begin(), node.operands.end());
  }
}

} // namespace

std::vector<bool> active_nodes(const Graph& graph, const std::vector<bool>& sources,
                               const std::vector<bool>& held) {
  return Activity(graph, sources, held).run();
}

std::set<std::size_t> needed_carried(const Graph& graph, NodeId loop_node, const std::vector<bool>& active,
                                     const std::vector<NodeId>& seeds) {
  const Loop& loop = graph.loop_of(loop_node);
  std::set<std::size_t> needed;
  std::set<NodeId> useful(seeds.begin(), seeds.end());
  for (bool changed = true; changed;) {
    changed = false;
    const std::vector<NodeId>& order = graph.regions[place(loop.body)].order;
    for (std::size_t n = order.size(); n-- > 0;) {
      const Node& node = graph.node(order[n]);
      if (!useful.contains(order[n]) || !active[place(order[n])])
        continue;
      if (node.kind == Kind::loop_argument) {
        const std::size_t k = place(node.index);
        if (needed.insert(k).second) {
          useful.insert(loop.nexts[k]);
          changed = true;
        }
      } else if (node.kind == Kind::loop_result) {
        // Taken as a whole: whatever the inner loop reads may flow into its result.
        std::set<NodeId> operands;
        outer_operands(graph, node.operands[0], operands);
        for (NodeId operand : operands)
          if (active[place(operand)])
            useful.insert(operand);
      } else {
        for (std::size_t k = 0; k < node.operands.size(); ++k)
          if (active[place(node.operands[k])] && carries_derivative(graph, node, k))
            useful.insert(node.operands[k]);
      }
    }
  }
  return needed;
}

} // namespace plait::autodiff
