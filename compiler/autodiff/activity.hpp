/** \file
 * Which nodes take part in a derivative.
 */
#pragma once

#include "compiler/tensor_ir/ir.hpp"

#include <set>
#include <vector>

namespace plait::autodiff {

/** For every node whether its value depends, through operations that carry a derivative, on one of `sources`
 * (which do so themselves) without passing one of `held`. Loop nodes count as active when any of their
 * results is. */
std::vector<bool> active_nodes(const ir::Graph& graph, const std::vector<bool>& sources,
                               const std::vector<bool>& held);

/** Numbers of the carried values of a loop whose adjoints are needed in the reverse loop: those from which
 * the derivative flows, through any number of iterations, into one of `seeds` (body values whose adjoint is
 * given from outside). */
std::set<std::size_t> needed_carried(const ir::Graph& graph, ir::NodeId loop, const std::vector<bool>& active,
                                     const std::vector<ir::NodeId>& seeds);

} // namespace plait::autodiff
