#include "compiler/passes/schedule.hpp"
#include "compiler/tensor_ir/type_rules.hpp"

#include <fmt/format.h>

namespace plait::passes {
namespace {

std::string_view place_name(Place place) {
  switch (place) {
  case Place::inlined:
    return "inlined";
  case Place::scalar:
    return "scalar";
  case Place::lane:
    return "lane";
  case Place::tile:
    return "tile";
  case Place::whole:
    return "whole";
  }
  return "?";
}

std::string type_text(const ir::Graph& graph, const ir::Type& type) {
  std::string text;
  for (ir::AxisId axis : type.axes)
    text += (text.empty() ? "" : " ") + graph.axis(axis).name;
  if (!type.shape.empty()) {
    text += "[";
    for (std::size_t d = 0; d < type.shape.size(); ++d)
      text += (d ? ", " : "") + ir::to_string(type.shape[d]);
    text += "]";
  }
  return text.empty() ? "scalar" : text;
}

std::string node_text(const ir::Graph& graph, ir::NodeId id) {
  const ir::Node& node = graph.node(id);
  const std::string what = node.op ? std::string(node.op->name) : std::string(ir::kind_name(node.kind));
  return fmt::format("%{} {} : {}", id, what, type_text(graph, node.type));
}

void print(const ir::Graph& graph, const Schedule& schedule, const Statement& statement, int depth,
           std::string& text) {
  const std::string indent(static_cast<std::size_t>(2 * depth), ' ');
  switch (statement.kind) {
  case StatementKind::compute:
    text += fmt::format("{}compute {} in {}\n", indent, node_text(graph, statement.node),
                        place_name(schedule.placements[static_cast<std::size_t>(statement.node)].place));
    break;
  case StatementKind::accumulate:
    text += fmt::format("{}add up {} for %{}\n", indent, node_text(graph, statement.node), statement.target);
    break;
  case StatementKind::product:
    if (statement.deferred)
      text += fmt::format("{}product {} over many iterations\n", indent, node_text(graph, statement.node));
    else
      text += fmt::format("{}product {} in {}\n", indent, node_text(graph, statement.node),
                          place_name(schedule.placements[static_cast<std::size_t>(statement.node)].place));
    break;
  case StatementKind::loop:
    text += fmt::format("{}loop %{} {} times\n", indent, statement.node,
                        ir::to_string(graph.loop_of(statement.node).trip_count));
    for (const Statement& part : statement.body)
      print(graph, schedule, part, depth + 1, text);
    break;
  case StatementKind::store:
    for (int k : statement.outputs) {
      const ir::Output& output = graph.outputs[static_cast<std::size_t>(k)];
      text += fmt::format("{}store output {} {} from %{}\n", indent, k, output.name, output.node);
    }
    break;
  }
}

} // namespace

std::string print(const ir::Graph& graph, const Schedule& schedule) {
  std::string text;
  for (const Phase& phase : schedule.phases) {
    if (phase.home == no_axis)
      text += fmt::format("level {} root\n", phase.level);
    else
      text += fmt::format("level {} over {}, tiles of {} rows, at most {} chunks\n", phase.level,
                          graph.axis(phase.home).name, phase.tile_rows, phase.maximum_chunks);
    for (int segment = 0; segment < phase.segments; ++segment) {
      if (phase.segments > 1)
        text += fmt::format("  segment {}\n", segment);
      for (const Statement& statement : phase.statements)
        if (statement.segment == segment)
          print(graph, schedule, statement, phase.segments > 1 ? 2 : 1, text);
    }
  }
  return text;
}

} // namespace plait::passes
