#include "compiler/catalog/transform.hpp"
#include "compiler/catalog/transforms/rows.hpp"

#include <algorithm>
#include <array>

namespace plait::catalog {

std::span<const Transform* const> transforms() {
  static const std::array rows{&row::affine_transform,
                               &row::coupling_transform,
                               &row::exp_transform,
                               &row::iaf_transform,
                               &row::ordered_transform,
                               &row::reverse_transform,
                               &row::sigmoid_transform,
                               &row::softplus_transform,
                               &row::to_cholesky_corr_transform,
                               &row::to_ordered_transform,
                               &row::to_positive_ordered_transform,
                               &row::to_simplex_transform};
  return rows;
}

const Transform* find_transform(std::string_view name) {
  const auto rows = transforms();
  const auto place = std::ranges::find(rows, name, [](const Transform* row) { return row->name; });
  return place == rows.end() ? nullptr : *place;
}

bool has_density_everywhere(const Transform& transform) {
  return transform.backward || transform.flow == FlowKind::halves;
}

} // namespace plait::catalog
