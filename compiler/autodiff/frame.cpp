#include "compiler/autodiff/frame.hpp"

#include "compiler/catalog/ops/rows.hpp"

#include <algorithm>
#include <set>

namespace plait::autodiff {

using ir::Kind;
using ir::Loop;
using ir::LoopResult;
using ir::no_node;
using ir::Node;
using ir::NodeId;
using ir::Type;
using ir::Value;

namespace {

/** Ops that cost no more than reading their result from memory. */
bool is_cheap(const ir::Op* op) {
  switch (op->result.get()) {
  case ir::ResultRule::integer:
  case ir::ResultRule::real_comparison:
  case ir::ResultRule::integer_comparison:
  case ir::ResultRule::boolean:
  case ir::ResultRule::select:
  case ir::ResultRule::to_real:
  case ir::ResultRule::to_integer:
    return true;
  case ir::ResultRule::real:
    break;
  }
  static const std::set<const ir::Op*> cheap = {&op::add,     &op::subtract, &op::multiply,     &op::negate,
                                                &op::abs,     &op::sign,     &op::square,       &op::minimum,
                                                &op::maximum, &op::relu,     &op::stop_gradient};
  return cheap.contains(op);
}

bool is_cheap(const Node& node) {
  switch (node.kind) {
  case Kind::constant:
  case Kind::parameter:
  case Kind::slot:
  case Kind::data:
  case Kind::data_lengths:
  case Kind::input:
  case Kind::extent:
  case Kind::axis_index:
  case Kind::plate_row:
  case Kind::loop_index:
  case Kind::broadcast:
  case Kind::gather:
  case Kind::slice:
  case Kind::reshape:
  case Kind::transpose:
  case Kind::expand:
    return true;
  case Kind::map:
    return is_cheap(node.op);
  case Kind::reduce_sum:
  case Kind::reduce_max:
  case Kind::contract:
  case Kind::scatter_add:
  case Kind::axis_to_dim:
  case Kind::pad:
  case Kind::concat:
  case Kind::random:
  case Kind::loop:
  case Kind::loop_argument:
  case Kind::loop_result:
  case Kind::cholesky:
  case Kind::cholesky_grad:
  case Kind::solve_lower:
    return false;
  }
  return false;
}

/** Keeping `kept` instead of `wanted` takes no more memory. */
bool is_no_larger(const Type& kept, const Type& wanted) {
  return ir::is_subset(kept.axes, wanted.axes) && (kept.is_scalar() || kept.shape == wanted.shape);
}

} // namespace

Value ForwardValues::read(Frame& frame, NodeId id) {
  if (!frame.parent)
    return builder_.value(id);
  if (const auto known = frame.forward_values.find(id); known != frame.forward_values.end())
    return known->second;
  Value value;
  const Node& node = builder_.graph().node(id);
  if (node.region != frame.forward) {
    const InRegion outside(builder_, frame.parent->reverse);
    value = read(*frame.parent, id);
  } else if (node.kind == Kind::loop_index) {
    value = frame.reverse_index;
  } else {
    const InRegion inside(builder_, frame.reverse);
    value = root(frame, id) == id ? load(frame, id) : recompute(frame, id);
  }
  frame.forward_values.emplace(id, value);
  return value;
}

Value ForwardValues::recompute(Frame& frame, NodeId id) {
  Node copy = builder_.graph().node(id);
  for (NodeId& operand : copy.operands)
    operand = read(frame, operand).id();
  return builder_.append(std::move(copy));
}

Value ForwardValues::load(Frame& frame, NodeId id) {
  const NodeId kept = stacked_result(frame.forward_loop, id);
  Value outside;
  {
    const InRegion parent(builder_, frame.parent->reverse);
    outside = read(*frame.parent, kept);
  }
  return builder_.gather(outside, frame.reverse_index, 0);
}

NodeId ForwardValues::stacked_result(NodeId loop_node, NodeId id) {
  const auto key = std::make_pair(loop_node, id);
  if (const auto known = stacked_results_.find(key); known != stacked_results_.end())
    return known->second;
  std::vector<NodeId>& stacked = builder_.graph().loop_of(loop_node).stacked;
  const auto place = std::find(stacked.begin(), stacked.end(), id);
  const auto number = place - stacked.begin();
  if (place == stacked.end())
    stacked.push_back(id);
  const InRegion beside(builder_, builder_.graph().node(loop_node).region);
  Node node;
  node.kind = Kind::loop_result;
  node.operands = {loop_node};
  node.result = LoopResult::stacked;
  node.index = static_cast<std::int32_t>(number);
  const NodeId result = builder_.append(std::move(node)).id();
  stacked_results_.emplace(key, result);
  return result;
}

NodeId ForwardValues::root(const Frame& frame, NodeId id) {
  const ir::Graph& graph = builder_.graph();
  const Node& node = graph.node(id);
  if (node.region != frame.forward)
    return no_node;
  if (const auto known = roots_.find(id); known != roots_.end())
    return known->second;
  NodeId result = no_node;
  if (!is_cheap(node)) {
    result = id;
  } else {
    std::set<NodeId> needed;
    for (NodeId operand : node.operands)
      needed.insert(root(frame, operand));
    needed.erase(no_node);
    if (needed.size() == 1)
      result = *needed.begin();
    if (needed.size() > 1 || (result != no_node && !is_no_larger(graph.type(result), node.type)))
      result = id;
    // A row out of a kept table would keep the table.
    if (result != no_node && node.kind == Kind::gather)
      result = id;
  }
  roots_.emplace(id, result);
  return result;
}

} // namespace plait::autodiff
