/** \file
 * Which values depend on a draw, computed on the tensor IR. Two terms in the same plate as the draw are told
 * apart by index: a term at element i depends on the draw at element i alone, unless the way from one to the
 * other leaves the plate (a reduction over it, or its values seen from outside as an array); then the plate
 * is *crossed*.
 */
#pragma once

#include "compiler/tensor_ir/ir.hpp"

#include <optional>
#include <vector>

namespace plait::elbo {

class Dependence {
public:
  Dependence(const ir::Graph& graph, ir::NodeId source)
      : Dependence(graph, std::vector<ir::NodeId>{source}, {}) {}
  /** What depends on any of `sources` along ways that do not pass through `barriers`. */
  Dependence(const ir::Graph& graph, const std::vector<ir::NodeId>& sources,
             const std::vector<ir::NodeId>& barriers);

  bool reaches(ir::NodeId node) const { return state_[static_cast<std::size_t>(node)].has_value(); }
  /** Axes of the source that some way to `node` crosses; ascending. */
  const std::vector<ir::AxisId>& crossed(ir::NodeId node) const {
    return *state_[static_cast<std::size_t>(node)];
  }

private:
  std::vector<std::optional<std::vector<ir::AxisId>>> state_;
};

} // namespace plait::elbo
