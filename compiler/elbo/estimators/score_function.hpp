/** \file
 * The score-function estimator with Rao-Blackwellization and control variates.
 *
 *   d/dphi E_q[f] = E_q[ sum_i d log q(z_i)/dphi * (c_i - b_i) ],
 *
 * c_i the scaled terms downstream of z_i *at its own plate index and iteration* (Ranganath et al. 2014, Black
 * Box Variational Inference; Schulman et al. 2015, Stochastic Computation Graphs), b_i a baseline that does
 * not depend on z_i (baseline.hpp). The cost carries the scale N/B of its terms once; the score factor
 * carries none. Baselines see c_i / s, s the scale of the site's own plates: their values and errors are of
 * the size of one element whatever part of the rows is drawn.
 */
#pragma once

#include "compiler/elbo/objective.hpp"

namespace plait::elbo {

struct ScoreSurrogate {
  ir::Value surrogate; ///< its gradient is the estimator's contribution to the ELBO gradient; its value means
                       ///< nothing
  ir::Value baseline_loss;          ///< squared error of learned baselines; 0 when there is none
  std::vector<StateUpdate> updates; ///< of the averages
};

/** \throws Unsupported for a baseline that cannot be had: see baseline.hpp. */
ScoreSurrogate score_function(const ObjectiveContext& context);

} // namespace plait::elbo
