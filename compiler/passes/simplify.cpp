#include "compiler/passes/simplify.hpp"

#include "compiler/catalog/ops/rows.hpp"
#include "compiler/passes/simplifier.hpp"
#include "compiler/tensor_ir/type_rules.hpp"

#include <algorithm>
#include <cmath>

namespace plait::passes {

using ir::AxisId;
using ir::Extent;
using ir::Kind;
using ir::Node;
using ir::NodeId;
using ir::Type;
using ir::Value;

namespace {

/** The number of a constant whose elements are all the same. */
std::optional<double> uniform_literal(const Node& node) {
  const std::vector<double>& numbers = node.literal;
  if (numbers.empty() ||
      !std::all_of(numbers.begin(), numbers.end(), [&](double x) { return x == numbers.front(); }))
    return std::nullopt;
  return numbers.front();
}

std::optional<double> uniform_number(const ir::Graph& graph, NodeId id) {
  const Node* node = &graph.node(id);
  while (node->kind == Kind::broadcast || node->kind == Kind::expand)
    node = &graph.node(node->operands[0]);
  return node->kind == Kind::constant ? uniform_literal(*node) : std::nullopt;
}

} // namespace

Rewriter::Carried Simplifier::carried(NodeId old_loop, std::size_t number) const {
  const ir::Loop& loop = source().loop_of(old_loop);
  if (loop.nexts[number] == loop.arguments[number])
    return Carried::stays_init;
  const auto first = uniform_number(source(), loop.inits[number]);
  const auto next = uniform_number(source(), loop.nexts[number]);
  return first && next && *first == *next ? Carried::stays_init : Carried::keep;
}

std::optional<Value> Simplifier::result_of_invariant(ir::LoopResult result, Value value,
                                                     const Extent& trip_count) {
  if (result == ir::LoopResult::stacked)
    return expand(value, 0, trip_count);
  if (value.type().element == ir::Element::real)
    return make(op::multiply, {value, real_extent(trip_count)});
  return std::nullopt;
}

Value Simplifier::emit(Node node) {
  node.region = builder().current_region();
  node.type = ir::infer_type(graph(), node);
  if (const Simpler simpler = rule(node))
    return *simpler;
  return builder().append(std::move(node));
}

Simpler Simplifier::rule(const Node& node) {
  switch (node.kind) {
  case Kind::map:
    return map_rule(node);
  case Kind::reduce_sum:
    return sum_rule(node);
  case Kind::reduce_max:
    return max_rule(node);
  case Kind::contract:
    return contract_rule(node);
  case Kind::constant:
    // One number says it all.
    if (node.literal.size() > 1 || !node.type.is_scalar())
      if (const auto same = uniform_literal(node))
        return uniform_like(*same, node.type);
    return std::nullopt;
  case Kind::extent:
    if (node.extents[0].is_known())
      return number(ir::Element::integer, static_cast<double>(node.extents[0].value));
    return std::nullopt;
  default:
    return shape_rule(node);
  }
}

// ---- Making nodes ----

Value Simplifier::make(const ir::Op& op, const std::vector<Value>& inputs) {
  Node node;
  node.kind = Kind::map;
  node.op = &op;
  for (Value input : inputs)
    node.operands.push_back(input.id());
  return emit(std::move(node));
}

Value Simplifier::make(const ir::Op& op, std::initializer_list<Value> inputs) {
  return make(op, std::vector<Value>(inputs));
}

Value Simplifier::make(Node node, std::initializer_list<Value> operands) {
  node.operands.clear();
  for (Value operand : operands)
    node.operands.push_back(operand.id());
  return emit(std::move(node));
}

Value Simplifier::number(ir::Element element, double value) {
  return builder().literal(element, {}, {value});
}

Value Simplifier::uniform_like(double value, const Type& type) {
  const Type wanted = type;
  return as_type(number(wanted.element, value), wanted);
}

Value Simplifier::broadcast(Value value, const std::vector<AxisId>& axes, const std::vector<Extent>& shape) {
  Node node;
  node.kind = Kind::broadcast;
  node.type = {value.type().element, axes, shape};
  return make(std::move(node), {value});
}

Value Simplifier::sum(Value value, const std::vector<AxisId>& axes, const std::vector<std::int32_t>& dims) {
  if (axes.empty() && dims.empty())
    return value;
  Node node;
  node.kind = Kind::reduce_sum;
  node.axes = axes;
  node.dims = dims;
  return make(std::move(node), {value});
}

Value Simplifier::expand(Value value, std::int32_t dim, const Extent& extent) {
  Node node;
  node.kind = Kind::expand;
  node.dim = dim;
  node.extents = {extent};
  return make(std::move(node), {value});
}

Value Simplifier::real_extent(const Extent& extent) {
  if (extent.is_known())
    return number(ir::Element::real, static_cast<double>(extent.value));
  Node node;
  node.kind = Kind::extent;
  node.extents = {extent};
  return make(op::to_real, {make(std::move(node), {})});
}

// ---- What a value is ----

bool Simplifier::is_map(Value value, const ir::Op& op) const {
  return node(value).kind == Kind::map && node(value).op == &op;
}

std::optional<double> Simplifier::uniform(Value value) const {
  return uniform_number(graph(), value.id());
}

bool Simplifier::is_uniform(Value value, double number) const {
  const auto known = uniform(value);
  return known && *known == number;
}

bool Simplifier::is_finite(Value value) const {
  const Node* from = &node(value);
  while (from->kind == Kind::broadcast || from->kind == Kind::expand || from->kind == Kind::reshape)
    from = &graph().node(from->operands[0]);
  switch (from->kind) {
  case Kind::constant:
    return std::all_of(from->literal.begin(), from->literal.end(), [](double x) { return std::isfinite(x); });
  case Kind::random:
    return from->random == ir::RandomKind::uniform || from->random == ir::RandomKind::normal;
  case Kind::map:
    return from->op == &op::to_real;
  default:
    return false;
  }
}

bool Simplifier::is_smaller(Value a, Value b, const Type& than) const {
  // One number for both, so that rules that go from larger to smaller arrays cannot go round in circles.
  const auto measure = [](std::size_t axes, bool is_scalar) { return axes + (is_scalar ? 0 : 1); };
  const bool scalar = a.type().is_scalar() && b.type().is_scalar();
  return measure(ir::unite(a.type().axes, b.type().axes).size(), scalar) <
         measure(than.axes.size(), than.is_scalar());
}

std::optional<AxisId> Simplifier::position_along(Value value) const {
  const Node& from = node(value);
  if (from.kind == Kind::axis_index ||
      (from.kind == Kind::plate_row && !graph().axis(from.axes[0]).subsampled))
    return from.axes[0];
  return std::nullopt;
}

Value Simplifier::peel(Value value) {
  return kind(value) == Kind::broadcast ? operand(value, 0) : value;
}

std::optional<Value> Simplifier::without_added_axes(Value value) {
  if (kind(value) != Kind::broadcast)
    return std::nullopt;
  const Value inner = operand(value, 0);
  const Type from = inner.type(), to = value.type();
  if (from.axes == to.axes)
    return std::nullopt;
  return broadcast(inner, from.axes, to.shape);
}

ir::Graph simplify(const ir::Graph& graph, const SimplifyOptions& options) {
  return Simplifier(graph, options).run();
}

} // namespace plait::passes
