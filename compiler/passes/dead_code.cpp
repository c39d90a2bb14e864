#include "compiler/passes/dead_code.hpp"

#include "compiler/passes/rewrite.hpp"

#include <set>
#include <tuple>
#include <vector>

namespace plait::passes {

using ir::Kind;
using ir::Loop;
using ir::LoopResult;
using ir::Node;
using ir::NodeId;

namespace {

std::size_t place(NodeId id) {
  return static_cast<std::size_t>(id);
}

/** Follows uses from the outputs. A carried value is live when its result or its argument is used. */
class Liveness {
public:
  explicit Liveness(const ir::Graph& graph) : graph_(graph), live_(graph.nodes.size(), false) {
    for (const ir::Output& output : graph.outputs)
      mark(output.node);
    while (!work_.empty()) {
      const NodeId id = work_.back();
      work_.pop_back();
      follow(id);
    }
  }

  bool is_live(NodeId id) const { return live_[place(id)]; }
  bool is_live(NodeId loop, LoopResult result, std::size_t number) const {
    return results_.contains({loop, result, number});
  }

private:
  void mark(NodeId id) {
    if (live_[place(id)])
      return;
    live_[place(id)] = true;
    work_.push_back(id);
  }

  void mark_carried(NodeId loop_node, std::size_t k) {
    if (!results_.insert({loop_node, LoopResult::carried, k}).second)
      return;
    const Loop& loop = graph_.loop_of(loop_node);
    mark(loop_node);
    mark(loop.inits[k]);
    mark(loop.nexts[k]);
  }

  void follow(NodeId id) {
    const Node& node = graph_.node(id);
    switch (node.kind) {
    case Kind::loop: // its operands are live one by one
      if (graph_.loop_of(id).lengths != ir::no_node)
        mark(graph_.loop_of(id).lengths);
      return;
    case Kind::loop_argument:
      return mark_carried(graph_.regions[place(node.region)].owner, place(node.index));
    case Kind::loop_index:
      return mark(graph_.regions[place(node.region)].owner);
    case Kind::loop_result: {
      if (node.result == LoopResult::carried)
        return mark_carried(node.operands[0], place(node.index));
      mark(node.operands[0]);
      if (results_.insert({node.operands[0], node.result, place(node.index)}).second) {
        const Loop& loop = graph_.loop_of(node.operands[0]);
        mark(node.result == LoopResult::stacked ? loop.stacked[place(node.index)]
                                                : loop.accumulated[place(node.index)]);
      }
      return;
    }
    default:
      for (NodeId operand : node.operands)
        mark(operand);
    }
  }

  const ir::Graph& graph_;
  std::vector<bool> live_;
  std::vector<NodeId> work_;
  std::set<std::tuple<NodeId, LoopResult, std::size_t>> results_;
};

class DeadCode : public Rewriter {
public:
  explicit DeadCode(const ir::Graph& graph) : Rewriter(graph), liveness_(graph) {}

protected:
  bool is_wanted(NodeId old) const override { return liveness_.is_live(old); }
  Carried carried(NodeId loop, std::size_t number) const override {
    return liveness_.is_live(loop, LoopResult::carried, number) ? Carried::keep : Carried::drop;
  }
  bool keeps_result(NodeId loop, LoopResult result, std::size_t number) const override {
    return liveness_.is_live(loop, result, number);
  }

private:
  Liveness liveness_;
};

} // namespace

ir::Graph dead_code(const ir::Graph& graph) {
  return DeadCode(graph).run();
}

} // namespace plait::passes
