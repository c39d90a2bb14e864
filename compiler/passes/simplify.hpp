/** \file
 * Algebra on tensor IR: identities, constants, broadcasts moved behind what they feed, reductions of products
 * made contractions. Every rule keeps the value for finite numbers up to rounding and never makes NaN or
 * infinity out of numbers; products with 0 vanish only where the other factor is known to be finite.
 */
#pragma once

#include "compiler/tensor_ir/ir.hpp"

namespace plait::passes {

struct SimplifyOptions {
  /** The graph is not going to be differentiated any more: what only steers derivatives (stop_gradient,
   * log_gamma_draw) is dropped. */
  bool is_final = true;
};

ir::Graph simplify(const ir::Graph& graph, const SimplifyOptions& options = {});

} // namespace plait::passes
