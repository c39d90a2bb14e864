/** \file
 * Importance weights w_k = p(x, z_k) / q(z_k) of the particles of a step, for the objectives made of them.
 */
#pragma once

#include "compiler/elbo/objective.hpp"

#include <optional>

namespace plait::elbo {

/** log w of every particle, per outer row when one plate holds every term and no row reads another, else of
 * the whole program. `row` is that plate; axes: the particles, and `row`. */
struct LogWeights {
  ir::Value value;
  std::optional<ir::AxisId> row;
};

/** Sum of the contributions for every particle and row, without N/B.
 * \throws Unsupported when a plate inside the rows is subsampled: the log of a mean cannot be scaled. */
LogWeights log_weights(const ObjectiveContext& context, const std::vector<Contribution>& contributions);

/** `value`, of every particle and perhaps more, summed to the axes of the weights. */
ir::Value as_weights(ir::Value value, const LogWeights& weights, ir::AxisId particles);

/** scale * sum over rows. */
ir::Value over_rows(ir::Value value, const LogWeights& weights);

} // namespace plait::elbo
