/** \file
 * Removes what no output depends on: nodes, results of loops, and carried values that only serve themselves.
 */
#pragma once

#include "compiler/tensor_ir/ir.hpp"

namespace plait::passes {

ir::Graph dead_code(const ir::Graph& graph);

} // namespace plait::passes
