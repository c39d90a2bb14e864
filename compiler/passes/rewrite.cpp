#include "compiler/passes/rewrite.hpp"

#include "compiler/catalog/ops.hpp"

#include "compiler/tensor_ir/print.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

namespace plait::passes {

using ir::Kind;
using ir::Loop;
using ir::LoopResult;
using ir::Node;
using ir::NodeId;
using ir::RegionId;
using ir::Value;

namespace {
std::size_t place(NodeId id) {
  return static_cast<std::size_t>(id);
}
} // namespace

Rewriter::Rewriter(const ir::Graph& source) : source_(source), builder_(result_), map_(source.nodes.size()) {
  result_.axes = source.axes;
  result_.minibatches = source.minibatches;
  result_.parameters = source.parameters;
  result_.data = source.data;
}

ir::Graph Rewriter::run() {
  region(ir::root_region);
  for (ir::Output output : source_.outputs) {
    output.node = mapped(output.node).id();
    result_.outputs.push_back(std::move(output));
  }
  return std::move(result_);
}

Value Rewriter::visit(Node node) {
  return builder_.append(std::move(node));
}

bool Rewriter::is_wanted(NodeId) const {
  return true;
}

Rewriter::Carried Rewriter::carried(NodeId, std::size_t) const {
  return Carried::keep;
}

bool Rewriter::keeps_result(NodeId, LoopResult, std::size_t) const {
  return true;
}

Rewriter::Factored Rewriter::factored(Value accumulated, RegionId) {
  return {accumulated, std::nullopt};
}

std::optional<Value> Rewriter::result_of_invariant(LoopResult, Value, const ir::Extent&) {
  return std::nullopt;
}

Value Rewriter::mapped(NodeId old) const {
  const Value value = map_[place(old)];
  if (!value)
    throw std::logic_error("pass: %" + std::to_string(old) + " is used, but was left out");
  return value;
}

void Rewriter::region(RegionId id) {
  for (NodeId old : source_.regions[place(id)].order) {
    const Node& from = source_.node(old);
    if (from.kind == Kind::loop_index || from.kind == Kind::loop_argument || !is_wanted(old))
      continue; // index and arguments are made with their loop
    builder_.set_origin(from.origin);
    if (from.kind == Kind::loop) {
      loop(old);
      continue;
    }
    if (from.kind == Kind::loop_result) {
      const auto made = loop_results_.find({from.operands[0], from.result, place(from.index)});
      if (made == loop_results_.end())
        throw std::logic_error("pass: a result of %" + std::to_string(from.operands[0]) +
                               " is used, but was left out");
      map_[place(old)] = made->second;
      continue;
    }
    Node copy = from;
    for (NodeId& operand : copy.operands)
      operand = mapped(operand).id();
    const Value made = visit(std::move(copy));
    if (!(made.type() == from.type))
      throw std::logic_error("pass: %" + std::to_string(old) + " changes its type from " +
                             ir::to_string(source_, from.type) + " to " +
                             ir::to_string(result_, made.type()));
    map_[place(old)] = made;
  }
}

bool Rewriter::is_inside(Value value, RegionId body) const {
  for (RegionId region = result_.node(value.id()).region; region >= 0;
       region = result_.regions[place(region)].parent)
    if (region == body)
      return true;
  return false;
}

void Rewriter::loop(NodeId id) {
  const Loop& from = source_.loop_of(id);
  std::vector<std::size_t> kept;
  std::vector<Value> inits;
  for (std::size_t k = 0; k < from.inits.size(); ++k) {
    switch (carried(id, k)) {
    case Carried::keep:
      kept.push_back(k);
      inits.push_back(mapped(from.inits[k]));
      break;
    case Carried::drop:
      break;
    case Carried::stays_init:
      map_[place(from.arguments[k])] = mapped(from.inits[k]);
      loop_results_[{id, LoopResult::carried, k}] = mapped(from.inits[k]);
      break;
    }
  }
  const NodeId made =
      builder_.begin_loop(from.trip_count, from.reverse, inits,
                          from.lengths == ir::no_node ? std::optional<Value>() : mapped(from.lengths));
  const RegionId body = builder_.current_region();
  if (from.index != ir::no_node)
    map_[place(from.index)] = builder_.loop_index(made);
  for (std::size_t n = 0; n < kept.size(); ++n)
    map_[place(from.arguments[kept[n]])] = builder_.loop_argument(made, n);
  enter_body();
  region(from.body);

  std::vector<Value> nexts;
  for (std::size_t k : kept)
    nexts.push_back(mapped(from.nexts[k]));
  using Numbers = std::vector<std::pair<std::size_t, std::size_t>>; // number in the old loop, in the new one
  std::map<std::size_t, Value> factors; // of accumulated values, by number in the old loop
  const auto collect = [&](LoopResult result, const std::vector<NodeId>& values, Numbers& numbers,
                           std::vector<Value>& collected) {
    for (std::size_t k = 0; k < values.size(); ++k) {
      if (!keeps_result(id, result, k))
        continue;
      Value value = mapped(values[k]);
      if (result == LoopResult::accumulated) {
        const Factored split = factored(value, body);
        value = split.added_up;
        if (split.factor)
          factors[k] = *split.factor;
      }
      if (!is_inside(value, body)) {
        builder_.set_current_region(result_.regions[place(body)].parent);
        const std::optional<Value> simpler = result_of_invariant(result, value, from.trip_count);
        builder_.set_current_region(body);
        if (simpler) {
          loop_results_[{id, result, k}] = *simpler;
          continue;
        }
      }
      // One result for each value, however many places of the old list held it.
      const auto same = std::find_if(collected.begin(), collected.end(),
                                     [&](Value other) { return other.id() == value.id(); });
      numbers.emplace_back(k, static_cast<std::size_t>(same - collected.begin()));
      if (same == collected.end())
        collected.push_back(value);
    }
  };
  Numbers stacked_numbers, accumulated_numbers;
  std::vector<Value> stacked, accumulated;
  collect(LoopResult::stacked, from.stacked, stacked_numbers, stacked);
  collect(LoopResult::accumulated, from.accumulated, accumulated_numbers, accumulated);
  leave_body();
  const ir::LoopValues values = builder_.finish_loop(made, nexts, stacked, accumulated);
  for (std::size_t n = 0; n < kept.size(); ++n)
    loop_results_[{id, LoopResult::carried, kept[n]}] = values.carried[n];
  for (const auto& [old, now] : stacked_numbers)
    loop_results_[{id, LoopResult::stacked, old}] = values.stacked[now];
  for (const auto& [old, now] : accumulated_numbers)
    loop_results_[{id, LoopResult::accumulated, old}] = values.accumulated[now];
  for (const auto& [number, factor] : factors) {
    Value& sum = loop_results_.at({id, LoopResult::accumulated, number});
    sum = builder_.broadcast_like(sum * factor, source_.type(from.accumulated[number]));
  }
}

} // namespace plait::passes
