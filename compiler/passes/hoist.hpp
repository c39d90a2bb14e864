/** \file
 * Moves what does not change from one iteration to the next out of loop bodies, as far out as its operands
 * allow; factors of what a loop adds up as well. Draws whose counters depend on the iteration stay where they
 * are.
 */
#pragma once

#include "compiler/tensor_ir/ir.hpp"

namespace plait::passes {

ir::Graph hoist(const ir::Graph& graph);

} // namespace plait::passes
