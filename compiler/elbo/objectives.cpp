#include "compiler/elbo/objective.hpp"

#include "compiler/elbo/estimators/rows.hpp"

#include <algorithm>
#include <array>

namespace plait::elbo {

std::span<const Objective* const> objectives() {
  static const std::array rows{&elbo_objective,         &iwae_objective, &renyi_objective,
                               &sampled_elbo_objective, &stl_objective,  &vimco_objective,
                               &wake_sleep_objective};
  return rows;
}

const Objective* find_objective(std::string_view name) {
  const auto rows = objectives();
  const auto found =
      std::find_if(rows.begin(), rows.end(), [&](const Objective* row) { return row->name == name; });
  return found == rows.end() ? nullptr : *found;
}

} // namespace plait::elbo
