#include "compiler/autodiff/rules.hpp"

#include "compiler/catalog/ops.hpp"
#include "compiler/tensor_ir/type_rules.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace plait::autodiff {

using ir::AxisId;
using ir::Builder;
using ir::Extent;
using ir::Graph;
using ir::Kind;
using ir::Node;
using ir::NodeId;
using ir::Type;
using ir::Value;

namespace {

using Contributions = std::vector<std::optional<Value>>;

class Rules {
public:
  Rules(Builder& builder, NodeId id, Value grad, const std::function<Value(NodeId)>& value_of)
      : builder_(builder), id_(id), node_(builder.graph().node(id)), grad_(grad), value_of_(value_of) {}

  Contributions run() {
    switch (node_.kind) {
    case Kind::constant:
    case Kind::parameter:
    case Kind::slot:
    case Kind::data:
    case Kind::data_lengths:
    case Kind::input:
    case Kind::extent:
    case Kind::axis_index:
    case Kind::plate_row:
    case Kind::random:
    case Kind::loop_index:
    case Kind::loop_argument:
      return Contributions(node_.operands.size());
    case Kind::loop:
    case Kind::loop_result:
      throw std::logic_error("loops are differentiated as a whole");
    case Kind::map:
      return map();
    case Kind::broadcast:
      return {grad_};
    case Kind::reduce_sum:
      return {builder_.broadcast_like(restore_dims(grad_), type_of(0))};
    case Kind::reduce_max:
      return reduce_max();
    case Kind::contract:
      return contract();
    case Kind::gather:
      return gather();
    case Kind::scatter_add:
      return {std::nullopt, builder_.gather(grad_, operand(0), node_.dim)};
    case Kind::axis_to_dim:
      return {builder_.gather(grad_, builder_.axis_index(node_.axes[0]), 0)};
    case Kind::slice:
      return {builder_.pad(grad_, node_.dim, node_.start, size_of(0, node_.dim))};
    case Kind::pad:
      return {builder_.slice(grad_, node_.dim, node_.start, size_of(0, node_.dim))};
    case Kind::concat:
      return concat();
    case Kind::reshape:
      return {builder_.reshape(grad_, type_of(0).shape)};
    case Kind::transpose:
      return transpose();
    case Kind::expand:
      return {builder_.sum(grad_, {}, {node_.dim})};
    case Kind::cholesky:
      return {builder_.cholesky_grad(value_of_(id_), grad_)};
    case Kind::cholesky_grad:
      throw std::logic_error(
          "cholesky_grad has no derivative: second derivatives of a Cholesky factor are not supported");
    case Kind::solve_lower:
      return solve_lower();
    }
    throw std::logic_error("unknown kind");
  }

private:
  Type type_of(std::size_t operand) const { return builder_.graph().type(node_.operands[operand]); }
  Value operand(std::size_t number) const { return value_of_(node_.operands[number]); }
  Extent size_of(std::size_t operand, std::int32_t dim) const {
    return type_of(operand).shape[static_cast<std::size_t>(dim)];
  }

  Contributions map() {
    if (node_.op->derivative.get() == ir::not_differentiable)
      return Contributions(node_.operands.size());
    std::vector<Value> in;
    for (NodeId input : node_.operands)
      in.push_back(value_of_(input));
    Contributions result = node_.op->derivative.get()(builder_, grad_, value_of_(id_), in);
    if (result.size() != in.size())
      throw std::logic_error("the derivative of " + std::string(node_.op->name) +
                             " has the wrong number of entries");
    for (std::optional<Value>& entry : result)
      if (entry)
        entry = builder_.broadcast_like(*entry, node_.type);
    return result;
  }

  /** A value of the reduction's result with the summed dimensions put back, so that it broadcasts against the
   * operand. */
  Value restore_dims(Value value) {
    if (node_.type.is_scalar())
      return value;
    for (std::int32_t dim : node_.dims)
      value = builder_.expand(value, dim, size_of(0, dim));
    return value;
  }

  Contributions reduce_max() {
    const Value is_largest = ir::to_real(ir::equal(operand(0), restore_dims(value_of_(id_))));
    const Value ties = builder_.sum(is_largest, node_.axes, node_.dims);
    return {restore_dims(grad_ / ties) * is_largest};
  }

  // out = sum L R, hence dL = sum grad R over everything that L has not, and dR likewise.
  Contributions contract() {
    const auto other_side = [&](std::size_t other, const std::vector<std::int32_t>& other_labels,
                                std::size_t mine, const std::vector<std::int32_t>& my_labels) {
      const std::vector<AxisId> axes = ir::unite(node_.type.axes, type_of(other).axes);
      return builder_.contract(grad_, node_.out_labels, operand(other), other_labels, my_labels,
                               ir::subtract(axes, type_of(mine).axes));
    };
    return {other_side(1, node_.right_labels, 0, node_.left_labels),
            other_side(0, node_.left_labels, 1, node_.right_labels)};
  }

  Contributions gather() {
    const std::vector<AxisId> axes = ir::subtract(node_.type.axes, type_of(0).axes);
    return {builder_.scatter_add(operand(1), grad_, node_.dim, size_of(0, node_.dim), axes), std::nullopt};
  }

  Contributions concat() {
    Contributions result;
    std::int64_t start = 0;
    for (std::size_t k = 0; k < node_.operands.size(); ++k) {
      const Extent length = size_of(k, node_.dim);
      result.push_back(node_.operands.size() == 1
                           ? grad_
                           : builder_.slice(grad_, node_.dim, Extent::known(start), length));
      start += length.value;
    }
    return result;
  }

  Contributions transpose() {
    std::vector<std::int32_t> inverse(node_.dims.size());
    for (std::size_t d = 0; d < inverse.size(); ++d)
      inverse[static_cast<std::size_t>(node_.dims[d])] = static_cast<std::int32_t>(d);
    return {builder_.transpose(grad_, inverse)};
  }

  // x = L^-1 b:  db = L^-T grad, dL = -tril(db x^T).   x = L^-T b:  db = L^-1 grad, dL = -tril(x db^T).
  Contributions solve_lower() {
    const Value factor = operand(0), x = value_of_(id_);
    const Value right = builder_.solve_lower(factor, grad_, !node_.transposed);
    const Value& rows = node_.transposed ? x : right;
    const Value& columns = node_.transposed ? right : x;
    const bool vector = node_.type.shape.size() == 1;
    const std::vector<AxisId> axes = ir::subtract(node_.type.axes, type_of(0).axes);
    const Value outer = vector ? builder_.contract(rows, {0}, columns, {1}, {0, 1}, axes)
                               : builder_.contract(rows, {0, 2}, columns, {1, 2}, {0, 1}, axes);
    return {ir::select(lower_triangle(), -outer, builder_.real(0)), right};
  }

  Value lower_triangle() {
    const std::vector<Extent> shape = type_of(0).shape;
    if (!shape[0].is_known())
      throw std::logic_error(
          "the derivative of a triangular solve needs the size of the matrix at compile time");
    const std::int64_t n = shape[0].value;
    std::vector<double> mask;
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < n; ++j)
        mask.push_back(j <= i ? 1 : 0);
    return builder_.literal(ir::Element::boolean, shape, std::move(mask));
  }

  Builder& builder_;
  const NodeId id_;
  const Node node_; // a copy: the arena grows while the rule runs
  const Value grad_;
  const std::function<Value(NodeId)>& value_of_;
};

} // namespace

bool carries_derivative(const Graph& graph, const Node& node, std::size_t operand) {
  if (graph.type(node.operands[operand]).element != ir::Element::real)
    return false;
  if (node.kind == Kind::map)
    return node.op->derivative.get() != ir::not_differentiable;
  return node.kind != Kind::random;
}

std::vector<std::optional<Value>> contributions(Builder& builder, NodeId id, Value grad,
                                                const std::function<Value(NodeId)>& value_of) {
  return Rules(builder, id, grad, value_of).run();
}

} // namespace plait::autodiff
