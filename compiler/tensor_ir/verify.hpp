/** \file
 * Checks that a graph is well formed: the type rule of every node, that every operand is defined before its
 * user in the same or an enclosing region, that loops, regions and outputs agree with each other.
 */
#pragma once

#include "compiler/tensor_ir/ir.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace plait::ir {

/** All violations, each naming its node; empty for a good graph. Nodes that no region lists are ignored. */
std::vector<std::string> violations(const Graph& graph);

/** Throws std::logic_error with every violation and the name of the stage that made the graph. */
void verify(const Graph& graph, std::string_view stage);

} // namespace plait::ir
