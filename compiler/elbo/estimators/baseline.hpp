/** \file
 * Baselines of the score function: what is taken off the cost of a draw to lower the variance of its signal.
 * None depends on the draw itself, so the mean of the estimator stays what it is.
 *
 * - Decaying average: m, a running mean of the site's costs over rows, iterations and particles,
 *
 *       v <- d v + (1 - d) mean(c),   w <- d w + (1 - d),   m = v / w,
 *
 *   and for a site in plates or loops r_i, the running mean of c_i - m of every element, which starts at 0.
 * The baseline is m + r_i as they were *before* the step. An element that is not drawn keeps its r_i: what
 * moves all costs moves m. Both are parameters that the step writes itself, kept in checkpoints.
 * - Leave-one-out over K particles: the mean of c over the others (Kool, van Hoof & Welling 2019).
 * - The program's expression: predicts c - m, trained on the squared error (Mnih & Gregor 2014), and with
 *   several particles its residual has the others' mean residual taken off.
 */
#pragma once

#include "compiler/elbo/objective.hpp"

#include <string>
#include <vector>

namespace plait::elbo {

struct BaselineResult {
  ir::Value rest;          ///< cost less baseline; no derivative of it is meant
  ir::Value squared_error; ///< of the program's expression, typed like the cost; null when there is none
  std::vector<StateUpdate> updates;
};

/** `cost`: of every draw of the site, divided by the scale of the site's plates; carries no derivative.
 * \throws Unsupported for leave-one-out with a single particle. */
BaselineResult subtract_baseline(const ScoreSite& site, ir::Value cost, const ObjectiveContext& context);

/** In words, for `plait check`: "average", "expression + leave-one-out", "no baseline" … */
std::string describe_baseline(const ScoreSite& site, bool several_particles);

} // namespace plait::elbo
