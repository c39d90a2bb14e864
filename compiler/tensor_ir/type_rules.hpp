/** \file
 * The type rule of every node kind, in one place: builders take the type of a new node from it, verify
 * compares every node of a graph with it.
 */
#pragma once

#include "compiler/tensor_ir/ir.hpp"

#include <string_view>

namespace plait::ir {

/** Name of a kind as `emit --stage ir` prints it: the enumerator. */
std::string_view kind_name(Kind kind);
std::string_view random_name(RandomKind kind);
/** Number of distribution parameters after (row, element_base). */
std::size_t random_parameters(RandomKind kind);

/** The type that `node` must have, from its operands and attributes. Where the kind leaves a choice (shape of
 * a constant, of a reshape or of a random draw, target of a broadcast), `node.type` holds the choice and is
 * checked and completed. The loop node itself carries no value; its type is a real scalar. Throws
 * std::logic_error on a violation. */
Type infer_type(const Graph& graph, const Node& node);

/** True when both shapes have the same number of elements for every value of the run-time extents. */
bool same_size(const std::vector<Extent>& a, const std::vector<Extent>& b);

} // namespace plait::ir
