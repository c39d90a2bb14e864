/** \file
 * Constructors of tensor IR. Each checks the shape rule of its kind and throws std::logic_error on a
 * violation: type errors of the user's program are found before, in program/, so a violation here is a defect
 * of the compiler.
 */
#pragma once

#include "compiler/tensor_ir/ir.hpp"

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace plait::ir {

class Builder;

/** A node seen through its builder, so that mathematics can be written as it reads. Cheap to copy. */
class Value {
public:
  Value() = default;
  Value(Builder* builder, NodeId id) : builder_(builder), id_(id) {}

  Builder& builder() const { return *builder_; }
  NodeId id() const { return id_; }
  const Type& type() const;
  explicit operator bool() const { return builder_ != nullptr; }

private:
  Builder* builder_ = nullptr;
  NodeId id_ = no_node;
};

/** What finish_loop hands back. */
struct LoopValues {
  std::vector<Value> carried;
  std::vector<Value> stacked;
  std::vector<Value> accumulated;
};

class Builder {
public:
  explicit Builder(Graph& graph) : graph_(&graph) {}

  Graph& graph() const { return *graph_; }
  const Type& type(Value value) const { return graph_->type(value.id()); }
  Value value(NodeId id) { return {this, id}; }

  /** Origin given to nodes made from now on. */
  void set_origin(Origin origin) { origin_ = std::move(origin); }
  const Origin& origin() const { return origin_; }

  // Leaves.
  Value real(double number);
  Value integer(std::int64_t number);
  Value boolean(bool truth);
  Value literal(Element element, std::vector<Extent> shape, std::vector<double> numbers);
  Value zeros(const Type& type); ///< broadcast of 0
  Value parameter(std::int32_t index);
  Value slot(std::int32_t parameter, std::int32_t slot);
  Value data(std::int32_t index);
  Value data_lengths(std::int32_t index);
  Value input(std::string name);
  Value extent(const Extent& extent); ///< integer scalar; a constant when known
  Value axis_index(AxisId axis);
  Value plate_row(AxisId axis);

  // Elementwise and broadcasting. Axes are united; shapes must agree or be scalar.
  Value map(const Op& op, std::span<const Value> inputs);
  Value map(const Op& op, std::initializer_list<Value> inputs);
  Value broadcast(Value value, std::vector<AxisId> axes,
                  std::vector<Extent> shape); ///< no node if nothing changes
  Value broadcast_like(Value value,
                       const Type& type); ///< axes united with type.axes; scalar expanded to type.shape

  // Reductions. `axes` the value lacks are an error: summing over an absent axis would need its size.
  Value sum(Value value, std::vector<AxisId> axes, std::vector<std::int32_t> dims = {});
  Value maximum_over(Value value, std::vector<AxisId> axes, std::vector<std::int32_t> dims = {});
  Value sum_event(Value value); ///< over all event dimensions
  Value log_sum_exp(Value value, std::vector<AxisId> axes, std::vector<std::int32_t> dims = {});
  Value sum_last(Value value); ///< over the last event dimension
  Value log_sum_exp_last(Value value);

  /** sum over labels absent from `out` and over `summed_axes` of left * right. A label summed must occur on
   * both sides; e.g. matrix-vector: left {0,1}, right {1}, out {0}. */
  Value contract(Value left, std::vector<std::int32_t> left_labels, Value right,
                 std::vector<std::int32_t> right_labels, std::vector<std::int32_t> out_labels,
                 std::vector<AxisId> summed_axes = {});
  Value dot(Value a, Value b);    ///< [n] x [n] -> scalar
  Value matmul(Value a, Value b); ///< [m,k]x[k,n], [m,k]x[k], [k]x[k,n]

  // Indexing. gather: result shape = table.shape with dimension `dim` replaced by index.shape.
  Value gather(Value table, Value index, std::int32_t dim = 0);
  /** Adjoint of gather(table, index, dim): adds `value` into zeros whose dimension `dim` has length `extent`;
   * summed over `summed_axes` (axes of index or value that the table lacks). */
  Value scatter_add(Value index, Value value, std::int32_t dim, const Extent& extent,
                    std::vector<AxisId> summed_axes);
  Value axis_to_dim(Value value, AxisId axis); ///< broadcast first if the value lacks the axis
  Value slice(Value value, std::int32_t dim, const Extent& start, const Extent& length);
  Value pad(Value value, std::int32_t dim, const Extent& start, const Extent& full);
  Value concat(std::span<const Value> parts, std::int32_t dim);
  Value stack(std::span<const Value> parts); ///< scalars or equal shapes -> new leading dimension
  Value reshape(Value value, std::vector<Extent> shape);
  Value transpose(Value value, std::vector<std::int32_t> permutation);
  Value expand(Value value, std::int32_t dim, const Extent& extent);
  Value element(Value vector, std::int64_t position); ///< gather with a constant index on dimension 0

  // Random numbers: rng.hpp defines the counters. `row` integer with the draw's axes, `element_base` integer
  // scalar.
  Value random(RandomKind kind, std::string site, Value row, Value element_base, std::vector<Extent> shape,
               std::span<const Value> parameters = {});

  // Dense linear algebra.
  Value cholesky(Value matrix);
  Value cholesky_grad(Value factor, Value grad);
  Value solve_lower(Value factor, Value right, bool transposed = false);

  // Loops. begin_loop opens the body region and makes it current; its arguments are typed like the inits
  // (broadcast the inits to the axes and shape that the nexts will have). finish_loop closes it and places
  // the loop node: nodes put into an enclosing region while the body is open come before the loop.
  // `lengths` is Loop::lengths: a value, or none.
  NodeId begin_loop(const Extent& trip_count, bool reverse, std::span<const Value> inits,
                    std::optional<Value> lengths = {});
  Value loop_index(NodeId loop);
  Value loop_argument(NodeId loop, std::size_t number);
  LoopValues finish_loop(NodeId loop, std::span<const Value> nexts, std::span<const Value> stacked,
                         std::span<const Value> accumulated);
  RegionId current_region() const { return region_; }
  void set_current_region(RegionId region) { region_ = region; }

  /** Appends a fully described node to the current region: for passes that copy nodes. */
  Value append(Node node);

  void output(Output output) { graph_->outputs.push_back(std::move(output)); }

private:
  Graph* graph_;
  RegionId region_ = root_region;
  Origin origin_;
};

} // namespace plait::ir
