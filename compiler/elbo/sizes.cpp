#include "compiler/elbo/sizes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace plait::elbo {

using ir::Extent;
using program::Dim;
using program::SizeTerm;

Sizes::Sizes(const program::Program& program, ir::Graph& graph, bool keep_runtime, bool subsample)
    : program_(&program), graph_(&graph), keep_runtime_(keep_runtime), subsample_(subsample) {
  for (const program::Plate& plate : program.plates)
    if (const SizeTerm* size = plate.size.single(); size && size->row == SizeTerm::Row::none)
      plate_sizes_.insert(size->name);
}

Extent Sizes::extent(const Dim& dim) const {
  if (dim.is_known())
    return Extent::known(dim.constant);
  if (const SizeTerm* size = dim.single()) {
    if (size->row != SizeTerm::Row::none)
      return Extent::runtime(longest(size->name));
    if (keep_runtime_ && plate_sizes_.contains(size->name))
      return Extent::runtime(size->name);
  }
  if (const auto value = program_->size_value(dim))
    return Extent::known(*value);
  if (const SizeTerm* size = dim.single())
    return Extent::runtime(size->name);
  throw std::invalid_argument(fmt::format(
      "the size {} must be known before the step is compiled: give data or --set", to_string(dim)));
}

std::vector<Extent> Sizes::shape(const std::vector<Dim>& dims) const {
  std::vector<Extent> result;
  for (const Dim& dim : dims)
    result.push_back(extent(dim));
  return result;
}

ir::AxisId Sizes::axis(program::PlateId id) {
  if (const auto found = axes_.find(id); found != axes_.end())
    return found->second;
  const program::Plate& plate = program_->plate(id);
  if (plate.parent >= 0)
    axis(plate.parent); // the outer plate comes first: axis order is nesting order
  ir::Axis axis;
  axis.name = plate.name;
  axis.kind = plate.sequential ? ir::AxisKind::sequential_plate : ir::AxisKind::plate;
  axis.population = extent(plate.size);
  axis.extent = axis.population;
  if (plate.subsampled() && subsample_) {
    axis.extent = Extent::runtime(drawn(plate.name));
    axis.ragged_subset = plate.parent >= 0;
    axis.subsampled = !axis.ragged_subset;
  }
  if (axis.subsampled) {
    axis.minibatch = static_cast<int>(graph_->minibatches.size());
    graph_->minibatches.push_back({plate.name, axis.population, axis.extent});
  }
  const auto result = static_cast<ir::AxisId>(graph_->axes.size());
  graph_->axes.push_back(std::move(axis));
  axes_[id] = result;
  return result;
}

std::vector<ir::AxisId> Sizes::axes(const program::PlateSet& plates) {
  std::vector<ir::AxisId> result;
  for (program::PlateId plate : plates)
    result.push_back(axis(plate));
  std::sort(result.begin(), result.end());
  return result;
}

} // namespace plait::elbo
