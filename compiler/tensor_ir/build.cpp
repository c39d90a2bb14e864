#include "compiler/tensor_ir/build.hpp"

#include "compiler/catalog/ops.hpp"
#include "compiler/tensor_ir/type_rules.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <stdexcept>

namespace plait::ir {
namespace {

Node make(Kind kind, std::initializer_list<Value> operands = {}) {
  Node node;
  node.kind = kind;
  for (Value operand : operands)
    node.operands.push_back(operand.id());
  return node;
}

std::vector<AxisId> sorted(std::vector<AxisId> axes) {
  std::sort(axes.begin(), axes.end());
  return axes;
}

std::vector<std::int32_t> all_dims(const Type& type) {
  std::vector<std::int32_t> dims(type.shape.size());
  std::iota(dims.begin(), dims.end(), 0);
  return dims;
}

/** Undoes the removal of `dims` by a reduction, so that the result broadcasts against its operand again. A
 * result that lost all dimensions is a scalar and broadcasts as it is. */
Value restore_dims(Value reduced, const Type& type, const std::vector<std::int32_t>& dims) {
  if (reduced.type().is_scalar())
    return reduced;
  for (std::int32_t dim : dims)
    reduced = reduced.builder().expand(reduced, dim, type.shape[static_cast<std::size_t>(dim)]);
  return reduced;
}

} // namespace

const Type& Value::type() const {
  return builder_->graph().type(id_);
}

Value Builder::append(Node node) {
  node.region = region_;
  node.type = infer_type(*graph_, node);
  if (node.origin.site.empty() && node.origin.begin == node.origin.end)
    node.origin = origin_;
  const NodeId id = static_cast<NodeId>(graph_->nodes.size());
  graph_->nodes.push_back(std::move(node));
  graph_->regions[static_cast<std::size_t>(region_)].order.push_back(id);
  return {this, id};
}

// ---- Leaves ----

Value Builder::real(double number) {
  return literal(Element::real, {}, {number});
}

Value Builder::integer(std::int64_t number) {
  return literal(Element::integer, {}, {static_cast<double>(number)});
}

Value Builder::boolean(bool truth) {
  return literal(Element::boolean, {}, {truth ? 1.0 : 0.0});
}

Value Builder::literal(Element element, std::vector<Extent> shape, std::vector<double> numbers) {
  Node node = make(Kind::constant);
  node.type = {element, {}, std::move(shape)};
  node.literal = std::move(numbers);
  return append(std::move(node));
}

Value Builder::zeros(const Type& type) {
  const Type wanted = type; // the reference may point into the graph that grows here
  return broadcast(literal(wanted.element, {}, {0}), wanted.axes, wanted.shape);
}

Value Builder::parameter(std::int32_t index) {
  Node node = make(Kind::parameter);
  node.index = index;
  return append(std::move(node));
}

Value Builder::slot(std::int32_t parameter, std::int32_t slot) {
  Node node = make(Kind::slot);
  node.index = parameter;
  node.slot = slot;
  return append(std::move(node));
}

Value Builder::data(std::int32_t index) {
  Node node = make(Kind::data);
  node.index = index;
  return append(std::move(node));
}

Value Builder::data_lengths(std::int32_t index) {
  Node node = make(Kind::data_lengths);
  node.index = index;
  return append(std::move(node));
}

Value Builder::input(std::string name) {
  Node node = make(Kind::input);
  node.name = std::move(name);
  return append(std::move(node));
}

Value Builder::extent(const Extent& extent) {
  if (extent.is_known())
    return integer(extent.value);
  Node node = make(Kind::extent);
  node.extents = {extent};
  return append(std::move(node));
}

Value Builder::axis_index(AxisId axis) {
  Node node = make(Kind::axis_index);
  node.axes = {axis};
  return append(std::move(node));
}

Value Builder::plate_row(AxisId axis) {
  Node node = make(Kind::plate_row);
  node.axes = {axis};
  return append(std::move(node));
}

// ---- Elementwise and broadcasting ----

Value Builder::map(const Op& op, std::span<const Value> inputs) {
  Node node = make(Kind::map);
  node.op = &op;
  for (Value input : inputs)
    node.operands.push_back(input.id());
  return append(std::move(node));
}

Value Builder::map(const Op& op, std::initializer_list<Value> inputs) {
  return map(op, std::span<const Value>(inputs.begin(), inputs.size()));
}

Value Builder::broadcast(Value value, std::vector<AxisId> axes, std::vector<Extent> shape) {
  axes = sorted(std::move(axes));
  if (type(value).axes == axes && type(value).shape == shape)
    return value;
  Node node = make(Kind::broadcast, {value});
  node.type = {type(value).element, std::move(axes), std::move(shape)};
  return append(std::move(node));
}

Value Builder::broadcast_like(Value value, const Type& wanted) {
  std::vector<AxisId> axes = unite(type(value).axes, wanted.axes);
  std::vector<Extent> shape = type(value).is_scalar() ? wanted.shape : type(value).shape;
  return broadcast(value, std::move(axes), std::move(shape));
}

// ---- Reductions ----

Value Builder::sum(Value value, std::vector<AxisId> axes, std::vector<std::int32_t> dims) {
  if (axes.empty() && dims.empty())
    return value;
  Node node = make(Kind::reduce_sum, {value});
  node.axes = sorted(std::move(axes));
  node.dims = std::move(dims);
  std::sort(node.dims.begin(), node.dims.end());
  return append(std::move(node));
}

Value Builder::maximum_over(Value value, std::vector<AxisId> axes, std::vector<std::int32_t> dims) {
  if (axes.empty() && dims.empty())
    return value;
  Node node = make(Kind::reduce_max, {value});
  node.axes = sorted(std::move(axes));
  node.dims = std::move(dims);
  std::sort(node.dims.begin(), node.dims.end());
  return append(std::move(node));
}

Value Builder::sum_event(Value value) {
  return sum(value, {}, all_dims(type(value)));
}

Value Builder::log_sum_exp(Value value, std::vector<AxisId> axes, std::vector<std::int32_t> dims) {
  // log sum exp(x) = m + log sum exp(x - m) with m = max x. Where every x is -inf (or one is +inf) m is
  // replaced by 0, and the logarithm of 0 is never taken, so that neither value nor derivative is NaN.
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (axes.empty() && dims.empty())
    return value;
  std::sort(dims.begin(), dims.end());
  const Type from = type(value);
  const Value largest = stop_gradient(maximum_over(value, axes, dims));
  const Value shift = select(less(abs(largest), real(infinity)), largest, real(0));
  const Value total = sum(exp(value - restore_dims(shift, from, dims)), axes, dims);
  const Value positive = greater(total, real(0));
  const Value logarithm = log(select(positive, total, real(1)));
  return shift + select(positive, logarithm, real(-infinity));
}

Value Builder::sum_last(Value value) {
  if (type(value).is_scalar())
    throw std::logic_error("sum_last: a scalar has no last dimension");
  return sum(value, {}, {static_cast<std::int32_t>(type(value).shape.size()) - 1});
}

Value Builder::log_sum_exp_last(Value value) {
  if (type(value).is_scalar())
    throw std::logic_error("log_sum_exp_last: a scalar has no last dimension");
  return log_sum_exp(value, {}, {static_cast<std::int32_t>(type(value).shape.size()) - 1});
}

Value Builder::contract(Value left, std::vector<std::int32_t> left_labels, Value right,
                        std::vector<std::int32_t> right_labels, std::vector<std::int32_t> out_labels,
                        std::vector<AxisId> summed_axes) {
  Node node = make(Kind::contract, {left, right});
  node.left_labels = std::move(left_labels);
  node.right_labels = std::move(right_labels);
  node.out_labels = std::move(out_labels);
  node.axes = sorted(std::move(summed_axes));
  return append(std::move(node));
}

Value Builder::dot(Value a, Value b) {
  return contract(a, {0}, b, {0}, {});
}

Value Builder::matmul(Value a, Value b) {
  const std::size_t left = type(a).shape.size(), right = type(b).shape.size();
  if (left == 2 && right == 2)
    return contract(a, {0, 1}, b, {1, 2}, {0, 2});
  if (left == 2 && right == 1)
    return contract(a, {0, 1}, b, {1}, {0});
  if (left == 1 && right == 2)
    return contract(a, {1}, b, {1, 2}, {2});
  if (left == 1 && right == 1)
    return dot(a, b);
  throw std::logic_error("matmul: operands must be vectors or matrices");
}

// ---- Indexing and rearrangement ----

Value Builder::gather(Value table, Value index, std::int32_t dim) {
  Node node = make(Kind::gather, {table, index});
  node.dim = dim;
  return append(std::move(node));
}

Value Builder::scatter_add(Value index, Value value, std::int32_t dim, const Extent& extent,
                           std::vector<AxisId> summed_axes) {
  Node node = make(Kind::scatter_add, {index, value});
  node.dim = dim;
  node.extents = {extent};
  node.axes = sorted(std::move(summed_axes));
  return append(std::move(node));
}

Value Builder::axis_to_dim(Value value, AxisId axis) {
  if (!type(value).has_axis(axis)) {
    const Type from = type(value);
    value = broadcast(value, unite(from.axes, {axis}), from.shape);
  }
  Node node = make(Kind::axis_to_dim, {value});
  node.axes = {axis};
  return append(std::move(node));
}

Value Builder::slice(Value value, std::int32_t dim, const Extent& start, const Extent& length) {
  Node node = make(Kind::slice, {value});
  node.dim = dim;
  node.start = start;
  node.extents = {length};
  return append(std::move(node));
}

Value Builder::pad(Value value, std::int32_t dim, const Extent& start, const Extent& full) {
  Node node = make(Kind::pad, {value});
  node.dim = dim;
  node.start = start;
  node.extents = {full};
  return append(std::move(node));
}

Value Builder::concat(std::span<const Value> parts, std::int32_t dim) {
  Node node = make(Kind::concat);
  node.dim = dim;
  for (Value part : parts)
    node.operands.push_back(part.id());
  return append(std::move(node));
}

Value Builder::stack(std::span<const Value> parts) {
  std::vector<Value> rows;
  for (Value part : parts)
    rows.push_back(expand(part, 0, Extent::known(1)));
  return concat(rows, 0);
}

Value Builder::reshape(Value value, std::vector<Extent> shape) {
  if (type(value).shape == shape)
    return value;
  Node node = make(Kind::reshape, {value});
  node.type.shape = std::move(shape);
  return append(std::move(node));
}

Value Builder::transpose(Value value, std::vector<std::int32_t> permutation) {
  if (permutation.size() == type(value).shape.size() && permutation == all_dims(type(value)))
    return value;
  Node node = make(Kind::transpose, {value});
  node.dims = std::move(permutation);
  return append(std::move(node));
}

Value Builder::expand(Value value, std::int32_t dim, const Extent& extent) {
  Node node = make(Kind::expand, {value});
  node.dim = dim;
  node.extents = {extent};
  return append(std::move(node));
}

Value Builder::element(Value vector, std::int64_t position) {
  return gather(vector, integer(position), 0);
}

// ---- Random numbers, linear algebra ----

Value Builder::random(RandomKind kind, std::string site, Value row, Value element_base,
                      std::vector<Extent> shape, std::span<const Value> parameters) {
  Node node = make(Kind::random, {row, element_base});
  node.random = kind;
  node.name = std::move(site);
  node.type.shape = std::move(shape);
  for (Value parameter : parameters)
    node.operands.push_back(parameter.id());
  return append(std::move(node));
}

Value Builder::cholesky(Value matrix) {
  return append(make(Kind::cholesky, {matrix}));
}

Value Builder::cholesky_grad(Value factor, Value grad) {
  return append(make(Kind::cholesky_grad, {factor, grad}));
}

Value Builder::solve_lower(Value factor, Value right, bool transposed) {
  Node node = make(Kind::solve_lower, {factor, right});
  node.transposed = transposed;
  return append(std::move(node));
}

// ---- Loops ----

NodeId Builder::begin_loop(const Extent& trip_count, bool reverse, std::span<const Value> inits,
                           std::optional<Value> lengths) {
  // The loop node takes its place in the order only when it is finished, so that whatever is built outside of
  // the body meanwhile comes before it.
  const NodeId id = static_cast<NodeId>(graph_->nodes.size());
  const RegionId body = static_cast<RegionId>(graph_->regions.size());
  Node node;
  node.kind = Kind::loop;
  node.region = region_;
  node.origin = origin_;
  node.loop = static_cast<std::int32_t>(graph_->loops.size());
  node.extents = {trip_count};
  Loop loop;
  loop.body = body;
  loop.reverse = reverse;
  loop.trip_count = trip_count;
  if (lengths)
    loop.lengths = lengths->id();
  for (Value init : inits) {
    node.operands.push_back(init.id());
    loop.inits.push_back(init.id());
  }
  graph_->nodes.push_back(std::move(node));
  graph_->loops.push_back(std::move(loop));
  graph_->regions.push_back({region_, id, {}});
  region_ = body;
  const Value index = append(make(Kind::loop_index));
  graph_->loop_of(id).index = index.id();
  for (std::size_t k = 0; k < inits.size(); ++k) {
    Node argument = make(Kind::loop_argument);
    argument.index = static_cast<std::int32_t>(k);
    const Value value = append(std::move(argument));
    graph_->loop_of(id).arguments.push_back(value.id());
  }
  return id;
}

Value Builder::loop_index(NodeId loop) {
  return {this, graph_->loop_of(loop).index};
}

Value Builder::loop_argument(NodeId loop, std::size_t number) {
  return {this, graph_->loop_of(loop).arguments.at(number)};
}

LoopValues Builder::finish_loop(NodeId loop, std::span<const Value> nexts, std::span<const Value> stacked,
                                std::span<const Value> accumulated) {
  Loop& state = graph_->loop_of(loop);
  if (region_ != state.body)
    throw std::logic_error("finish_loop: the current region is not the body of this loop");
  if (nexts.size() != state.inits.size())
    throw std::logic_error("finish_loop: one next for every carried value expected");
  for (std::size_t k = 0; k < nexts.size(); ++k)
    if (!(type(nexts[k]) == graph_->type(state.arguments[k])))
      throw std::logic_error("finish_loop: carried value " + std::to_string(k) +
                             " changes its type from one iteration to the next");
  for (Value value : accumulated)
    if (type(value).element == Element::boolean)
      throw std::logic_error("finish_loop: booleans cannot be accumulated");
  for (Value next : nexts)
    state.nexts.push_back(next.id());
  for (Value value : stacked)
    state.stacked.push_back(value.id());
  for (Value value : accumulated)
    state.accumulated.push_back(value.id());
  region_ = graph_->node(loop).region;
  graph_->regions[static_cast<std::size_t>(region_)].order.push_back(loop);

  const auto results = [&](LoopResult result, std::size_t count) {
    std::vector<Value> values;
    for (std::size_t k = 0; k < count; ++k) {
      Node node;
      node.kind = Kind::loop_result;
      node.operands = {loop};
      node.result = result;
      node.index = static_cast<std::int32_t>(k);
      values.push_back(append(std::move(node)));
    }
    return values;
  };
  LoopValues values;
  values.carried = results(LoopResult::carried, nexts.size());
  values.stacked = results(LoopResult::stacked, stacked.size());
  values.accumulated = results(LoopResult::accumulated, accumulated.size());
  return values;
}

} // namespace plait::ir
