#include "compiler/catalog/ops/rows.hpp"
#include "compiler/passes/simplifier.hpp"

#include <algorithm>
#include <numeric>

namespace plait::passes {

using ir::AxisId;
using ir::Extent;
using ir::Kind;
using ir::Node;
using ir::Type;
using ir::Value;

namespace {

using Dims = std::vector<std::int32_t>;

bool has(const Dims& dims, std::int32_t dim) {
  return std::find(dims.begin(), dims.end(), dim) != dims.end();
}

Dims without(const Dims& dims, std::int32_t dim) {
  Dims result = dims;
  std::erase(result, dim);
  return result;
}

/** Numbers of dimensions after dimension `gone` is no more; `gone` itself must not be among them. */
Dims closing_gap(const Dims& dims, std::int32_t gone) {
  Dims result = dims;
  for (std::int32_t& dim : result)
    dim -= dim > gone ? 1 : 0;
  return result;
}

std::int32_t count_below(const Dims& dims, std::int32_t limit) {
  return static_cast<std::int32_t>(
      std::count_if(dims.begin(), dims.end(), [&](auto dim) { return dim < limit; }));
}

Dims all_dims(const Type& type) {
  Dims dims(type.shape.size());
  std::iota(dims.begin(), dims.end(), 0);
  return dims;
}

bool disjoint(const std::vector<AxisId>& a, const std::vector<AxisId>& b) {
  return ir::subtract(a, b) == a;
}

std::vector<AxisId> intersect(const std::vector<AxisId>& a, const std::vector<AxisId>& b) {
  return ir::subtract(a, ir::subtract(a, b));
}

} // namespace

// ---- Sums ----

Simpler Simplifier::sum_rule(const Node& node) {
  const Value operand = builder().value(node.operands[0]);
  if (node.axes.empty() && node.dims.empty())
    return operand;
  if (operand.type().element != ir::Element::real)
    return std::nullopt;
  switch (kind(operand)) {
  case Kind::broadcast:
    return sum_of_broadcast(node, operand);
  case Kind::expand:
    return sum_of_expand(node, operand);
  case Kind::contract:
    return sum_of_contract(node, operand);
  case Kind::map:
    return sum_of_product(node, operand);
  default:
    return sum_of_structure(node, operand);
  }
}

/** The sum of equal terms is a product with their number. */
Simpler Simplifier::sum_of_broadcast(const Node& node, Value broadcasted) {
  const Value inner = operand(broadcasted, 0);
  const Type from = inner.type(), to = broadcasted.type();
  Value scale = number(ir::Element::real, 1);
  for (AxisId axis : ir::subtract(node.axes, from.axes))
    scale = make(op::multiply, {scale, real_extent(graph().axis(axis).extent)});
  Dims dims = node.dims;
  if (from.is_scalar()) {
    for (std::int32_t dim : dims)
      scale = make(op::multiply, {scale, real_extent(to.shape[static_cast<std::size_t>(dim)])});
    dims.clear();
  }
  const Value rest = sum(inner, intersect(node.axes, from.axes), dims);
  return as_type(make(op::multiply, {scale, rest}), node.type);
}

Simpler Simplifier::sum_of_expand(const Node& node, Value expanded) {
  const Value inner = operand(expanded, 0);
  const std::int32_t dim = this->node(expanded).dim;
  const Extent extent = this->node(expanded).extents[0];
  const Value rest = sum(inner, node.axes, closing_gap(without(node.dims, dim), dim));
  if (has(node.dims, dim))
    return make(op::multiply, {real_extent(extent), rest});
  return expand(rest, dim - count_below(node.dims, dim), extent);
}

Simpler Simplifier::sum_of_product(const Node& node, Value term) {
  if (is_map(term, op::negate))
    return make(op::negate, {sum(operand(term, 0), node.axes, node.dims)});
  const auto is_independent = [&](Value value) {
    return disjoint(value.type().axes, node.axes) && (value.type().is_scalar() || node.dims.empty());
  };
  // sum f x = f sum x
  if (is_map(term, op::multiply))
    for (std::size_t k = 0; k < 2; ++k)
      if (const Value factor = operand(term, k); is_independent(factor))
        return make(op::multiply, {factor, sum(operand(term, 1 - k), node.axes, node.dims)});
  if (is_map(term, op::divide) && is_independent(operand(term, 1)))
    return make(op::divide, {sum(operand(term, 0), node.axes, node.dims), operand(term, 1)});
  // sum select(m, x, 0) = select(m, sum x, 0)
  if (is_map(term, op::select) && is_independent(operand(term, 0)))
    for (std::size_t k = 1; k < 3; ++k)
      if (is_uniform(operand(term, k), 0)) {
        const Type type = term.type();
        const Value rest = sum(as_type(operand(term, 3 - k), type), node.axes, node.dims);
        const Value zero = number(ir::Element::real, 0);
        return as_type(make(op::select, {operand(term, 0), k == 1 ? zero : rest, k == 1 ? rest : zero}),
                       node.type);
      }
  if (!is_map(term, op::multiply))
    return std::nullopt;

  // A sum over a product in which neither factor fills the index space is a matrix product.
  const Type product = term.type();
  struct Side {
    Value value;
    Dims labels;
  };
  const auto side = [&](std::size_t k) {
    Side result{operand(term, k), {}};
    if (!result.value.type().is_scalar())
      result.labels = all_dims(product);
    while (kind(result.value) == Kind::expand && !result.labels.empty()) {
      result.labels.erase(result.labels.begin() + this->node(result.value).dim);
      result.value = operand(result.value, 0);
    }
    return result;
  };
  Side sides[2] = {side(0), side(1)};
  for (const Side& s : sides)
    if (s.labels.size() == product.shape.size() && s.value.type().axes == product.axes)
      return std::nullopt;
  Node contract;
  contract.kind = Kind::contract;
  contract.axes = node.axes;
  for (std::int32_t label : all_dims(product)) {
    const bool left = has(sides[0].labels, label), right = has(sides[1].labels, label);
    if (!left && !right)
      return std::nullopt;
    if (!has(node.dims, label)) {
      contract.out_labels.push_back(label);
    } else if (left != right) {
      Side& only = sides[left ? 0 : 1];
      const auto place = std::find(only.labels.begin(), only.labels.end(), label);
      only.value = sum(only.value, {}, {static_cast<std::int32_t>(place - only.labels.begin())});
      only.labels.erase(place);
    }
  }
  contract.left_labels = sides[0].labels;
  contract.right_labels = sides[1].labels;
  return as_type(make(std::move(contract), {sides[0].value, sides[1].value}), node.type);
}

/** Sums over the result of a contraction become part of it. */
Simpler Simplifier::sum_of_contract(const Node& node, Value product) {
  Node contract = this->node(product);
  contract.axes = ir::unite(contract.axes, node.axes);
  Value sides[2] = {operand(product, 0), operand(product, 1)};
  Dims* labels[2] = {&contract.left_labels, &contract.right_labels};
  const Dims out = contract.out_labels;
  for (std::int32_t dim : node.dims) {
    const std::int32_t label = out[static_cast<std::size_t>(dim)];
    std::erase(contract.out_labels, label);
    const bool left = has(*labels[0], label), right = has(*labels[1], label);
    if (left != right) { // on one side alone: summed before
      const std::size_t k = left ? 0 : 1;
      const auto place = std::find(labels[k]->begin(), labels[k]->end(), label);
      sides[k] = sum(sides[k], {}, {static_cast<std::int32_t>(place - labels[k]->begin())});
      labels[k]->erase(place);
    }
  }
  return make(std::move(contract), {sides[0], sides[1]});
}

Simpler Simplifier::sum_of_structure(const Node& node, Value term) {
  const Node inner = this->node(term);
  const bool sums_all = node.dims.size() == inner.type.shape.size();
  switch (inner.kind) {
  case Kind::reduce_sum: {
    const Value source = operand(term, 0);
    Dims kept = all_dims(source.type());
    for (std::int32_t dim : inner.dims)
      std::erase(kept, dim);
    Dims dims = inner.dims;
    for (std::int32_t dim : node.dims)
      dims.push_back(kept[static_cast<std::size_t>(dim)]);
    std::sort(dims.begin(), dims.end());
    return sum(source, ir::unite(inner.axes, node.axes), dims);
  }
  case Kind::scatter_add: {
    if (node.axes.empty())
      return std::nullopt;
    Node scatter = inner;
    scatter.axes = ir::unite(inner.axes, node.axes);
    return sum(make(std::move(scatter), {operand(term, 0), operand(term, 1)}), {}, node.dims);
  }
  case Kind::axis_to_dim: {
    const Value source = operand(term, 0);
    const Dims dims = closing_gap(without(node.dims, 0), 0);
    if (has(node.dims, 0))
      return sum(source, ir::unite(node.axes, inner.axes), dims);
    Node moved = inner;
    return make(std::move(moved), {sum(source, node.axes, dims)});
  }
  case Kind::transpose:
  case Kind::reshape: {
    if (!sums_all)
      return std::nullopt;
    const Value source = operand(term, 0);
    return sum(source, node.axes, all_dims(source.type()));
  }
  case Kind::pad:
    if (!has(node.dims, inner.dim))
      return std::nullopt;
    return sum(operand(term, 0), node.axes, node.dims);
  default:
    return std::nullopt;
  }
}

/** The largest of equal terms is any of them, if there is one at all. */
Simpler Simplifier::max_rule(const Node& node) {
  const Value operand = builder().value(node.operands[0]);
  if (node.axes.empty() && node.dims.empty())
    return operand;
  if (kind(operand) != Kind::broadcast)
    return std::nullopt;
  const Value inner = this->operand(operand, 0);
  const Type from = inner.type(), to = operand.type();
  const auto is_some = [](const Extent& extent) { return extent.is_known() && extent.value > 0; };
  for (AxisId axis : ir::subtract(node.axes, from.axes))
    if (!is_some(graph().axis(axis).extent))
      return std::nullopt;
  Node rest = node;
  rest.axes = intersect(node.axes, from.axes);
  if (from.is_scalar()) {
    for (std::int32_t dim : node.dims)
      if (!is_some(to.shape[static_cast<std::size_t>(dim)]))
        return std::nullopt;
    rest.dims.clear();
  }
  return as_type(make(std::move(rest), {inner}), node.type);
}

// ---- Contractions ----

Simpler Simplifier::contract_rule(const Node& node) {
  const Value left = builder().value(node.operands[0]), right = builder().value(node.operands[1]);
  if ((is_uniform(left, 0) && is_finite(right)) || (is_uniform(right, 0) && is_finite(left)))
    return uniform_like(0, node.type);
  for (std::size_t side = 0; side < 2; ++side)
    if (const Simpler simpler = contract_side(node, side))
      return simpler;
  return contract_is_product(node);
}

Simpler Simplifier::contract_side(const Node& node, std::size_t side) {
  const Value mine = builder().value(node.operands[side]), other = builder().value(node.operands[1 - side]);
  const auto with = [&](Node changed, Value value) {
    return side == 0 ? make(std::move(changed), {value, other}) : make(std::move(changed), {other, value});
  };
  if (is_map(mine, op::negate))
    return make(op::negate, {with(node, operand(mine, 0))});
  if (kind(mine) == Kind::transpose) {
    Node changed = node;
    const Dims permutation = this->node(mine).dims;
    Dims& labels = side == 0 ? changed.left_labels : changed.right_labels;
    const Dims before = labels;
    for (std::size_t d = 0; d < before.size(); ++d)
      labels[static_cast<std::size_t>(permutation[d])] = before[d];
    return with(std::move(changed), operand(mine, 0));
  }
  if (const auto inner = without_added_axes(mine))
    return contract_of_axes(node, side, *inner);
  if (kind(mine) == Kind::broadcast && operand(mine, 0).type().is_scalar())
    return contract_without_labels(node, side, operand(mine, 0), {});
  if (kind(mine) == Kind::expand) {
    Dims labels = side == 0 ? node.left_labels : node.right_labels;
    labels.erase(labels.begin() + this->node(mine).dim);
    return contract_without_labels(node, side, operand(mine, 0), labels);
  }
  // An axis to be summed that only this side has is summed before.
  const std::vector<AxisId> own = ir::subtract(intersect(node.axes, mine.type().axes), other.type().axes);
  if (!own.empty()) {
    Node changed = node;
    changed.axes = ir::subtract(node.axes, own);
    return with(std::move(changed), sum(mine, own, {}));
  }
  return std::nullopt;
}

Simpler Simplifier::contract_of_axes(const Node& node, std::size_t side, Value inner) {
  const Value other = builder().value(node.operands[1 - side]);
  const Type before = graph().type(node.operands[side]);
  Value scale = number(ir::Element::real, 1);
  Node changed = node;
  for (AxisId axis : ir::subtract(before.axes, inner.type().axes))
    if (ir::contains(node.axes, axis) && !other.type().has_axis(axis)) {
      scale = make(op::multiply, {scale, real_extent(graph().axis(axis).extent)});
      changed.axes = ir::subtract(changed.axes, {axis});
    }
  const Value product =
      side == 0 ? make(std::move(changed), {inner, other}) : make(std::move(changed), {other, inner});
  return as_type(make(op::multiply, {scale, product}), node.type);
}

/** The contraction with `inner` on that side, which lacks dimensions along which the side repeated itself. */
Simpler Simplifier::contract_without_labels(const Node& node, std::size_t side, Value inner,
                                            const Dims& labels) {
  Value other = builder().value(node.operands[1 - side]);
  Node changed = node;
  Dims& mine = side == 0 ? changed.left_labels : changed.right_labels;
  Dims& others = side == 0 ? changed.right_labels : changed.left_labels;
  const Dims before = mine;
  mine = labels;
  for (std::int32_t label : before) {
    if (has(labels, label))
      continue;
    const auto place = std::find(others.begin(), others.end(), label);
    if (place == others.end()) {
      std::erase(changed.out_labels, label); // put back below
    } else if (!has(node.out_labels, label)) {
      other = sum(other, {}, {static_cast<std::int32_t>(place - others.begin())});
      others.erase(place);
    }
  }
  const Dims out = changed.out_labels;
  Value result =
      side == 0 ? make(std::move(changed), {inner, other}) : make(std::move(changed), {other, inner});
  for (std::size_t d = 0; d < node.out_labels.size(); ++d)
    if (!has(out, node.out_labels[d]))
      result = expand(result, static_cast<std::int32_t>(d), node.type.shape[d]);
  return result;
}

/** A contraction that sums nothing, or only axes of two arrays that lie alike, is an elementwise product. */
Simpler Simplifier::contract_is_product(const Node& node) {
  const Value left = builder().value(node.operands[0]), right = builder().value(node.operands[1]);
  const bool alike = node.left_labels == node.right_labels && node.left_labels == node.out_labels;
  const bool scaled = (node.left_labels.empty() && node.right_labels == node.out_labels) ||
                      (node.right_labels.empty() && node.left_labels == node.out_labels);
  if (node.axes.empty() && (alike || scaled))
    return make(op::multiply, {left, right});
  const std::vector<AxisId> axes = ir::unite(left.type().axes, right.type().axes);
  if (alike && (left.type().axes == axes || right.type().axes == axes))
    return sum(make(op::multiply, {left, right}), node.axes, {});
  return std::nullopt;
}

} // namespace plait::passes
