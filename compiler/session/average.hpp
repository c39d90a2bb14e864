/** \file
 * What a fit ends with: its last iterate, or with FitOptions::average the average of all (Polyak & Juditsky
 * 1992, with weights that decay). The step keeps the average in slots (elbo/build_step.hpp); iterates and
 * optimizer do not know of it.
 */
#pragma once

#include "compiler/session/state.hpp"

namespace plait::session {

/** 1 - decay^steps: the sum of (1 - decay) decay^s over s = 0 … steps - 1. */
double decayed_total(double decay, double steps);

/** Whether the fit ends with an average of this parameter. Before the first step there is none, and what a
 * baseline remembers has none. */
bool is_averaged(const Fit::State& state, std::size_t parameter);

/** The unconstrained values of a parameter that the fit ends with, were it to end now: what is drawn from,
 * evaluated and saved as the result. Rows of a subsampled plate that were not drawn lately count with the
 * value that they kept. */
const Buffer& result_values(const Fit::State& state, std::size_t parameter);

} // namespace plait::session
