#include "compiler/catalog/ops/rows.hpp"
#include "compiler/passes/simplifier.hpp"
#include "compiler/tensor_ir/type_rules.hpp"

#include <algorithm>
#include <numeric>

namespace plait::passes {

using ir::AxisId;
using ir::Extent;
using ir::Kind;
using ir::Node;
using ir::Type;
using ir::Value;

Simpler Simplifier::shape_rule(const Node& node) {
  switch (node.kind) {
  case Kind::broadcast:
    return broadcast_rule(node);
  case Kind::gather:
    return gather_rule(node);
  case Kind::scatter_add:
    return scatter_rule(node);
  case Kind::axis_to_dim:
    return axis_to_dim_rule(node);
  case Kind::slice:
    return slice_rule(node);
  case Kind::pad:
    return pad_rule(node);
  case Kind::concat:
    return concat_rule(node);
  case Kind::reshape:
    return reshape_rule(node);
  case Kind::transpose:
    return transpose_rule(node);
  case Kind::expand:
    return expand_rule(node);
  case Kind::cholesky:
    return axes_behind(node);
  default:
    return std::nullopt;
  }
}

Simpler Simplifier::axes_behind(const Node& node) {
  const auto inner = without_added_axes(builder().value(node.operands[0]));
  if (!inner)
    return std::nullopt;
  Node changed = node;
  changed.type.axes = inner->type().axes;
  return as_type(make(std::move(changed), {*inner}), node.type);
}

Simpler Simplifier::broadcast_rule(const Node& node) {
  const Value operand = builder().value(node.operands[0]);
  if (operand.type() == node.type)
    return operand;
  if (kind(operand) == Kind::broadcast)
    return as_type(this->operand(operand, 0), node.type);
  return std::nullopt;
}

Simpler Simplifier::gather_rule(const Node& node) {
  const Value table = builder().value(node.operands[0]), index = builder().value(node.operands[1]);
  const Type index_type = index.type();
  // Every row of a repeated value is that value.
  if (kind(table) == Kind::broadcast && operand(table, 0).type().is_scalar())
    return as_type(operand(table, 0), node.type);
  if (const auto inner = without_added_axes(table)) {
    Node changed = node;
    return as_type(make(std::move(changed), {*inner, index}), node.type);
  }
  if (kind(table) == Kind::expand && this->node(table).dim == node.dim) {
    Value result = operand(table, 0);
    for (std::size_t d = 0; d < index_type.shape.size(); ++d)
      result = expand(result, node.dim + static_cast<std::int32_t>(d), index_type.shape[d]);
    return as_type(result, node.type);
  }
  // A plate's values, seen from outside and read at one's own place, are one's own values.
  if (kind(table) == Kind::axis_to_dim && node.dim == 0 && position_along(index) == this->node(table).axes[0])
    return operand(table, 0);
  // A row out of joined parts is a row of one of them.
  if (kind(table) == Kind::concat && this->node(table).dim == node.dim && index_type.is_scalar())
    if (const auto position = uniform(index)) {
      double start = 0;
      for (std::size_t k = 0; k < this->node(table).operands.size(); ++k) {
        const Value part = operand(table, k);
        const Extent length = part.type().shape[static_cast<std::size_t>(node.dim)];
        if (!length.is_known() || *position < start)
          break;
        const double next = start + static_cast<double>(length.value);
        if (*position < next) {
          const Value row = number(ir::Element::integer, *position - start);
          return as_type(make(node, {part, row}), node.type);
        }
        start = next;
      }
    }
  return std::nullopt;
}

Simpler Simplifier::scatter_rule(const Node& node) {
  const Value index = builder().value(node.operands[0]), value = builder().value(node.operands[1]);
  if (is_uniform(value, 0))
    return uniform_like(0, node.type);
  const auto axis = position_along(index);
  if (!axis || !ir::contains(node.axes, *axis) || !(graph().axis(*axis).extent == node.extents[0]))
    return std::nullopt;
  // Each point of the axis adds to its own row.
  const Type type = value.type();
  Value source = value;
  const std::vector<AxisId> others = ir::subtract(node.axes, {*axis});
  source = sum(source, others, {});
  if (!type.has_axis(*axis))
    source = broadcast(source, ir::unite(source.type().axes, {*axis}), std::vector<Extent>(type.shape));
  Node moved;
  moved.kind = Kind::axis_to_dim;
  moved.axes = {*axis};
  const Value rows = make(std::move(moved), {source});
  if (node.dim == 0)
    return rows;
  Node turned;
  turned.kind = Kind::transpose;
  for (std::int32_t d = 1; d <= node.dim; ++d)
    turned.dims.push_back(d);
  turned.dims.push_back(0);
  for (std::int32_t d = node.dim + 1; d <= static_cast<std::int32_t>(type.shape.size()); ++d)
    turned.dims.push_back(d);
  return make(std::move(turned), {rows});
}

Simpler Simplifier::axis_to_dim_rule(const Node& node) {
  const Value value = builder().value(node.operands[0]);
  const AxisId axis = node.axes[0];
  if (kind(value) == Kind::broadcast && !operand(value, 0).type().has_axis(axis)) {
    const Type type = value.type();
    const Value inner = broadcast(operand(value, 0), ir::subtract(type.axes, {axis}), type.shape);
    return as_type(expand(inner, 0, graph().axis(axis).extent), node.type);
  }
  if (kind(value) == Kind::gather && this->node(value).dim == 0 &&
      position_along(operand(value, 1)) == axis) {
    const Value table = operand(value, 0);
    if (table.type() == node.type)
      return table;
  }
  // The other axes that were only added stay outside.
  if (kind(value) == Kind::broadcast) {
    const Type from = operand(value, 0).type(), to = value.type();
    if (from.axes != to.axes) {
      Node changed = node;
      const Value inner = broadcast(operand(value, 0), from.axes, to.shape);
      return as_type(make(std::move(changed), {inner}), node.type);
    }
  }
  return std::nullopt;
}

Simpler Simplifier::slice_rule(const Node& node) {
  const Value value = builder().value(node.operands[0]);
  const Type type = value.type();
  if (type == node.type)
    return value;
  const std::size_t dim = static_cast<std::size_t>(node.dim);
  if (kind(value) == Kind::broadcast && operand(value, 0).type().is_scalar())
    return as_type(operand(value, 0), node.type);
  if (kind(value) == Kind::expand && this->node(value).dim == node.dim)
    return expand(operand(value, 0), node.dim, node.extents[0]);
  if (kind(value) == Kind::pad && this->node(value).dim == node.dim &&
      this->node(value).start == node.start && operand(value, 0).type() == node.type)
    return operand(value, 0);
  if (kind(value) == Kind::slice && this->node(value).dim == node.dim && node.start.is_known() &&
      this->node(value).start.is_known()) {
    Node changed = node;
    changed.start = Extent::known(node.start.value + this->node(value).start.value);
    return make(std::move(changed), {operand(value, 0)});
  }
  if (kind(value) == Kind::concat && this->node(value).dim == node.dim && node.start.is_known() &&
      node.extents[0].is_known()) {
    // Within one part of a concatenation.
    std::int64_t start = 0;
    for (std::size_t k = 0; k < this->node(value).operands.size(); ++k) {
      const Value part = operand(value, k);
      const Extent length = part.type().shape[dim];
      if (!length.is_known())
        break;
      if (node.start.value >= start && node.start.value + node.extents[0].value <= start + length.value) {
        Node changed = node;
        changed.start = Extent::known(node.start.value - start);
        return as_type(make(std::move(changed), {part}), node.type);
      }
      start += length.value;
    }
  }
  return axes_behind(node);
}

Simpler Simplifier::pad_rule(const Node& node) {
  const Value value = builder().value(node.operands[0]);
  if (value.type() == node.type)
    return value;
  if (is_uniform(value, 0))
    return uniform_like(0, node.type);
  return axes_behind(node);
}

Simpler Simplifier::concat_rule(const Node& node) {
  if (node.operands.size() == 1)
    return as_type(builder().value(node.operands[0]), node.type);
  const auto first = uniform(builder().value(node.operands[0]));
  if (!first)
    return std::nullopt;
  for (ir::NodeId operand : node.operands)
    if (!is_uniform(builder().value(operand), *first))
      return std::nullopt;
  return uniform_like(*first, node.type);
}

Simpler Simplifier::reshape_rule(const Node& node) {
  const Value value = builder().value(node.operands[0]);
  if (value.type() == node.type)
    return value;
  if (kind(value) == Kind::broadcast && operand(value, 0).type().is_scalar())
    return as_type(operand(value, 0), node.type);
  if (kind(value) == Kind::reshape ||
      (kind(value) == Kind::expand && this->node(value).extents[0] == Extent::known(1))) {
    Node changed = node;
    return make(std::move(changed), {operand(value, 0)});
  }
  return axes_behind(node);
}

Simpler Simplifier::transpose_rule(const Node& node) {
  const Value value = builder().value(node.operands[0]);
  if (std::is_sorted(node.dims.begin(), node.dims.end()))
    return value;
  if (kind(value) == Kind::broadcast && operand(value, 0).type().is_scalar())
    return as_type(operand(value, 0), node.type);
  if (kind(value) == Kind::transpose) {
    Node changed = node;
    for (std::size_t d = 0; d < node.dims.size(); ++d)
      changed.dims[d] = this->node(value).dims[static_cast<std::size_t>(node.dims[d])];
    return make(std::move(changed), {operand(value, 0)});
  }
  if (kind(value) == Kind::contract) {
    Node contract = this->node(value);
    for (std::size_t d = 0; d < node.dims.size(); ++d)
      contract.out_labels[d] = this->node(value).out_labels[static_cast<std::size_t>(node.dims[d])];
    return make(std::move(contract), {operand(value, 0), operand(value, 1)});
  }
  return axes_behind(node);
}

Simpler Simplifier::expand_rule(const Node& node) {
  const Value value = builder().value(node.operands[0]);
  // A scalar, and what was repeated in all dimensions already, is simply broadcast.
  if (value.type().is_scalar() || (kind(value) == Kind::broadcast && operand(value, 0).type().is_scalar()))
    return as_type(peel(value), node.type);
  return axes_behind(node);
}

} // namespace plait::passes
