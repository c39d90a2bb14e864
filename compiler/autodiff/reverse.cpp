#include "compiler/autodiff/reverse.hpp"

#include "compiler/autodiff/activity.hpp"
#include "compiler/autodiff/frame.hpp"
#include "compiler/autodiff/rules.hpp"
#include "compiler/catalog/ops.hpp"
#include "compiler/catalog/ops/rows.hpp"
#include "compiler/tensor_ir/print.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <set>
#include <stdexcept>

namespace plait::autodiff {

using ir::AxisId;
using ir::Builder;
using ir::Graph;
using ir::Kind;
using ir::Loop;
using ir::LoopResult;
using ir::no_node;
using ir::Node;
using ir::NodeId;
using ir::RegionId;
using ir::Type;
using ir::Value;

namespace {

std::size_t place(NodeId id) {
  return static_cast<std::size_t>(id);
}

/** An adjoint that comes through select(mask, x, y) is zero for x where the mask is not set, and for y where
 * it is. */
struct Guard {
  NodeId mask = no_node;
  bool set = true; ///< the adjoint may differ from zero where the mask is set; else where it is not
  friend bool operator==(const Guard&, const Guard&) = default;
};
using Guards = std::vector<Guard>;

class Reverse {
public:
  Reverse(Builder& builder, Value loss, std::span<const Value> with_respect_to, std::span<const NodeId> held)
      : builder_(builder), graph_(builder.graph()), loss_(loss),
        wanted_(with_respect_to.begin(), with_respect_to.end()), held_(held.begin(), held.end()),
        forward_values_(builder) {}

  std::vector<Value> run() {
    check();
    find_active();
    Frame frame;
    frame.forward = frame.reverse = builder_.current_region();
    if (active_[place(loss_.id())])
      frame.pending[loss_.id()].plain.push_back(builder_.real(1));
    region(frame);
    std::vector<Value> results;
    for (Value x : wanted_)
      results.push_back(result(frame, x));
    return results;
  }

private:
  void check() const {
    const Type& type = loss_.type();
    if (type.element != ir::Element::real || !type.is_scalar() || !type.axes.empty())
      throw std::logic_error("gradients: the loss must be a real scalar without axes, not " +
                             ir::to_string(graph_, type));
    const auto check_region = [&](Value value) {
      if (graph_.node(value.id()).region != builder_.current_region())
        throw std::logic_error("gradients: %" + std::to_string(value.id()) +
                               " does not lie in the current region");
    };
    check_region(loss_);
    for (Value x : wanted_) {
      check_region(x);
      if (x.type().element != ir::Element::real)
        throw std::logic_error("gradients: %" + std::to_string(x.id()) + " is not real");
    }
  }

  void find_active() {
    std::vector<bool> sources(graph_.nodes.size(), false);
    for (Value x : wanted_) {
      sources[place(x.id())] = true;
      if (graph_.node(x.id()).kind == Kind::parameter)
        parameters_.emplace(graph_.node(x.id()).index, x.id());
    }
    if (!parameters_.empty())
      for (std::size_t id = 0; id < graph_.nodes.size(); ++id)
        if (graph_.nodes[id].kind == Kind::parameter && parameters_.contains(graph_.nodes[id].index))
          sources[id] = true;
    std::vector<bool> held(graph_.nodes.size(), false);
    for (NodeId id : held_)
      held[place(id)] = true;
    active_ = active_nodes(graph_, sources, held);
  }

  /** The node that stands for all nodes reading the same parameter. */
  NodeId representative(NodeId id) const {
    const Node& node = graph_.node(id);
    if (node.kind != Kind::parameter)
      return id;
    const auto found = parameters_.find(node.index);
    return found == parameters_.end() ? id : found->second;
  }

  bool is_active(NodeId id) const { return place(id) < active_.size() && active_[place(id)]; }

  Value result(Frame& frame, Value x) {
    const Type type = x.type();
    if (const auto found = adjoints_.find(x.id()); found != adjoints_.end())
      return found->second;
    const auto pending = frame.pending.find(representative(x.id()));
    const Value value = pending == frame.pending.end() || pending->second.plain.empty()
                            ? builder_.zeros(type)
                            : builder_.broadcast_like(total(pending->second.plain), type);
    adjoints_.emplace(x.id(), value);
    return value;
  }

  /** Sums a contribution down to the type of the operand it is for. */
  Value reduce_to(Value value, const Type& type) {
    const std::vector<AxisId> axes = ir::subtract(value.type().axes, type.axes);
    std::vector<std::int32_t> dims;
    if (type.is_scalar()) {
      dims.resize(value.type().shape.size());
      std::iota(dims.begin(), dims.end(), 0);
    }
    return builder_.sum(value, axes, dims);
  }

  void contribute(Frame& frame, NodeId operand, Value value) {
    operand = representative(operand);
    const Type type = graph_.type(operand);
    frame.pending[operand].plain.push_back(reduce_to(value, type));
  }

  // ---- Masks ----
  // Where a mask switches a branch off, its values may be infinite or NaN (the logarithm of a padded zero).
  // Their derivatives must not turn the zero adjoint into NaN, so each product with one is masked again.

  Guards guards_of(Value adjoint) const {
    const auto found = guards_.find(adjoint.id());
    return found == guards_.end() ? Guards() : found->second;
  }

  /** Notes those of `guards` that hold for an adjoint of that type: `elementwise`, it has the dimensions of
   * the masks. */
  void set_guards(Value adjoint, const Guards& guards, bool elementwise) {
    const Type& type = adjoint.type();
    Guards holding;
    for (const Guard& guard : guards) {
      const Type& mask = graph_.type(guard.mask);
      if (ir::is_subset(mask.axes, type.axes) &&
          (mask.is_scalar() || (elementwise && mask.shape == type.shape)) &&
          std::find(holding.begin(), holding.end(), guard) == holding.end())
        holding.push_back(guard);
    }
    if (!holding.empty())
      guards_[adjoint.id()] = std::move(holding);
  }

  Value guarded(Value adjoint, const Guards& guards) {
    const Value zero = guards.empty() ? Value() : builder_.real(0);
    for (const Guard& guard : guards) {
      const Value mask = builder_.value(guard.mask);
      adjoint = guard.set ? ir::select(mask, adjoint, zero) : ir::select(mask, zero, adjoint);
    }
    return adjoint;
  }

  /** The sum of contributions; masked off where all of them are. */
  Value total(const std::vector<Value>& parts) {
    Value sum = parts.front();
    Guards common = guards_of(sum);
    for (std::size_t k = 1; k < parts.size(); ++k) {
      const Guards others = guards_of(parts[k]);
      std::erase_if(common, [&](const Guard& guard) {
        return std::find(others.begin(), others.end(), guard) == others.end();
      });
      sum = sum + parts[k];
    }
    set_guards(sum, common, true);
    return sum;
  }

  Value total_like(const std::vector<Value>& parts, const Type& type) {
    const Value sum = total(parts);
    const Value full = builder_.broadcast_like(sum, type);
    if (full.id() != sum.id())
      set_guards(full, guards_of(sum), true);
    return full;
  }

  /** One number for every value of what is summed out. A value that cannot be (log p = -inf) weighs 0
   * exactly, and so is the adjoint of what its weight is made of, whose own derivatives may be infinite: of
   * log(k * r) at k = 0. Then 0 * inf stands for 0. The derivative of exp is its value, which is finite in
   * a finite sum. */
  bool is_of_summed_out(const Type& type) const {
    return std::any_of(type.axes.begin(), type.axes.end(),
                       [&](AxisId axis) { return graph_.axis(axis).kind == ir::AxisKind::enumerated; });
  }

  /** Ops whose derivative is a sign or a selection cannot make NaN of zero. */
  static bool is_linear(const ir::Op* op) {
    return op == &op::add || op == &op::subtract || op == &op::negate || op == &op::select;
  }

  /** Differentiates the nodes of a region from the last to the first. Contributions to nodes of enclosing
   * regions stay in frame.pending. */
  void region(Frame& frame) {
    const std::vector<NodeId> order = graph_.regions[place(frame.forward)].order;
    for (std::size_t n = order.size(); n-- > 0;) {
      const NodeId id = order[n];
      if (!is_active(id))
        continue;
      if (graph_.node(id).kind == Kind::loop) {
        loop(frame, id);
        continue;
      }
      if (representative(id) != id ||
          (graph_.node(id).kind == Kind::parameter && parameters_.contains(graph_.node(id).index)))
        continue; // complete only when the whole region is done
      const auto pending = frame.pending.find(id);
      if (pending == frame.pending.end() || pending->second.plain.empty())
        continue;
      const ir::Origin before = builder_.origin();
      builder_.set_origin(graph_.node(id).origin);
      const Type type = graph_.type(id);
      const Value grad = total_like(pending->second.plain, type);
      frame.pending.erase(pending);
      node(frame, id, grad);
      builder_.set_origin(before);
    }
  }

  void node(Frame& frame, NodeId id, Value grad) {
    if (!frame.parent && std::any_of(wanted_.begin(), wanted_.end(), [&](Value x) { return x.id() == id; }))
      adjoints_.emplace(id, grad);
    const Node& node = graph_.node(id);
    if (node.kind == Kind::loop_argument && frame.parent) {
      frame.argument_adjoints.emplace(place(node.index), grad);
      return;
    }
    if (node.kind == Kind::loop_result) {
      loop_adjoints_[node.operands[0]][{node.result, place(node.index)}].push_back(grad);
      return;
    }
    if (node.kind == Kind::gather && reads_row_of_iteration(frame, id, grad))
      return;
    by_rule(frame, id, grad);
  }

  /** Applies the rule of a node within one region. The rule sees stand-ins for the forward values; only those
   * that the contributions really use are then read, and only the code that they really use is kept. */
  void by_rule(Frame& frame, NodeId id, Value grad) {
    const std::vector<NodeId> operands = graph_.node(id).operands;
    std::map<NodeId, NodeId> stand_ins; // stand-in → forward node
    const auto value_of = [&](NodeId forward) {
      if (!frame.parent)
        return builder_.value(forward);
      Node stand_in;
      stand_in.kind = Kind::broadcast;
      stand_in.type = graph_.type(forward);
      const NodeId made = static_cast<NodeId>(graph_.nodes.size());
      graph_.nodes.push_back(std::move(stand_in)); // in the arena only, in no region
      stand_ins.emplace(made, forward);
      return builder_.value(made);
    };
    std::vector<NodeId>& order = graph_.regions[place(frame.reverse)].order;
    const std::size_t begin = order.size();
    std::vector<std::optional<Value>> parts = contributions(builder_, id, grad, value_of);

    std::set<NodeId> needed;
    for (std::size_t k = 0; k < operands.size(); ++k) {
      if (!is_active(operands[k]))
        parts[k].reset();
      if (parts[k])
        needed.insert(parts[k]->id());
    }
    const std::vector<NodeId> made(order.begin() + static_cast<std::ptrdiff_t>(begin), order.end());
    graph_.regions[place(frame.reverse)].order.resize(begin);
    std::vector<NodeId> kept;
    for (std::size_t n = made.size(); n-- > 0;) {
      if (!needed.contains(made[n]))
        continue;
      kept.push_back(made[n]);
      needed.insert(graph_.node(made[n]).operands.begin(), graph_.node(made[n]).operands.end());
    }
    std::map<NodeId, NodeId> values;
    for (const auto& [stand_in, forward] : stand_ins)
      if (needed.contains(stand_in))
        values.emplace(stand_in, forward_values_.read(frame, forward).id());
    for (std::size_t n = kept.size(); n-- > 0;) {
      for (NodeId& operand : graph_.node(kept[n]).operands)
        if (const auto value = values.find(operand); value != values.end())
          operand = value->second;
      graph_.regions[place(frame.reverse)].order.push_back(kept[n]);
    }
    for (std::size_t k = 0; k < operands.size(); ++k) {
      if (!parts[k])
        continue;
      const auto value = values.find(parts[k]->id());
      Value part = value == values.end() ? *parts[k] : builder_.value(value->second);
      const ir::Op* op = graph_.node(id).op;
      const bool elementwise = op != nullptr;
      Guards guards = guards_of(grad);
      if (elementwise && !is_linear(op))
        part = guarded(part, guards);
      if (elementwise && !is_linear(op) && op != &op::exp && is_of_summed_out(graph_.type(id)))
        part = ir::select(ir::equal(grad, builder_.real(0)), builder_.real(0), part);
      if (op == &op::select)
        guards.push_back({forward_values_.read(frame, operands[0]).id(), k == 1});
      contribute(frame, operands[k], part);
      set_guards(frame.pending[representative(operands[k])].plain.back(), guards, elementwise);
    }
  }

  /** gather(table, loop_index) of a table from outside of that loop, with one row for every iteration: the
   * adjoint of the iteration is the adjoint of its row, and the whole is a stacked result of the reverse
   * loop. */
  bool reads_row_of_iteration(Frame& frame, NodeId id, Value grad) {
    const Node& gather = graph_.node(id);
    const NodeId table = gather.operands[0], index = gather.operands[1];
    if (gather.dim != 0 || graph_.node(index).kind != Kind::loop_index || !is_active(table))
      return false;
    const RegionId body = graph_.node(index).region;
    const NodeId loop = graph_.regions[place(body)].owner;
    const Frame* scope = &frame;
    for (; scope && scope->forward != graph_.node(table).region; scope = scope->parent)
      if (scope->forward == body)
        break;
    if (!scope || scope->forward != body || scope->forward == graph_.node(table).region || !scope->parent)
      return false;
    if (!(graph_.type(table).shape[0] == graph_.loop_of(loop).trip_count))
      return false;
    const std::vector<AxisId> axes = ir::subtract(grad.type().axes, graph_.type(table).axes);
    frame.pending[representative(table)].at_index[loop].push_back(builder_.sum(grad, axes));
    return true;
  }

  // ---- Loops ----

  using ResultAdjoints = std::map<std::pair<LoopResult, std::size_t>, std::vector<Value>>;

  void loop(Frame& frame, NodeId id) {
    const auto found = loop_adjoints_.find(id);
    if (found == loop_adjoints_.end())
      return;
    const ResultAdjoints adjoints = std::move(found->second);
    loop_adjoints_.erase(found);
    const Loop loop = graph_.loop_of(id); // a copy: stacked results may be added meanwhile

    std::vector<NodeId> seeds;
    for (const auto& [which, parts] : adjoints) {
      const auto& [kind, number] = which;
      seeds.push_back(kind == LoopResult::carried   ? loop.nexts[number]
                      : kind == LoopResult::stacked ? loop.stacked[number]
                                                    : loop.accumulated[number]);
    }
    std::set<std::size_t> needed = needed_carried(graph_, id, active_, seeds);
    for (const auto& [which, parts] : adjoints)
      if (which.first == LoopResult::carried)
        needed.insert(which.second);
    const std::vector<std::size_t> carried(needed.begin(), needed.end());

    std::vector<Value> inits;
    for (std::size_t k : carried) {
      const Type type = graph_.type(loop.arguments[k]);
      const auto given = adjoints.find({LoopResult::carried, k});
      inits.push_back(given == adjoints.end() ? builder_.zeros(type)
                                              : builder_.broadcast_like(total(given->second), type));
    }
    std::map<std::pair<LoopResult, std::size_t>, Value> given;
    for (const auto& [which, parts] : adjoints)
      if (which.first != LoopResult::carried)
        given.emplace(which, total(parts));

    const ir::Origin before = builder_.origin();
    builder_.set_origin(graph_.node(id).origin);
    // The adjoints of a row that an iteration does not concern are handed on unchanged, as its values were.
    const std::optional<Value> lengths =
        loop.lengths == no_node ? std::optional<Value>() : forward_values_.read(frame, loop.lengths);
    const NodeId reverse = builder_.begin_loop(loop.trip_count, !loop.reverse, inits, lengths);
    Frame body;
    body.parent = &frame;
    body.forward = loop.body;
    body.reverse = builder_.current_region();
    body.forward_loop = id;
    body.reverse_index = builder_.loop_index(reverse);
    for (std::size_t n = 0; n < carried.size(); ++n)
      seed(body, loop.nexts[carried[n]], builder_.loop_argument(reverse, n));
    for (const auto& [which, adjoint] : given) {
      if (which.first == LoopResult::stacked)
        seed(body, loop.stacked[which.second], builder_.gather(adjoint, body.reverse_index, 0));
      else
        seed(body, loop.accumulated[which.second], adjoint);
    }
    region(body);

    std::vector<Value> nexts;
    for (std::size_t k : carried) {
      const Type type = graph_.type(loop.arguments[k]);
      const auto adjoint = body.argument_adjoints.find(k);
      nexts.push_back(adjoint == body.argument_adjoints.end() ? builder_.zeros(type) : adjoint->second);
      body.argument_adjoints.erase(k);
    }
    if (!body.argument_adjoints.empty())
      throw std::logic_error("gradients: an adjoint reached a carried value that was not foreseen");
    finish(frame, body, reverse, nexts, carried, loop);
    builder_.set_origin(before);
  }

  void seed(Frame& body, NodeId value, Value adjoint) {
    if (is_active(value))
      contribute(body, value, adjoint);
  }

  /** Closes the reverse loop and hands the adjoints of inits and captured values to the enclosing frame. */
  void finish(Frame& frame, Frame& body, NodeId reverse, const std::vector<Value>& nexts,
              const std::vector<std::size_t>& carried, const Loop& loop) {
    struct Target {
      NodeId node;
      NodeId index_loop; // the contribution is for the row of an iteration of that enclosing loop
    };
    std::vector<Value> stacked, accumulated;
    std::vector<Target> stacked_targets, accumulated_targets;
    const auto accumulate = [&](Value value, Target target) {
      accumulated.push_back(value);
      accumulated_targets.push_back(target);
    };
    for (const auto& [node, pending] : body.pending) {
      // Scattered contributions stay apart: each can be added in place.
      std::vector<Value> dense;
      for (Value part : pending.plain)
        if (graph_.node(part.id()).kind == Kind::scatter_add)
          accumulate(part, {node, no_node});
        else
          dense.push_back(part);
      if (!dense.empty())
        accumulate(total(dense), {node, no_node});
      for (const auto& [index_loop, parts] : pending.at_index) {
        if (index_loop == body.forward_loop) {
          stacked.push_back(total(parts));
          stacked_targets.push_back({node, no_node});
        } else {
          accumulate(total(parts), {node, index_loop});
        }
      }
    }
    const ir::LoopValues results = builder_.finish_loop(reverse, nexts, stacked, accumulated);
    for (std::size_t n = 0; n < carried.size(); ++n)
      if (is_active(loop.inits[carried[n]]))
        contribute(frame, loop.inits[carried[n]], results.carried[n]);
    for (std::size_t n = 0; n < stacked.size(); ++n)
      contribute(frame, stacked_targets[n].node, results.stacked[n]);
    for (std::size_t n = 0; n < accumulated.size(); ++n) {
      const Target target = accumulated_targets[n];
      if (target.index_loop == no_node)
        contribute(frame, target.node, results.accumulated[n]);
      else
        frame.pending[target.node].at_index[target.index_loop].push_back(results.accumulated[n]);
    }
  }

  Builder& builder_;
  Graph& graph_;
  const Value loss_;
  const std::vector<Value> wanted_;
  const std::vector<NodeId> held_;
  ForwardValues forward_values_;
  std::vector<bool> active_;
  std::map<std::int32_t, NodeId>
      parameters_;                   ///< wanted parameters → the node that stands for all their readers
  std::map<NodeId, Value> adjoints_; ///< of wanted nodes
  std::map<NodeId, Guards> guards_;  ///< by adjoint
  std::map<NodeId, ResultAdjoints> loop_adjoints_; ///< gathered from loop_result nodes, by loop
};

} // namespace

std::vector<Value> gradients(Builder& builder, Value loss, std::span<const Value> with_respect_to,
                             std::span<const NodeId> held) {
  return Reverse(builder, loss, with_respect_to, held).run();
}

} // namespace plait::autodiff
