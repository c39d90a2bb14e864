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
  Analysis(const Graph& graph, int lanes) : graph_(graph), lanes_(lanes) {
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
    if (loop.lengths != ir::no_node)
      use(loop.lengths);
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

  /** The parameter in whose update alone, and element by element, the node's value ends up; -1 when there is
   * none. Such values are computed once for every element by the loop that stores the update. */
  int update_group(NodeId id) {
    constexpr int unknown = -2;
    if (groups_.empty()) {
      groups_.assign(graph_.nodes.size(), unknown);
      stored_.assign(graph_.nodes.size(), unknown);
      for (const ir::Output& output : graph_.outputs) {
        const bool is_update =
            output.kind == ir::OutputKind::store_parameter || output.kind == ir::OutputKind::store_slot;
        int& group = stored_[at(output.node)];
        group = is_update && (group == unknown || group == output.index) ? output.index : -1;
      }
    }
    if (groups_[at(id)] != unknown)
      return groups_[at(id)];
    int group = stored_[at(id)];
    for (NodeId user : usage_.users[at(id)]) {
      const Node& reader = graph_.node(user);
      const bool same_space = reader.kind == Kind::map && reader.type.axes == graph_.type(id).axes &&
                              reader.type.shape == graph_.type(id).shape;
      const int other = same_space ? update_group(user) : -1;
      group = group == unknown || group == other ? other : -1;
    }
    return groups_[at(id)] = group == unknown ? -1 : group;
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

  bool materialize(NodeId id) {
    const Node& node = graph_.node(id);
    const auto& users = usage_.users[at(id)];
    const std::size_t uses = users.size() + static_cast<std::size_t>(usage_.output_users[at(id)]);
    // Matrix products and linear algebra read their operands from memory; a parameter lies there already.
    const auto reads_memory = [&](NodeId user) {
      return needs_memory(user) &&
             !(node.kind == Kind::parameter && graph_.node(user).kind == Kind::contract);
    };
    if (node.kind != Kind::loop && std::any_of(users.begin(), users.end(), reads_memory))
      return true;
    const auto reads_rows = [&](NodeId user) {
      const auto rows = find_row_contraction(graph_, user, lanes_);
      return rows && rows->row_values == id;
    };
    if (find_data_rows(graph_, id, lanes_))
      return usage_.output_users[at(id)] == 0 && std::all_of(users.begin(), users.end(), reads_rows)
                 ? false
                 : node.kind == Kind::map || !(users.size() == 1 && find_data_rows(graph_, users[0], lanes_));
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
      return update_group(id) < 0;
    if (usage_.output_users[at(id)] > 0)
      return false;
    return uses == 1 && (reads_again(users[0], id) || graph_.node(users[0]).region != node.region);
  }

  bool needs_memory(NodeId user) const {
    switch (graph_.node(user).kind) {
    case Kind::cholesky:
    case Kind::cholesky_grad:
    case Kind::solve_lower:
      return true;
    case Kind::contract:
      return find_product(graph_, user).has_value();
    default:
      return false;
    }
  }

  const Graph& graph_;
  int lanes_;
  Usage usage_;
  std::vector<int> weight_, groups_, stored_;
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

Usage analyse_usage(const Graph& graph, int lanes) {
  return Analysis(graph, lanes).run();
}

} // namespace plait::passes
