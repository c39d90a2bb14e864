#include "compiler/passes/schedule_internal.hpp"

#include <algorithm>

namespace plait::passes {

using ir::AxisId;
using ir::Extent;
using ir::Graph;
using ir::Kind;
using ir::Node;

namespace {

constexpr std::int64_t default_extent = 1024;
constexpr std::int64_t most_tile_rows = 256;

std::int64_t expected(const ScheduleOptions& options, const Extent& extent) {
  if (extent.is_known())
    return extent.value;
  const auto hint = options.expected_extents.find(extent.name);
  return hint == options.expected_extents.end() ? default_extent : hint->second;
}

std::int64_t expected_elements(const Graph& graph, const ScheduleOptions& options, const Buffer& buffer) {
  std::int64_t count = buffer.width;
  for (AxisId axis : buffer.axes)
    count *= expected(options, graph.axis(axis).extent);
  for (const Extent& extent : buffer.shape)
    count *= expected(options, extent);
  if (buffer.lane_axis != no_axis)
    count *= buffer.lane_rows > 0 ? buffer.lane_rows : expected(options, graph.axis(buffer.lane_axis).extent);
  return count;
}

/** The phase every buffer belongs to; accumulators belong to the phase that fills them. */
std::vector<int> buffer_phases(const Schedule& schedule) {
  std::vector<int> owners(schedule.buffers.size(), 0);
  for (const auto* list : {&schedule.placements, &schedule.next_values})
    for (const Placement& placement : *list)
      if (placement.buffer >= 0)
        owners[static_cast<std::size_t>(placement.buffer)] = placement.phase;
  const auto visit = [&](const auto& self, const Statement& statement, int phase) -> void {
    if (statement.accumulator >= 0)
      owners[static_cast<std::size_t>(statement.accumulator)] = phase;
    for (const Panel& panel : statement.panels)
      owners[static_cast<std::size_t>(panel.buffer)] = phase;
    for (const Statement& part : statement.body)
      self(self, part, phase);
  };
  for (std::size_t p = 0; p < schedule.phases.size(); ++p)
    for (const Statement& statement : schedule.phases[p].statements)
      visit(visit, statement, static_cast<int>(p));
  return owners;
}

} // namespace

void choose_tiles(const Graph& graph, const ScheduleOptions& options, Schedule& schedule) {
  std::vector<std::int64_t> row_bytes(schedule.phases.size(), 0);
  const auto per_row = [&](const Buffer& buffer) {
    Buffer row = buffer;
    row.lane_rows = 1;
    return expected_elements(graph, options, row) * buffer.element_bytes;
  };
  const auto owners = buffer_phases(schedule);
  for (std::size_t b = 0; b < schedule.buffers.size(); ++b)
    if (schedule.buffers[b].place == Place::tile)
      row_bytes[static_cast<std::size_t>(owners[b])] += per_row(schedule.buffers[b]);
  for (std::size_t p = 0; p < schedule.phases.size(); ++p) {
    Phase& phase = schedule.phases[p];
    if (phase.home == no_axis)
      continue;
    const std::int64_t lanes = options.lanes;
    std::int64_t rows = options.tile_rows;
    if (rows <= 0) {
      const std::int64_t all = expected(options, graph.axis(phase.home).extent);
      const auto fitting = [&](std::int64_t bytes) {
        return std::clamp(bytes / std::max<std::int64_t>(1, row_bytes[p]),
                          std::min(4 * lanes, most_tile_rows), most_tile_rows);
      };
      const bool by_products = std::any_of(phase.statements.begin(), phase.statements.end(),
                                           [](const Statement& s) { return needs_tile(s); });
      // A matrix product packs its shared matrix for every tile, so tiles are as large as two parallel
      // chunks allow, even if the rows' values then live in the outer cache.
      rows = by_products ? std::min(fitting(16 * options.cache_bytes), (all + 1) / 2)
                         : std::min(fitting(options.cache_bytes), all);
      rows = std::max(lanes, rows);
    }
    phase.tile_rows = static_cast<int>((rows + lanes - 1) / lanes * lanes);
  }
  std::vector<std::int64_t> sum_bytes(schedule.phases.size(), 1);
  for (std::size_t b = 0; b < schedule.buffers.size(); ++b)
    if (schedule.buffers[b].chunks > 0 && schedule.buffers[b].place == Place::whole)
      sum_bytes[static_cast<std::size_t>(owners[b])] +=
          expected_elements(graph, options, schedule.buffers[b]) * schedule.buffers[b].element_bytes;
  for (std::size_t p = 0; p < schedule.phases.size(); ++p) {
    Phase& phase = schedule.phases[p];
    if (phase.home != no_axis)
      phase.maximum_chunks = static_cast<int>(
          std::clamp<std::int64_t>(options.accumulator_bytes / sum_bytes[p], 1, options.maximum_chunks));
  }
  for (std::size_t b = 0; b < schedule.buffers.size(); ++b) {
    Buffer& buffer = schedule.buffers[b];
    if (buffer.chunks == 0)
      continue;
    const Phase& phase = schedule.phases[static_cast<std::size_t>(owners[b])];
    buffer.chunks = phase.maximum_chunks;
    if (buffer.place == Place::tile && buffer.lane_axis != no_axis)
      buffer.lane_rows = phase.tile_rows;
  }
}

void name_arguments(const Graph& graph, Schedule& schedule) {
  std::set<std::string> extents, inputs;
  const auto note = [&](const Extent& extent) {
    if (!extent.is_known())
      extents.insert(extent.name);
  };
  for (const ir::Axis& axis : graph.axes) {
    note(axis.extent);
    note(axis.population);
  }
  for (const ir::Minibatch& minibatch : graph.minibatches) {
    note(minibatch.population);
    note(minibatch.rows);
  }
  for (const ir::Parameter& parameter : graph.parameters)
    std::for_each(parameter.shape.begin(), parameter.shape.end(), note);
  for (const ir::DataArray& data : graph.data)
    std::for_each(data.shape.begin(), data.shape.end(), note);
  for (const ir::Loop& loop : graph.loops)
    note(loop.trip_count);
  for (const Node& node : graph.nodes) {
    std::for_each(node.type.shape.begin(), node.type.shape.end(), note);
    std::for_each(node.extents.begin(), node.extents.end(), note);
    note(node.start);
    if (node.kind == Kind::input)
      inputs.insert(node.name);
  }
  schedule.extents.assign(extents.begin(), extents.end());
  schedule.inputs.assign(inputs.begin(), inputs.end());
}

bool in_workspace(const Buffer& buffer) {
  return buffer.place != Place::lane && buffer.place != Place::inlined;
}

std::int64_t workspace_bytes(const Graph& graph, const Schedule& schedule,
                             const std::vector<std::int64_t>& extents) {
  const auto size = [&](const Extent& extent) {
    if (extent.is_known())
      return extent.value;
    const auto place = std::find(schedule.extents.begin(), schedule.extents.end(), extent.name);
    return extents.at(static_cast<std::size_t>(place - schedule.extents.begin()));
  };
  std::int64_t total = 0;
  for (const Buffer& buffer : schedule.buffers) {
    if (!in_workspace(buffer))
      continue;
    std::int64_t bytes = std::int64_t{buffer.element_bytes} * buffer.width;
    for (AxisId axis : buffer.axes)
      bytes *= size(graph.axis(axis).extent);
    for (const Extent& extent : buffer.shape)
      bytes *= size(extent);
    if (buffer.lane_axis != no_axis) {
      const std::int64_t rows =
          buffer.lane_rows > 0 ? buffer.lane_rows : size(graph.axis(buffer.lane_axis).extent);
      bytes *= (rows + schedule.lanes - 1) / schedule.lanes * schedule.lanes;
    }
    // One register more, so that the last, partly filled one may be read and written whole.
    bytes += std::int64_t{buffer.element_bytes} * schedule.lanes;
    bytes = (bytes + buffer_alignment - 1) / buffer_alignment * buffer_alignment;
    total += bytes * std::max(1, buffer.chunks);
  }
  return total + buffer_alignment;
}

} // namespace plait::passes
