#include "compiler/tensor_ir/print.hpp"

#include "compiler/tensor_ir/type_rules.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace plait::ir {
namespace {

std::string_view element_name(Element element) {
  switch (element) {
  case Element::real:
    return "real";
  case Element::integer:
    return "integer";
  case Element::boolean:
    return "boolean";
  }
  return "?";
}

std::string_view axis_kind_name(AxisKind kind) {
  switch (kind) {
  case AxisKind::plate:
    return "plate";
  case AxisKind::sequential_plate:
    return "sequential plate";
  case AxisKind::enumerated:
    return "enumerated";
  case AxisKind::particle:
    return "particle";
  }
  return "?";
}

std::string_view output_kind_name(OutputKind kind) {
  switch (kind) {
  case OutputKind::scalar:
    return "scalar";
  case OutputKind::gradient:
    return "gradient";
  case OutputKind::store_parameter:
    return "store parameter";
  case OutputKind::store_slot:
    return "store slot";
  case OutputKind::value:
    return "value";
  }
  return "?";
}

template <class Items, class Text>
std::string join(const Items& items, Text text) {
  std::string result;
  for (const auto& item : items)
    result += (result.empty() ? "" : ", ") + text(item);
  return result;
}

std::string numbers(const std::vector<std::int32_t>& items) {
  return "[" + join(items, [](std::int32_t n) { return std::to_string(n); }) + "]";
}

std::string shape_text(const std::vector<Extent>& shape) {
  return shape.empty() ? std::string()
                       : "[" + join(shape, [](const Extent& e) { return to_string(e); }) + "]";
}

std::string name_of(NodeId id) {
  return "%" + std::to_string(id);
}

std::string list(const std::vector<NodeId>& ids) {
  return join(ids, name_of);
}

class Printer {
public:
  explicit Printer(const Graph& graph) : graph_(graph) {}

  std::string axis(AxisId id) const {
    if (id < 0 || id >= static_cast<AxisId>(graph_.axes.size()))
      return "?" + std::to_string(id);
    const std::string& name = graph_.axis(id).name;
    const auto same = std::count_if(graph_.axes.begin(), graph_.axes.end(),
                                    [&](const Axis& other) { return other.name == name; });
    return same > 1 || name.empty() ? name + "#" + std::to_string(id) : name;
  }

  std::string axes(const std::vector<AxisId>& ids) const {
    return ids.empty() ? std::string() : "{" + join(ids, [&](AxisId id) { return axis(id); }) + "}";
  }

  std::string type(const Type& type) const {
    return std::string(element_name(type.element)) + axes(type.axes) + shape_text(type.shape);
  }

  std::string line(NodeId id) const {
    const Node& node = graph_.node(id);
    if (node.kind == Kind::loop)
      return loop_head(id);
    return fmt::format("{} : {} = {}", name_of(id), type(node.type), right_side(node));
  }

  std::string graph() {
    header();
    text_ += "body\n";
    region(root_region, 1);
    return std::move(text_);
  }

private:
  void indent(int depth) { text_.append(static_cast<std::size_t>(2 * depth), ' '); }

  std::string loop_head(NodeId id) const {
    const Loop& loop = graph_.loop_of(id);
    std::string carried;
    for (std::size_t k = 0; k < loop.inits.size(); ++k)
      carried +=
          fmt::format("{}{} = {}", k ? ", " : "",
                      k < loop.arguments.size() ? name_of(loop.arguments[k]) : "?", name_of(loop.inits[k]));
    return fmt::format("{} : loop {} in {}0..{}{}{}", name_of(id), name_of(loop.index),
                       loop.reverse ? "reverse " : "", to_string(loop.trip_count),
                       loop.lengths == no_node ? "" : " for rows of length " + name_of(loop.lengths),
                       carried.empty() ? "" : " carrying " + carried);
  }

  std::string right_side(const Node& node) const {
    const std::string operands = list(node.operands);
    const auto with = [&](const std::string& tail) {
      return fmt::format("{} {}{}{}", kind_name(node.kind), operands, tail.empty() ? "" : " ", tail);
    };
    const std::string extent = node.extents.empty() ? "?" : to_string(node.extents[0]);
    switch (node.kind) {
    case Kind::constant:
      return fmt::format("constant {}", literal(node));
    case Kind::parameter:
      return fmt::format("parameter {}", parameter_name(node.index));
    case Kind::slot:
      return fmt::format("slot {} of {}", node.slot, parameter_name(node.index));
    case Kind::data:
    case Kind::data_lengths:
      return fmt::format("{} {}", kind_name(node.kind), data_name(node.index));
    case Kind::input:
      return fmt::format("input {}", node.name);
    case Kind::extent:
      return fmt::format("extent {}", extent);
    case Kind::axis_index:
    case Kind::plate_row:
      return fmt::format("{} {}", kind_name(node.kind), node.axes.empty() ? "?" : axis(node.axes[0]));
    case Kind::map:
      return fmt::format("{} {}", node.op ? node.op->name : "?", operands);
    case Kind::reduce_sum:
    case Kind::reduce_max:
      return with("over " + axes(node.axes) + (node.dims.empty() ? "" : numbers(node.dims)));
    case Kind::contract:
      return fmt::format("contract {}{}, {}{} -> {}{}",
                         node.operands.empty() ? "?" : name_of(node.operands[0]), numbers(node.left_labels),
                         node.operands.size() < 2 ? "?" : name_of(node.operands[1]),
                         numbers(node.right_labels), numbers(node.out_labels),
                         node.axes.empty() ? "" : " over " + axes(node.axes));
    case Kind::gather:
    case Kind::concat:
      return with(fmt::format("dim {}", node.dim));
    case Kind::scatter_add:
      return with(fmt::format("dim {} of {}{}", node.dim, extent,
                              node.axes.empty() ? "" : " over " + axes(node.axes)));
    case Kind::axis_to_dim:
      return with(axes(node.axes));
    case Kind::slice:
      return with(fmt::format("dim {} from {} length {}", node.dim, to_string(node.start), extent));
    case Kind::pad:
      return with(fmt::format("dim {} from {} of {}", node.dim, to_string(node.start), extent));
    case Kind::transpose:
      return with(numbers(node.dims));
    case Kind::expand:
      return with(fmt::format("dim {} to {}", node.dim, extent));
    case Kind::random:
      return fmt::format("random {} '{}' {}", random_name(node.random), node.name, operands);
    case Kind::loop_argument:
      return fmt::format("loop_argument {}", node.index);
    case Kind::loop_index:
      return "loop_index";
    case Kind::loop_result: {
      const char* which = node.result == LoopResult::carried   ? "carried"
                          : node.result == LoopResult::stacked ? "stacked"
                                                               : "accumulated";
      return fmt::format("{} {} of {}", which, node.index, operands);
    }
    case Kind::solve_lower:
      return with(node.transposed ? "transposed" : "");
    case Kind::broadcast:
    case Kind::reshape:
    case Kind::loop:
    case Kind::cholesky:
    case Kind::cholesky_grad:
      return with("");
    }
    return "?";
  }

  static std::string literal(const Node& node) {
    constexpr std::size_t shown = 16;
    std::string text;
    for (std::size_t i = 0; i < std::min(node.literal.size(), shown); ++i) {
      const std::string number = node.type.element == Element::boolean
                                     ? (node.literal[i] != 0 ? "true" : "false")
                                     : fmt::format("{}", node.literal[i]);
      text += (i ? ", " : "") + number;
    }
    if (node.literal.size() > shown)
      text += fmt::format(", … {} numbers", node.literal.size());
    return node.type.is_scalar() ? text : "[" + text + "]";
  }

  std::string parameter_name(std::int32_t index) const {
    return index >= 0 && index < static_cast<std::int32_t>(graph_.parameters.size())
               ? graph_.parameters[static_cast<std::size_t>(index)].name
               : "?" + std::to_string(index);
  }

  std::string data_name(std::int32_t index) const {
    return index >= 0 && index < static_cast<std::int32_t>(graph_.data.size())
               ? graph_.data[static_cast<std::size_t>(index)].name
               : "?" + std::to_string(index);
  }

  void header() {
    if (!graph_.axes.empty())
      text_ += "axes\n";
    for (std::size_t a = 0; a < graph_.axes.size(); ++a) {
      const Axis& item = graph_.axes[a];
      text_ += fmt::format("  {} : {}[{}]", axis(static_cast<AxisId>(a)), axis_kind_name(item.kind),
                           to_string(item.extent));
      if (item.subsampled)
        text_ += fmt::format(" of {}, minibatch {}", to_string(item.population), item.minibatch);
      if (item.ragged_subset)
        text_ += fmt::format(" of {}, drawn in each row", to_string(item.population));
      text_ += "\n";
    }
    if (!graph_.minibatches.empty())
      text_ += "minibatches\n";
    for (std::size_t m = 0; m < graph_.minibatches.size(); ++m)
      text_ +=
          fmt::format("  {} : {}[{}] of {}\n", m, graph_.minibatches[m].plate,
                      to_string(graph_.minibatches[m].rows), to_string(graph_.minibatches[m].population));
    if (!graph_.parameters.empty())
      text_ += "parameters\n";
    for (const Parameter& parameter : graph_.parameters)
      text_ +=
          fmt::format("  {} : real{}{}{}\n", parameter.name, axes(parameter.axes),
                      shape_text(parameter.shape), parameter.group.empty() ? "" : " in " + parameter.group);
    if (!graph_.data.empty())
      text_ += "data\n";
    for (const DataArray& data : graph_.data)
      text_ += fmt::format("  {} : {}{}{}\n", data.name, data.ragged ? "ragged " : "",
                           element_name(data.element), shape_text(data.shape));
    if (!graph_.outputs.empty())
      text_ += "outputs\n";
    for (const Output& output : graph_.outputs) {
      std::string target = output.name;
      if (output.kind == OutputKind::gradient || output.kind == OutputKind::store_parameter)
        target = parameter_name(output.index);
      if (output.kind == OutputKind::store_slot)
        target = fmt::format("{} of {}", output.slot, parameter_name(output.index));
      text_ += fmt::format("  {} {} = {}\n", output_kind_name(output.kind), target, name_of(output.node));
    }
  }

  void region(RegionId id, int depth) {
    for (NodeId member : graph_.regions[static_cast<std::size_t>(id)].order) {
      const Node& node = graph_.node(member);
      // The index of a loop is introduced by its head; the types of its arguments are worth a line.
      if (node.kind == Kind::loop_index)
        continue;
      indent(depth);
      text_ += line(member);
      if (node.kind != Kind::loop) {
        text_ += "\n";
        continue;
      }
      const Loop& loop = graph_.loop_of(member);
      text_ += " {\n";
      region(loop.body, depth + 1);
      const auto tail = [&](const char* word, const std::vector<NodeId>& values) {
        if (values.empty())
          return;
        indent(depth + 1);
        text_ += fmt::format("{} {}\n", word, list(values));
      };
      tail("next", loop.nexts);
      tail("stack", loop.stacked);
      tail("accumulate", loop.accumulated);
      indent(depth);
      text_ += "}\n";
    }
  }

  const Graph& graph_;
  std::string text_;
};

} // namespace

std::string to_string(const Graph& graph) {
  return Printer(graph).graph();
}

std::string to_string(const Graph& graph, NodeId node) {
  return Printer(graph).line(node);
}

std::string to_string(const Graph& graph, const Type& type) {
  return Printer(graph).type(type);
}

} // namespace plait::ir
