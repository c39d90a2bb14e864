#include "compiler/passes/schedule.hpp"

#include <algorithm>

namespace plait::passes {

using ir::AxisId;
using ir::Extent;
using ir::Graph;
using ir::Kind;
using ir::Node;
using ir::NodeId;
using ir::Type;

namespace {

constexpr std::int64_t assumed = 64;          ///< for sizes known at run time only
constexpr std::int64_t least_side = 4;        ///< narrower matrices are loops
constexpr std::int64_t least_elements = 256;  ///< of the shared matrix, or of the sum over rows
constexpr std::int64_t least_product = 16384; ///< multiplications at the root

std::int64_t size(const Extent& extent) {
  return extent.is_known() ? extent.value : assumed;
}

bool has_only(const Type& type, AxisId axis) {
  return type.axes.size() == 1 && type.axes[0] == axis;
}

} // namespace

std::optional<Product> find_product(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.kind != Kind::contract)
    return std::nullopt;
  const Type& left = graph.type(node.operands[0]);
  const Type& right = graph.type(node.operands[1]);
  const std::vector<AxisId> axes = ir::unite(left.axes, right.axes);
  const AxisId home = home_axis(graph, axes);
  Product product;
  if (!node.axes.empty()) {
    // Both sides hold the rows of one plate, which are summed; each may have one dimension besides.
    if (node.axes.size() != 1 || node.axes[0] != home || !has_only(left, home) || !has_only(right, home) ||
        node.left_labels.size() != 1 || node.right_labels.size() != 1 || node.out_labels.size() != 2)
      return std::nullopt;
    const bool in_order = node.out_labels[0] == node.left_labels[0];
    product.form = Product::Form::over_rows;
    product.a = node.operands[in_order ? 0 : 1];
    product.b = node.operands[in_order ? 1 : 0];
    product.transpose_b = true;
    product.m = node.type.shape[0];
    product.n = node.type.shape[1];
    if (std::min(size(product.m), size(product.n)) < least_side ||
        size(product.m) * size(product.n) < least_elements)
      return std::nullopt;
    return product;
  }
  if (home != no_axis) {
    // A shared matrix times a vector in every row.
    const bool shared_left = left.axes.empty();
    const Type& shared = shared_left ? left : right;
    const Type& rows = shared_left ? right : left;
    const auto& shared_labels = shared_left ? node.left_labels : node.right_labels;
    const auto& row_labels = shared_left ? node.right_labels : node.left_labels;
    if (!shared.axes.empty() || !has_only(rows, home) || shared_labels.size() != 2 ||
        row_labels.size() != 1 || node.out_labels.size() != 1 || node.out_labels[0] == row_labels[0])
      return std::nullopt;
    product.form = Product::Form::of_rows;
    product.a = node.operands[shared_left ? 0 : 1];
    product.b = node.operands[shared_left ? 1 : 0];
    product.transpose_a = shared_labels[0] == row_labels[0];
    product.m = node.type.shape[0];
    product.k = rows.shape[0];
    if (std::min(size(product.m), size(product.k)) < least_side ||
        size(product.m) * size(product.k) < least_elements)
      return std::nullopt;
    return product;
  }
  if (!axes.empty() || node.left_labels.size() != 2 || node.right_labels.size() != 2 ||
      node.out_labels.size() != 2)
    return std::nullopt;
  const bool in_order = std::find(node.left_labels.begin(), node.left_labels.end(), node.out_labels[0]) !=
                        node.left_labels.end();
  const auto& a = in_order ? node.left_labels : node.right_labels;
  const auto& b = in_order ? node.right_labels : node.left_labels;
  product.a = node.operands[in_order ? 0 : 1];
  product.b = node.operands[in_order ? 1 : 0];
  product.transpose_a = a[0] != node.out_labels[0];
  product.transpose_b = b[1] != node.out_labels[1];
  product.m = node.type.shape[0];
  product.n = node.type.shape[1];
  // Both must share exactly the summed label.
  const std::int32_t summed = a[product.transpose_a ? 0 : 1];
  if (summed != b[product.transpose_b ? 1 : 0] || a[product.transpose_a ? 1 : 0] != node.out_labels[0] ||
      b[product.transpose_b ? 0 : 1] != node.out_labels[1])
    return std::nullopt;
  product.k = graph.type(product.a).shape[product.transpose_a ? 0 : 1];
  if (std::min({size(product.m), size(product.n), size(product.k)}) < least_side ||
      size(product.m) * size(product.n) * size(product.k) < least_product)
    return std::nullopt;
  return product;
}

std::optional<DataRows> find_data_rows(const Graph& graph, NodeId id, int lanes) {
  const Node* node = &graph.node(id);
  if (node->kind == Kind::map && node->op->result.get() == ir::ResultRule::to_real)
    node = &graph.node(node->operands[0]);
  if (node->kind != Kind::gather || node->dim != 0 || node->region != ir::root_region ||
      node->type.axes.size() != 1)
    return std::nullopt;
  const Node& data = graph.node(node->operands[0]);
  const Node& row = graph.node(node->operands[1]);
  if (data.kind != Kind::data || row.kind != Kind::plate_row ||
      graph.data[static_cast<std::size_t>(data.index)].ragged)
    return std::nullopt;
  const std::int64_t elements = known_elements(graph, {}, node->type.shape);
  if (elements < lanes)
    return std::nullopt;
  return DataRows{node->operands[0], row.axes[0]};
}

std::optional<RowContraction> find_row_contraction(const Graph& graph, NodeId id, int lanes) {
  const Node& node = graph.node(id);
  if (node.kind != Kind::contract || node.region != ir::root_region)
    return std::nullopt;
  for (const bool left : {true, false}) {
    RowContraction found;
    found.row_values = node.operands[left ? 0 : 1];
    found.other = node.operands[left ? 1 : 0];
    const Type& other = graph.type(found.other);
    const auto rows = find_data_rows(graph, found.row_values, lanes);
    if (!rows || graph.type(found.row_values).shape.size() != 1 ||
        graph.type(found.row_values).element != ir::Element::real)
      continue;
    found.rows = *rows;
    const auto& labels = left ? node.left_labels : node.right_labels;
    const auto& other_labels = left ? node.right_labels : node.left_labels;
    if (node.axes.empty() && other.axes.empty() && labels == other_labels && node.out_labels.empty())
      return found;
    found.sums_rows = true;
    if (node.axes.size() == 1 && has_only(other, node.axes[0]) && node.axes[0] == rows->axis &&
        other_labels.empty() && node.out_labels == labels)
      return found;
  }
  return std::nullopt;
}

} // namespace plait::passes
