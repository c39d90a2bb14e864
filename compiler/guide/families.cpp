#include "compiler/guide/families/rows.hpp"

#include <algorithm>
#include <array>

namespace plait::guide {

std::span<const FamilyRow* const> families() {
  static const std::array rows{&amortized_family, &coupling_family, &delta_family,
                               &full_rank_family, &iaf_family,      &laplace_family,
                               &low_rank_family,  &normal_family,   &structured_family};
  return rows;
}

const FamilyRow* find_family(std::string_view name) {
  const auto rows = families();
  const auto found =
      std::find_if(rows.begin(), rows.end(), [&](const FamilyRow* row) { return row->name == name; });
  return found == rows.end() ? nullptr : *found;
}

} // namespace plait::guide
