/** \file
 * From symbolic sizes and plates of the typed program to extents and axes of the tensor IR.
 */
#pragma once

#include "compiler/program/program.hpp"
#include "compiler/tensor_ir/build.hpp"

#include <map>
#include <set>
#include <string>

namespace plait::elbo {

class Sizes {
public:
  /** With `keep_runtime`, sizes that are the size of a plate stay run-time extents even when their value is
   * known, so that the same step serves another number of rows. */
  Sizes(const program::Program& program, ir::Graph& graph, bool keep_runtime, bool subsample);

  /** The extent of one dimension. A ragged length becomes the longest row, `max(T)`.
   * \throws std::invalid_argument for a sum of run-time sizes. */
  ir::Extent extent(const program::Dim& dim) const;
  std::vector<ir::Extent> shape(const std::vector<program::Dim>& dims) const;

  /** The axis of a plate, made on first use. A subsampled plate gets a row stream, `minibatch`,
   * or is a ragged subset. */
  ir::AxisId axis(program::PlateId plate);
  std::vector<ir::AxisId> axes(const program::PlateSet& plates); ///< ascending

  static std::string longest(const std::string& ragged) { return "max(" + ragged + ")"; }
  static std::string drawn(const std::string& plate) { return plate + ".rows"; }

private:
  const program::Program* program_;
  ir::Graph* graph_;
  bool keep_runtime_;
  bool subsample_;
  std::set<std::string> plate_sizes_;
  std::map<program::PlateId, ir::AxisId> axes_;
};

} // namespace plait::elbo
