/** \file
 * Tensor IR as text, for people and for golden tests: the same graph always prints the same.
 *
 *     axes
 *       i : plate[B] of N, minibatch 0
 *     outputs
 *       scalar elbo = %9
 *     body
 *       %4 : real{i}[Z] = add %2, %3
 */
#pragma once

#include "compiler/tensor_ir/ir.hpp"

#include <string>

namespace plait::ir {

std::string to_string(const Graph& graph);
/** One line, without indentation: `%4 : real{i}[Z] = add %2, %3`. For a loop only its head. */
std::string to_string(const Graph& graph, NodeId node);
/** `real{i}[Z]` */
std::string to_string(const Graph& graph, const Type& type);

} // namespace plait::ir
