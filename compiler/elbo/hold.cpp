#include "compiler/elbo/hold.hpp"

#include "compiler/catalog/ops.hpp"
#include "compiler/elbo/dependence.hpp"

#include <algorithm>

namespace plait::elbo {

using ir::Kind;
using ir::NodeId;
using ir::Value;

bool Hold::is_draw(NodeId node) const {
  return std::binary_search(draws_.begin(), draws_.end(), node);
}

/** Whether a draw, or what a loop carries, is among what the node is computed from. */
bool Hold::near_draw(NodeId node) {
  if (const auto known = near_draw_.find(node); known != near_draw_.end())
    return known->second;
  const ir::Node& it = builder_->graph().node(node);
  bool found = is_draw(node) || it.kind == Kind::loop_argument || it.kind == Kind::loop_result;
  for (std::size_t k = 0; k < it.operands.size() && !found; ++k)
    found = near_draw(it.operands[k]);
  near_draw_[node] = found;
  return found;
}

NodeId Hold::repeat(NodeId node, std::unordered_map<NodeId, NodeId>& repeated) {
  const ir::Type type = builder_->graph().type(node);
  if (is_draw(node) || type.element != ir::Element::real)
    return node;
  if (const auto known = repeated.find(node); known != repeated.end())
    return known->second;
  const Kind kind = builder_->graph().node(node).kind;
  NodeId result = node;
  if (kind == Kind::loop_argument || kind == Kind::loop_result) {
    result = ir::stop_gradient(Value{builder_, node}).id();
    undecided_.emplace_back(node, result);
  } else if (!near_draw(node)) {
    result = ir::stop_gradient(Value{builder_, node}).id();
  } else if (kind != Kind::random) {
    ir::Node copy = builder_->graph().node(node);
    for (NodeId& operand : copy.operands)
      operand = repeat(operand, repeated);
    result = builder_->append(std::move(copy)).id();
  }
  repeated[node] = result;
  return result;
}

Value Hold::held(Value value) {
  std::unordered_map<NodeId, NodeId> repeated;
  return {builder_, repeat(value.id(), repeated)};
}

std::vector<NodeId> Hold::finish() {
  std::vector<NodeId> freed;
  if (undecided_.empty())
    return freed;
  ir::Graph& graph = builder_->graph();
  const Dependence dependence(graph, draws_, {});
  std::unordered_map<NodeId, NodeId> replaced;
  for (const auto& [carried, stopped] : undecided_)
    if (dependence.reaches(carried)) {
      replaced[stopped] = carried;
      freed.push_back(carried);
    }
  undecided_.clear();
  const auto replace = [&](std::vector<NodeId>& nodes) {
    for (NodeId& node : nodes)
      if (const auto other = replaced.find(node); other != replaced.end())
        node = other->second;
  };
  for (ir::Node& node : graph.nodes)
    replace(node.operands);
  for (ir::Loop& loop : graph.loops)
    for (std::vector<NodeId>* nodes : {&loop.inits, &loop.nexts, &loop.stacked, &loop.accumulated})
      replace(*nodes);
  std::sort(freed.begin(), freed.end());
  freed.erase(std::unique(freed.begin(), freed.end()), freed.end());
  return freed;
}

} // namespace plait::elbo
