/** \file
 * The rows of the objective table. */
#pragma once

#include "compiler/elbo/objective.hpp"

namespace plait::elbo {

extern const Objective elbo_objective;
extern const Objective sampled_elbo_objective;
extern const Objective stl_objective;
extern const Objective iwae_objective;
extern const Objective renyi_objective;
extern const Objective vimco_objective;
extern const Objective wake_sleep_objective;

} // namespace plait::elbo
