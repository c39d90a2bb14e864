#include "compiler/passes/schedule_internal.hpp"

#include <algorithm>

namespace plait::passes {

using ir::AxisId;
using ir::AxisKind;
using ir::Graph;
using ir::Kind;
using ir::Node;
using ir::NodeId;
using ir::Type;

namespace {

constexpr int light_operations = 4; ///< an op of at most so many instructions is cheap
constexpr int light_tree = 6;       ///< and so is a tree of them up to this size
constexpr std::int64_t small = 8;   ///< event elements that fit in registers

std::size_t at(NodeId id) {
  return static_cast<std::size_t>(id);
}

bool is_leaf(Kind kind) {
  switch (kind) {
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
    return true;
  default:
    return false;
  }
}

class Analysis {
public:
  explicit Analysis(const Graph& graph) : graph_(graph) {
    const std::size_t count = graph.nodes.size();
    usage_.live.assign(count, 0);
    usage_.users.assign(count, {});
    usage_.output_users.assign(count, 0);
    usage_.materialized.assign(count, 0);
    usage_.light.assign(count, 0);
    weight_.assign(count, -1);
  }

  Usage run() {
    for (const ir::Output& output : graph_.outputs) {
      ++usage_.output_users[at(output.node)];
      mark(output.node);
    }
    for (std::size_t id = 0; id < graph_.nodes.size(); ++id)
      if (usage_.live[id])
        usage_.light[id] = weight(static_cast<NodeId>(id)) <= light_tree;
    for (std::size_t id = 0; id < graph_.nodes.size(); ++id)
      if (usage_.live[id])
        usage_.materialized[id] = materialize(static_cast<NodeId>(id));
    return std::move(usage_);
  }

private:
  void mark(NodeId id) {
    if (usage_.live[at(id)])
      return;
    usage_.live[at(id)] = 1;
    const Node& node = graph_.node(id);
    const auto use = [&](NodeId operand) {
      usage_.users[at(operand)].push_back(id);
      mark(operand);
    };
    if (node.kind != Kind::loop) {
      for (NodeId operand : node.operands)
        use(operand);
      return;
    }
    const ir::Loop& loop = graph_.loop_of(id);
    for (const auto* list : {&loop.inits, &loop.nexts, &loop.stacked, &loop.accumulated})
      for (NodeId operand : *list)
        use(operand);
    for (NodeId argument : loop.arguments)
      mark(argument);
    mark(loop.index);
  }

  int weight(NodeId id) {
    int& known = weight_[at(id)];
    if (known >= 0)
      return known;
    const Node& node = graph_.node(id);
    constexpr int heavy = 1000;
    int result = heavy;
    if (is_leaf(node.kind))
      result = node.kind == Kind::constant || node.kind == Kind::loop_index ? 0 : 1;
    else if (node.kind == Kind::map && operation_count(*node.op) <= light_operations)
      result = 1;
    else if (is_view(node.kind))
      result = node.kind == Kind::concat || node.kind == Kind::pad ? 2 : 0;
    else if (node.kind == Kind::gather)
      result = 2;
    if (result < heavy)
      for (NodeId operand : node.operands)
        result = std::min(heavy, result + weight(operand));
    return known = result;
  }

  std::int64_t elements(const Type& type) const {
    std::vector<AxisId> axes = type.axes;
    const AxisId home = home_axis(graph_, axes);
    std::erase(axes, home);
    return known_elements(graph_, axes, type.shape);
  }

  /** True when evaluating user reads elements of `id` more often than once each, or at places of its own. */
  bool reads_again(NodeId user, NodeId id) const {
    const Node& reader = graph_.node(user);
    const Type& type = graph_.type(id);
    switch (reader.kind) {
    case Kind::map:
    case Kind::random:
    case Kind::broadcast:
      return type.axes != reader.type.axes || type.shape != reader.type.shape;
    case Kind::reduce_sum:
    case Kind::reduce_max:
    case Kind::slice:
    case Kind::transpose:
    case Kind::reshape:
    case Kind::pad:
      return false;
    case Kind::loop: {
      const ir::Loop& loop = graph_.loop_of(user);
      return std::find(loop.inits.begin(), loop.inits.end(), id) != loop.inits.end() && loop.inits.size() > 1;
    }
    default:
      return true;
    }
  }

  bool materialize(NodeId id) const {
    const Node& node = graph_.node(id);
    const auto& users = usage_.users[at(id)];
    const std::size_t uses = users.size() + static_cast<std::size_t>(usage_.output_users[at(id)]);
    // Linear algebra reads its operands from memory.
    const auto reads_memory = [&](NodeId user) { return needs_memory(user); };
    if (node.kind != Kind::loop && std::any_of(users.begin(), users.end(), reads_memory))
      return true;
    switch (node.kind) {
    case Kind::loop:
    case Kind::loop_index:
      return false;
    case Kind::reduce_sum:
    case Kind::reduce_max:
    case Kind::contract:
    case Kind::random:
    case Kind::cholesky:
    case Kind::cholesky_grad:
    case Kind::solve_lower:
    case Kind::loop_result:
    case Kind::loop_argument:
      return true;
    case Kind::scatter_add:
      // One element of a short vector: a comparison where it is read.
      return !(node.axes.empty() && graph_.type(node.operands[0]).shape.empty() && uses <= 1 &&
               graph_.node(node.operands[0]).kind == Kind::constant);
    case Kind::gather:
      if (usage_.light[at(id)] || uses <= 1)
        return false;
      return elements(node.type) >= 0 && elements(node.type) <= small;
    case Kind::map:
      break;
    default:
      return false;
    }
    // A value from outside of a loop must not be recomputed in every iteration.
    if (usage_.light[at(id)])
      return false;
    if (uses > 1)
      return true;
    if (usage_.output_users[at(id)] > 0)
      return false;
    return uses == 1 && (reads_again(users[0], id) || graph_.node(users[0]).region != node.region);
  }

  bool needs_memory(NodeId user) const {
    const Kind kind = graph_.node(user).kind;
    return kind == Kind::cholesky || kind == Kind::cholesky_grad || kind == Kind::solve_lower;
  }

  const Graph& graph_;
  Usage usage_;
  std::vector<int> weight_;
};

} // namespace

bool is_view(Kind kind) {
  switch (kind) {
  case Kind::broadcast:
  case Kind::axis_to_dim:
  case Kind::slice:
  case Kind::pad:
  case Kind::concat:
  case Kind::reshape:
  case Kind::transpose:
  case Kind::expand:
    return true;
  default:
    return false;
  }
}

AxisId home_axis(const Graph& graph, const std::vector<AxisId>& axes) {
  for (AxisId axis : axes)
    if (graph.axis(axis).kind == AxisKind::plate || graph.axis(axis).kind == AxisKind::sequential_plate)
      return axis;
  return no_axis;
}

std::int64_t known_elements(const Graph& graph, const std::vector<AxisId>& axes,
                            const std::vector<ir::Extent>& shape) {
  std::int64_t count = 1;
  for (AxisId axis : axes) {
    if (!graph.axis(axis).extent.is_known())
      return -1;
    count *= graph.axis(axis).extent.value;
  }
  for (const ir::Extent& extent : shape) {
    if (!extent.is_known())
      return -1;
    count *= extent.value;
  }
  return count;
}

std::vector<AxisId> iteration_axes(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  std::vector<AxisId> axes = node.type.axes;
  for (NodeId operand : node.operands)
    axes = ir::unite(axes, graph.type(operand).axes);
  return axes;
}

Usage analyse_usage(const Graph& graph) {
  return Analysis(graph).run();
}

} // namespace plait::passes
