/** \file
 * The score-function estimator with Rao-Blackwellization and control variates.
 *
 *   d/dphi E_q[f] = E_q[ sum_i d log q(z_i)/dphi * (c_i - b_i) ],
 *
 * c_i the scaled terms downstream of z_i *at its own plate index* (Ranganath et al. 2014, Black Box
 * Variational Inference; Schulman et al. 2015, Stochastic Computation Graphs), b_i a baseline that does not
 * depend on z_i. The cost carries the scale N/B of its terms once; the score factor carries none.
 */
#pragma once

#include "compiler/elbo/combine.hpp"

namespace plait::elbo {

struct ScoreSurrogate {
  ir::Value surrogate; ///< its gradient is the estimator's contribution to the ELBO gradient; its value means
                       ///< nothing
  ir::Value baseline_loss; ///< squared error of learned baselines; 0 when there is none
};

/** Baselines: the user's expression, trained on the squared error to its cost; else, with two or more
 * particles, the mean cost of the other particles (leave-one-out: Kool et al. 2019, Buy 4 REINFORCE Samples);
 * else none. */
ScoreSurrogate score_function(const Executor& walk, const std::vector<Contribution>& contributions,
                              ir::Builder& builder, std::optional<ir::AxisId> particles);

} // namespace plait::elbo
