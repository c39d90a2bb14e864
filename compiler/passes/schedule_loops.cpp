#include "compiler/passes/schedule_internal.hpp"

#include "compiler/catalog/ops/rows.hpp"

#include <algorithm>

namespace plait::passes {

using ir::AxisId;
using ir::Graph;
using ir::Kind;
using ir::Node;
using ir::NodeId;

namespace {

std::size_t at(NodeId id) {
  return static_cast<std::size_t>(id);
}

/** All axes that occur in a region and the loops in it. */
void axes_of_region(const Graph& graph, const Usage& usage, ir::RegionId region, std::vector<AxisId>& axes) {
  for (NodeId id : graph.regions[static_cast<std::size_t>(region)].order) {
    if (!usage.live[at(id)])
      continue;
    axes = ir::unite(axes, iteration_axes(graph, id));
    if (graph.node(id).kind == Kind::loop)
      axes_of_region(graph, usage, graph.loop_of(id).body, axes);
  }
}

/** Whether something in the region mixes rows of `home`, but for the sums in `allowed`. */
bool mixes_rows(const Graph& graph, const Usage& usage, ir::RegionId region, AxisId home,
                const std::set<NodeId>& allowed) {
  for (NodeId id : graph.regions[static_cast<std::size_t>(region)].order) {
    const Node& node = graph.node(id);
    if (!usage.live[at(id)])
      continue;
    if (node.kind == Kind::loop && mixes_rows(graph, usage, graph.loop_of(id).body, home, {}))
      return true;
    if (node.kind == Kind::axis_to_dim && node.axes[0] == home)
      return true;
    if (is_reduction(node.kind) && ir::contains(node.axes, home) && !allowed.contains(id))
      return true;
  }
  return false;
}

bool collect_terms(const Graph& graph, const Usage& usage, NodeId id, AxisId home, ir::RegionId body,
                   SumTerm so_far, SumTerms& found) {
  const Node& node = graph.node(id);
  if (node.region != body || usage.users[at(id)].size() != 1 || usage.output_users[at(id)] > 0)
    return false;
  if (is_reduction(node.kind) && node.kind != Kind::reduce_max && ir::contains(node.axes, home)) {
    so_far.reduction = id;
    found.terms.push_back(std::move(so_far));
    return usage.materialized[at(id)];
  }
  if (node.kind != Kind::map)
    return false;
  found.absorbed.push_back(id);
  const auto follow = [&](std::size_t operand, SumTerm term) {
    return collect_terms(graph, usage, node.operands[operand], home, body, std::move(term), found);
  };
  // Only what commutes with a sum: the linear ops.
  SumTerm negative = so_far;
  negative.sign = -negative.sign;
  if (node.op == &op::add)
    return follow(0, so_far) && follow(1, so_far);
  if (node.op == &op::subtract)
    return follow(0, so_far) && follow(1, negative);
  if (node.op == &op::negate)
    return follow(0, negative);
  if (node.op == &op::multiply)
    for (std::size_t factor : {0u, 1u})
      if (is_root_scalar(graph.type(node.operands[factor]))) {
        SumTerm scaled = so_far;
        scaled.factors.push_back(node.operands[factor]);
        return follow(1 - factor, std::move(scaled));
      }
  return false;
}

} // namespace

bool is_reduction(Kind kind) {
  return kind == Kind::reduce_sum || kind == Kind::reduce_max || kind == Kind::contract ||
         kind == Kind::scatter_add;
}

std::optional<SumTerms> sum_terms(const Graph& graph, const Usage& usage, NodeId value, AxisId home,
                                  ir::RegionId body) {
  SumTerms found;
  if (!collect_terms(graph, usage, value, home, body, {}, found))
    return std::nullopt;
  return found;
}

AxisId loop_home(const Graph& graph, const Usage& usage, NodeId id) {
  const ir::Loop& loop = graph.loop_of(id);
  std::vector<AxisId> axes;
  axes_of_region(graph, usage, loop.body, axes);
  for (const auto* list : {&loop.inits, &loop.nexts, &loop.stacked, &loop.accumulated})
    for (NodeId value : *list)
      axes = ir::unite(axes, graph.type(value).axes);
  const AxisId home = home_axis(graph, axes);
  if (home == no_axis)
    return no_axis;
  for (const auto* list : {&loop.inits, &loop.nexts, &loop.stacked})
    for (NodeId value : *list)
      if (!graph.type(value).has_axis(home))
        return no_axis;
  std::set<NodeId> summed;
  for (NodeId value : loop.accumulated) {
    if (graph.type(value).has_axis(home))
      continue;
    const auto terms = sum_terms(graph, usage, value, home, loop.body);
    if (!terms)
      return no_axis;
    for (const SumTerm& term : terms->terms)
      summed.insert(term.reduction);
  }
  return mixes_rows(graph, usage, loop.body, home, summed) ? no_axis : home;
}

} // namespace plait::passes
