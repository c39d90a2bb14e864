/** \file
 * A derivative along a draw, d f(z(phi)) / d phi, does not see f jump: where a comparison changes its mind,
 * or floor its number, the expectation of f moves and the derivative of every single draw is blind to it. (Of
 * f = 1[z > 0] under z ~ normal(m, s) the slope in m is the density of z at 0; every draw's is 0.) Whether
 * the density jumps there or only bends is not decided here, so this is a warning.
 */
#pragma once

#include "compiler/tensor_ir/ir.hpp"
#include "grammar/diagnostic.hpp"

#include <map>
#include <string>
#include <vector>

namespace plait::elbo {

/** A place where the program compares or rounds real numbers. */
struct Jump {
  ir::NodeId value = ir::no_node;
  Span span;
};

/** Warns of every jump that depends on a latent drawn pathwise; `draws` by site. A place that is walked
 * several times is reported once. */
void warn_of_jumps(const std::vector<Jump>& jumps, const std::map<std::string, ir::NodeId>& draws,
                   const ir::Graph& graph, Diagnostics& diagnostics);

} // namespace plait::elbo
