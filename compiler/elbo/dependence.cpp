#include "compiler/elbo/dependence.hpp"

namespace plait::elbo {

using ir::AxisId;
using ir::Kind;
using ir::NodeId;

namespace {

Iterations united(Iterations a, Iterations b) {
  return {a.same || b.same, a.later || b.later, a.earlier || b.earlier};
}

/** Iterations reached by carrying a value from each of `from` to the ones after it. */
Iterations carried(Iterations from, bool reverse) {
  const bool against = reverse ? from.later : from.earlier;
  if (against)
    return Iterations::all();
  const bool onward = from.same || (reverse ? from.earlier : from.later);
  return reverse ? Iterations{false, false, onward} : Iterations{false, onward, false};
}

bool is_array(const ir::Graph& graph, NodeId node) {
  return !graph.type(node).shape.empty();
}

} // namespace

void Dependence::join(std::optional<State>& state, const State& other) {
  if (state)
    state = State{ir::unite(state->crossed, other.crossed), united(state->iterations, other.iterations)};
  else
    state = other;
}

NodeId Dependence::outer_loop(NodeId node) const {
  NodeId loop = ir::no_node;
  for (ir::RegionId region = graph_.node(node).region; region != ir::root_region;
       region = graph_.regions[static_cast<std::size_t>(region)].parent)
    loop = graph_.regions[static_cast<std::size_t>(region)].owner;
  return loop;
}

bool Dependence::parallel(NodeId loop) const {
  return source_loop_ != ir::no_node && loop != ir::no_node &&
         graph_.loop_of(loop).trip_count == graph_.loop_of(source_loop_).trip_count;
}

Iterations Dependence::read(NodeId reader, std::size_t operand) const {
  const ir::Node& node = graph_.node(reader);
  const NodeId from = node.operands.at(operand);
  const Iterations iterations = state_[static_cast<std::size_t>(from)]->iterations;
  const NodeId here = outer_loop(reader);
  if (outer_loop(from) == here) {
    if (here != ir::no_node)
      return iterations;
    // Elementwise work keeps the elements of an array in their places.
    const bool in_place = (node.kind == Kind::map || node.kind == Kind::broadcast) && is_array(graph_, from);
    return in_place ? iterations : Iterations::all();
  }
  // The body of a loop reads element `index` of an array in iteration `index`.
  if (node.kind == Kind::gather && operand == 0 && node.dim == 0 && parallel(here)) {
    const ir::Node& index = graph_.node(node.operands.at(1));
    if (index.kind == Kind::loop_index &&
        graph_.regions[static_cast<std::size_t>(index.region)].owner == here)
      return iterations;
  }
  return Iterations::all();
}

Dependence::Dependence(const ir::Graph& graph, const std::vector<NodeId>& sources,
                       const std::vector<NodeId>& barriers)
    : graph_(graph), state_(graph.nodes.size()) {
  std::vector<bool> fixed(graph.nodes.size(), false);
  for (NodeId barrier : barriers)
    fixed[static_cast<std::size_t>(barrier)] = true;
  if (sources.size() == 1)
    source_loop_ = outer_loop(sources.front());
  const Iterations at_source = source_loop_ == ir::no_node ? Iterations::all() : Iterations{.same = true};
  std::vector<AxisId> source_axes;
  for (NodeId source : sources) {
    // In a loop a source may come to depend on its own draw of an iteration before: z[t] ~ q(. | z[t - 1]).
    state_[static_cast<std::size_t>(source)] = State{{}, at_source};
    source_axes = ir::unite(source_axes, graph.type(source).axes);
  }
  const auto state_of = [&](NodeId id) -> const std::optional<State>& {
    return state_[static_cast<std::size_t>(id)];
  };
  // Nodes are in order except that a loop's argument depends on the body's next value: repeat until nothing
  // changes.
  bool changed = true;
  while (changed) {
    changed = false;
    for (std::size_t k = 0; k < graph.nodes.size(); ++k) {
      const ir::Node& node = graph.nodes[k];
      const auto id = static_cast<NodeId>(k);
      if (fixed[k])
        continue;
      std::optional<State> state = state_[k];
      if (node.kind == Kind::loop_argument) {
        const NodeId owner = graph.regions[static_cast<std::size_t>(node.region)].owner;
        const ir::Loop& loop = graph.loop_of(owner);
        const auto number = static_cast<std::size_t>(node.index);
        const bool outermost = outer_loop(owner) == ir::no_node;
        if (const auto& init = state_of(loop.inits.at(number)))
          join(state, outermost ? State{init->crossed, Iterations::all()} : *init);
        if (number < loop.nexts.size())
          if (const auto& next = state_of(loop.nexts[number])) {
            State here = *next;
            if (outermost)
              here.iterations = parallel(owner) ? carried(here.iterations, loop.reverse) : Iterations::all();
            join(state, here);
          }
      } else if (node.kind == Kind::loop_result) {
        const NodeId owner = node.operands.at(0);
        const ir::Loop& loop = graph.loop_of(owner);
        const auto number = static_cast<std::size_t>(node.index);
        const bool leaves = outer_loop(owner) == ir::no_node;
        const auto take = [&](NodeId from, bool keeps_place) {
          if (const auto& other = state_of(from))
            join(state, leaves && !(keeps_place && parallel(owner)) ? State{other->crossed, Iterations::all()}
                                                                    : *other);
        };
        switch (node.result) {
        case ir::LoopResult::carried:
          take(loop.inits.at(number), false);
          take(loop.nexts.at(number), false);
          break;
        case ir::LoopResult::stacked:
          take(loop.stacked.at(number), true);
          break;
        case ir::LoopResult::accumulated:
          take(loop.accumulated.at(number), false);
          break;
        }
      } else if (node.kind != Kind::loop) {
        // stop_gradient is no exception: a cost depends on a draw whether or not a derivative flows.
        for (std::size_t operand = 0; operand < node.operands.size(); ++operand)
          if (const auto& other = state_of(node.operands[operand]))
            join(state, State{other->crossed, read(id, operand)});
      }
      if (state) {
        const bool crosses = node.kind == Kind::axis_to_dim || node.kind == Kind::reduce_sum ||
                             node.kind == Kind::reduce_max || node.kind == Kind::contract ||
                             node.kind == Kind::scatter_add;
        if (crosses)
          for (AxisId axis : node.axes)
            if (ir::contains(source_axes, axis))
              state->crossed = ir::unite(state->crossed, {axis});
      }
      if (state != state_[k]) {
        state_[k] = std::move(state);
        changed = true;
      }
    }
  }
}

} // namespace plait::elbo
