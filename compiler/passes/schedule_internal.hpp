/** \file
 * The scheduler's own state, shared by its files: placement.cpp decides what is materialized, schedule.cpp
 * orders statements into phases and gives them memory.
 */
#pragma once

#include "compiler/passes/schedule.hpp"

#include <map>
#include <set>
#include <unordered_map>

namespace plait::passes {

/** Which nodes matter, who reads them, and which are computed into memory. */
struct Usage {
  std::vector<char> live;
  std::vector<std::vector<ir::NodeId>>
      users;                     ///< live readers; a loop reads its inits, and what its body hands over
  std::vector<int> output_users; ///< number of outputs that read the node
  std::vector<char> materialized;
  std::vector<char> light; ///< cheaper to recompute than to load
};
Usage analyse_usage(const ir::Graph& graph, int lanes);

/** Axes over which the statement of `node` iterates: its own and those it sums. */
std::vector<ir::AxisId> iteration_axes(const ir::Graph& graph, ir::NodeId node);

/** A sum over rows inside of a loop whose total over the iterations is wanted: times a sign and numbers that
 * do not differ from row to row. */
struct SumTerm {
  ir::NodeId reduction = ir::no_node;
  double sign = 1;
  std::vector<ir::NodeId> factors;
};
struct SumTerms {
  std::vector<SumTerm> terms;
  std::vector<ir::NodeId> absorbed; ///< the linear ops between the sums and the total
};
/** `value`, accumulated by the loop with this body, as sums over the rows of `home`; empty when it is
 * anything else. */
std::optional<SumTerms> sum_terms(const ir::Graph& graph, const Usage& usage, ir::NodeId value,
                                  ir::AxisId home, ir::RegionId body);

/** The plate in whose rows the whole loop runs, iteration by iteration; no_axis when iterations depend on
 * several rows. Sums over the rows may only be accumulated. */
ir::AxisId loop_home(const ir::Graph& graph, const Usage& usage, ir::NodeId loop);

/** Rows of a tile and number of chunks of every phase, from what its buffers and accumulators take. */
void choose_tiles(const ir::Graph& graph, const ScheduleOptions& options, Schedule& schedule);

/** Lists the run-time extents and the named inputs of the graph in the order of the ABI: by name. */
void name_arguments(const ir::Graph& graph, Schedule& schedule);

/** Kinds that sum over axes. */
bool is_reduction(ir::Kind kind);

/** True for kinds that never own memory. */
bool is_view(ir::Kind kind);

/** Calls visit(materialized node, crossed) for everything that evaluating `node` reads, going through inlined
 * nodes; `crossed` tells that an axis was turned into a dimension on the way, so that foreign rows are read.
 */
template <class Visit>
void for_each_read(const ir::Graph& graph, const Usage& usage, ir::NodeId node, const Visit& visit) {
  std::set<std::pair<ir::NodeId, bool>> seen;
  const auto walk = [&](const auto& self, ir::NodeId id, bool crossed) -> void {
    if (!seen.insert({id, crossed}).second)
      return;
    if (usage.materialized[static_cast<std::size_t>(id)]) {
      visit(id, crossed);
      return;
    }
    const ir::Node& at = graph.node(id);
    for (ir::NodeId operand : at.operands)
      self(self, operand, crossed || at.kind == ir::Kind::axis_to_dim);
  };
  const ir::Node& root = graph.node(node);
  for (ir::NodeId operand : root.operands)
    walk(walk, operand, root.kind == ir::Kind::axis_to_dim);
}

} // namespace plait::passes
