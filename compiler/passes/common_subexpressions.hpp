/** \file
 * Makes nodes that compute the same value one node. A node of a loop body may be replaced by one of an
 * enclosing region, never the other way round. Draws with the same site, kind and operands are the same draw
 * by definition.
 */
#pragma once

#include "compiler/tensor_ir/ir.hpp"

namespace plait::passes {

ir::Graph common_subexpressions(const ir::Graph& graph);

} // namespace plait::passes
