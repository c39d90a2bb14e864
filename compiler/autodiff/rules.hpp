/** \file
 * The derivative of every node kind that lies within one region: how the adjoint of a node becomes
 * contributions to the adjoints of its operands. Loops are put together in reverse.cpp.
 */
#pragma once

#include "compiler/tensor_ir/build.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

namespace plait::autodiff {

/** False when the derivative with respect to that operand is zero or undefined by nature (masks, indices,
 * draws). */
bool carries_derivative(const ir::Graph& graph, const ir::Node& node, std::size_t operand);

/** One contribution for every operand; empty where there is none. A contribution has the shape of the node's
 * result space as the mathematics gives it: the caller sums it down to the operand's type, for which purpose
 * it has every axis of the node that the operand lacks. `grad` has the node's type. `value_of` gives the
 * forward value of a node where the derivative is computed; it is asked only for what is needed. */
std::vector<std::optional<ir::Value>> contributions(ir::Builder& builder, ir::NodeId id, ir::Value grad,
                                                    const std::function<ir::Value(ir::NodeId)>& value_of);

} // namespace plait::autodiff
