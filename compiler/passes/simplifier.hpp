/** \file
 * The rewriter behind simplify. Rules are grouped by what they look at: simplify_map.cpp for elementwise ops,
 * simplify_sums.cpp for reductions and contractions, simplify_shape.cpp for broadcasting, indexing and
 * rearrangement.
 */
#pragma once

#include "compiler/passes/rewrite.hpp"
#include "compiler/passes/simplify.hpp"

#include <initializer_list>
#include <optional>
#include <vector>

namespace plait::passes {

/** The result of a rule: nothing when it does not apply. */
using Simpler = std::optional<ir::Value>;

class Simplifier : public Rewriter {
public:
  Simplifier(const ir::Graph& source, const SimplifyOptions& options) : Rewriter(source), options_(options) {}

protected:
  ir::Value visit(ir::Node node) override { return emit(std::move(node)); }
  Carried carried(ir::NodeId old_loop, std::size_t number) const override;
  std::optional<ir::Value> result_of_invariant(ir::LoopResult result, ir::Value value,
                                               const ir::Extent& trip_count) override;

private:
  /** A node after all rules: all new nodes are made by it, so that rules compose. */
  ir::Value emit(ir::Node node);
  Simpler rule(const ir::Node& node);

  // Nodes by what they compute, simplified.
  ir::Value make(const ir::Op& op, std::initializer_list<ir::Value> inputs);
  ir::Value make(const ir::Op& op, const std::vector<ir::Value>& inputs);
  ir::Value make(ir::Node node, std::initializer_list<ir::Value> operands);
  ir::Value number(ir::Element element, double value);
  ir::Value uniform_like(double value, const ir::Type& type);
  ir::Value broadcast(ir::Value value, const std::vector<ir::AxisId>& axes,
                      const std::vector<ir::Extent>& shape);
  ir::Value as_type(ir::Value value, const ir::Type& type) { return broadcast(value, type.axes, type.shape); }
  ir::Value sum(ir::Value value, const std::vector<ir::AxisId>& axes, const std::vector<std::int32_t>& dims);
  ir::Value expand(ir::Value value, std::int32_t dim, const ir::Extent& extent);
  ir::Value real_extent(const ir::Extent& extent);

  // What a value is.
  ir::Kind kind(ir::Value value) const { return node(value).kind; }
  bool is_map(ir::Value value, const ir::Op& op) const;
  /** The number that every element is, when that is known. */
  std::optional<double> uniform(ir::Value value) const;
  bool is_uniform(ir::Value value, double number) const;
  bool is_finite(ir::Value value) const;
  /** Whether an elementwise result of the two would be a smaller array than one of that type. */
  bool is_smaller(ir::Value a, ir::Value b, const ir::Type& than) const;
  /** The axis along which the value is the position 0, 1, … */
  std::optional<ir::AxisId> position_along(ir::Value value) const;
  /** Without a broadcast on top of it. */
  ir::Value peel(ir::Value value);
  /** The value before a broadcast added axes; its shape is the same. Empty when there is no such broadcast.
   */
  std::optional<ir::Value> without_added_axes(ir::Value value);

  // simplify_map.cpp
  Simpler map_rule(const ir::Node& node);
  Simpler fold(const ir::Node& node);
  Simpler real_identity(const ir::Node& node);
  Simpler common_factor(const ir::Node& node, ir::Value a, ir::Value b);
  Simpler common_mask(const ir::Node& node, ir::Value a, ir::Value b);
  Simpler common_contraction(const ir::Node& node, ir::Value a, ir::Value b);
  Simpler product_identity(const ir::Node& node, ir::Value a, ir::Value b);
  Simpler select_identity(const ir::Node& node);
  Simpler where(ir::Value mask, bool set, ir::Value value, int depth);
  Simpler other_identity(const ir::Node& node);
  Simpler map_of_broadcasts(const ir::Node& node);
  Simpler map_of_expands(const ir::Node& node);

  // simplify_sums.cpp
  Simpler sum_rule(const ir::Node& node);
  Simpler sum_of_broadcast(const ir::Node& node, ir::Value operand);
  Simpler sum_of_expand(const ir::Node& node, ir::Value operand);
  Simpler sum_of_product(const ir::Node& node, ir::Value operand);
  Simpler sum_of_contract(const ir::Node& node, ir::Value operand);
  Simpler sum_of_structure(const ir::Node& node, ir::Value operand);
  Simpler max_rule(const ir::Node& node);
  Simpler contract_rule(const ir::Node& node);
  Simpler contract_side(const ir::Node& node, std::size_t side);
  Simpler contract_of_axes(const ir::Node& node, std::size_t side, ir::Value inner);
  Simpler contract_without_labels(const ir::Node& node, std::size_t side, ir::Value inner,
                                  const std::vector<std::int32_t>& labels);
  Simpler contract_is_product(const ir::Node& node);

  // simplify_shape.cpp
  Simpler shape_rule(const ir::Node& node);
  Simpler broadcast_rule(const ir::Node& node);
  Simpler gather_rule(const ir::Node& node);
  Simpler scatter_rule(const ir::Node& node);
  Simpler axis_to_dim_rule(const ir::Node& node);
  Simpler slice_rule(const ir::Node& node);
  Simpler pad_rule(const ir::Node& node);
  Simpler concat_rule(const ir::Node& node);
  Simpler reshape_rule(const ir::Node& node);
  Simpler transpose_rule(const ir::Node& node);
  Simpler expand_rule(const ir::Node& node);
  /** op(broadcast(x)) = broadcast(op(x)) for ops of one operand that work within the event. */
  Simpler axes_behind(const ir::Node& node);

  SimplifyOptions options_;
};

} // namespace plait::passes
