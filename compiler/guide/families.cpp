#include "compiler/guide/families/rows.hpp"

#include <algorithm>
#include <array>

namespace plait::guide {

std::span<const FamilyRow* const> families() {
#define PLAIT_LIST_ROW(name) &name,
  static constexpr std::array rows{PLAIT_FAMILIES(PLAIT_LIST_ROW)};
#undef PLAIT_LIST_ROW
  return rows;
}

const FamilyRow* find_family(std::string_view name) {
  const auto rows = families();
  const auto found =
      std::find_if(rows.begin(), rows.end(), [&](const FamilyRow* row) { return row->name == name; });
  return found == rows.end() ? nullptr : *found;
}

} // namespace plait::guide
