#include "compiler/elbo/objective.hpp"

#include "compiler/elbo/estimators/rows.hpp"

#include <algorithm>
#include <array>

namespace plait::elbo {

std::span<const Objective* const> objectives() {
#define PLAIT_LIST_ROW(name) &name,
  static constexpr std::array rows{PLAIT_OBJECTIVES(PLAIT_LIST_ROW)};
#undef PLAIT_LIST_ROW
  return rows;
}

const Objective* find_objective(std::string_view name) {
  const auto rows = objectives();
  const auto found =
      std::find_if(rows.begin(), rows.end(), [&](const Objective* row) { return row->name == name; });
  return found == rows.end() ? nullptr : *found;
}

} // namespace plait::elbo
