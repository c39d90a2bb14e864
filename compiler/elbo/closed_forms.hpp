/** \file
 * Which expectations in closed form may stand in for the terms of the ELBO.
 *
 * Given what the guide draws before a latent z, E[log p(z | a) - log q(z)] = -KL(q || p(. | a)) when a is
 * the same for every z: what the prior's parameters are made of must not come, by way of later draws of the
 * guide, from z itself (a guide that draws the parent a from the child z). A prior under a sum over a finite
 * latent of the model is inside a logarithm, and the expectation of a logarithm is none of an expectation.
 * The entropy E[-log q(z)] always holds.
 */
#pragma once

#include "compiler/elbo/executor.hpp"

#include <vector>

namespace plait::elbo {

/** The closed forms that hold, for each guide term divergences or its entropy: divergences where all branches
 * of the latent have them. In the order of the walk, divergences first. */
std::vector<const ClosedForm*> exact_closed_forms(const Executor& walk, const ir::Graph& graph);

} // namespace plait::elbo
