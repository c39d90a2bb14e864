/** \file
 * The list of objectives. A new one is a row in a file beside this one and a line here.
 */
#pragma once

#include "compiler/elbo/objective.hpp"

#define PLAIT_OBJECTIVES(ROW)                                                                                \
  ROW(elbo_objective)                                                                                        \
  ROW(iwae_objective)                                                                                        \
  ROW(renyi_objective)                                                                                       \
  ROW(sampled_elbo_objective)                                                                                \
  ROW(stl_objective)                                                                                         \
  ROW(vimco_objective)                                                                                       \
  ROW(wake_sleep_objective)

namespace plait::elbo {

#define PLAIT_DECLARE_ROW(name) extern const Objective name;
PLAIT_OBJECTIVES(PLAIT_DECLARE_ROW)
#undef PLAIT_DECLARE_ROW

} // namespace plait::elbo
