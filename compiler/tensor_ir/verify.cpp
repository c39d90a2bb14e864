#include "compiler/tensor_ir/verify.hpp"

#include "compiler/tensor_ir/print.hpp"
#include "compiler/tensor_ir/type_rules.hpp"

#include <fmt/format.h>

#include <set>
#include <stdexcept>

namespace plait::ir {
namespace {

class Verifier {
public:
  explicit Verifier(const Graph& graph) : graph_(graph) {}

  std::vector<std::string> run() {
    if (graph_.regions.empty()) {
      found_.push_back("the graph has no root region");
      return std::move(found_);
    }
    axes();
    visible_.assign(graph_.nodes.size(), false);
    placed_.assign(graph_.nodes.size(), false);
    region(root_region);
    for (const Output& item : graph_.outputs)
      output(item);
    return std::move(found_);
  }

private:
  bool exists(NodeId id) const { return id >= 0 && id < static_cast<NodeId>(graph_.nodes.size()); }

  bool is_visible(NodeId id) const { return exists(id) && visible_[static_cast<std::size_t>(id)]; }

  void report(NodeId id, const std::string& message) {
    found_.push_back(fmt::format("%{} ({}): {}", id, kind_name(graph_.node(id).kind), message));
  }

  void axes() {
    for (const Axis& axis : graph_.axes)
      if (axis.subsampled &&
          (axis.minibatch < 0 || axis.minibatch >= static_cast<int>(graph_.minibatches.size())))
        found_.push_back("axis " + axis.name + " is subsampled, but has no minibatch");
  }

  void region(RegionId id) {
    const std::vector<NodeId>& order = graph_.regions[static_cast<std::size_t>(id)].order;
    for (NodeId member : order) {
      if (!exists(member)) {
        found_.push_back(fmt::format("region {} lists %{}, which does not exist", id, member));
        continue;
      }
      const Node& node = graph_.node(member);
      if (placed_[static_cast<std::size_t>(member)]) {
        report(member, "is listed twice");
        continue;
      }
      placed_[static_cast<std::size_t>(member)] = true;
      if (node.region != id)
        report(member, fmt::format("is listed by region {} but says it lies in region {}", id, node.region));
      bool operands_exist = true;
      for (NodeId operand : node.operands) {
        if (!is_visible(operand))
          report(member, fmt::format("operand %{} is not defined before it", operand));
        else if (graph_.node(operand).kind == Kind::loop && node.kind != Kind::loop_result)
          report(member, fmt::format("operand %{} is a loop, which has no value", operand));
        operands_exist &= exists(operand);
      }
      if (operands_exist && loop_is_sound(member))
        type(member);
      visible_[static_cast<std::size_t>(member)] = true;
    }
    for (NodeId member : order)
      if (exists(member))
        visible_[static_cast<std::size_t>(member)] = false;
  }

  void type(NodeId id) {
    const Node& node = graph_.node(id);
    try {
      const Type expected = infer_type(graph_, node);
      if (!(expected == node.type))
        report(id, fmt::format("has type {}, but its operands make it {}", to_string(graph_, node.type),
                               to_string(graph_, expected)));
    } catch (const std::logic_error& error) {
      report(id, error.what());
    }
    if (node.kind == Kind::loop_argument || node.kind == Kind::loop_index)
      member_of_loop(id);
  }

  void member_of_loop(NodeId id) {
    const Node& node = graph_.node(id);
    const Region& region = graph_.regions[static_cast<std::size_t>(node.region)];
    if (!exists(region.owner) || graph_.node(region.owner).kind != Kind::loop)
      return; // the type rule has said so
    const Loop& loop = graph_.loop_of(region.owner);
    const NodeId registered =
        node.kind == Kind::loop_index ? loop.index
        : node.index >= 0 && node.index < static_cast<std::int32_t>(loop.arguments.size())
            ? loop.arguments[static_cast<std::size_t>(node.index)]
            : no_node;
    if (registered != id)
      report(id, "is not the one its loop knows");
  }

  /** Checks a loop and its body; true for every other node. */
  bool loop_is_sound(NodeId id) {
    const Node& node = graph_.node(id);
    if (node.kind != Kind::loop)
      return true;
    if (node.loop < 0 || node.loop >= static_cast<std::int32_t>(graph_.loops.size())) {
      report(id, "has no loop description");
      return false;
    }
    const Loop& loop = graph_.loop_of(id);
    if (loop.body <= 0 || loop.body >= static_cast<RegionId>(graph_.regions.size())) {
      report(id, "has no body");
      return false;
    }
    const Region& body = graph_.regions[static_cast<std::size_t>(loop.body)];
    if (body.owner != id || body.parent != node.region)
      report(id, "does not agree with its body about owner and parent");
    if (!bodies_.insert(loop.body).second) {
      report(id, "shares its body with another loop");
      return false;
    }
    if (node.operands != loop.inits)
      report(id, "operands differ from inits");
    if (node.extents.size() != 1 || !(node.extents[0] == loop.trip_count))
      report(id, "extents differ from the trip count");
    if (loop.lengths != no_node &&
        (!exists(loop.lengths) || !is_visible(loop.lengths) ||
         graph_.type(loop.lengths).element != Element::integer || !graph_.type(loop.lengths).shape.empty()))
      report(id, "has lengths that are no integers known before it");
    if (loop.arguments.size() != loop.inits.size() || loop.nexts.size() != loop.inits.size()) {
      report(id, fmt::format("{} inits, {} arguments, {} nexts", loop.inits.size(), loop.arguments.size(),
                             loop.nexts.size()));
      return false;
    }
    for (const std::vector<NodeId>* ids :
         {&loop.inits, &loop.arguments, &loop.nexts, &loop.stacked, &loop.accumulated})
      for (NodeId value : *ids)
        if (!exists(value)) {
          report(id, fmt::format("uses %{}, which does not exist", value));
          return false;
        }
    body_of(id, loop);
    return true;
  }

  void body_of(NodeId id, const Loop& loop) {
    const std::vector<NodeId>& order = graph_.regions[static_cast<std::size_t>(loop.body)].order;
    std::set<NodeId> own(order.begin(), order.end());
    region(loop.body);
    const auto check = [&](NodeId value, const char* role) {
      if (!own.contains(value) && !is_visible(value))
        report(id, fmt::format("{} %{} is defined neither in the body nor before the loop", role, value));
    };
    for (std::size_t k = 0; k < loop.nexts.size(); ++k) {
      check(loop.nexts[k], "next");
      if (!own.contains(loop.arguments[k]))
        report(id, fmt::format("argument %{} does not lie in the body", loop.arguments[k]));
      if (!(graph_.type(loop.nexts[k]) == graph_.type(loop.inits[k])))
        report(id, fmt::format("carried value {} starts as {} and becomes {}", k,
                               to_string(graph_, graph_.type(loop.inits[k])),
                               to_string(graph_, graph_.type(loop.nexts[k]))));
    }
    for (NodeId value : loop.stacked)
      check(value, "stacked value");
    for (NodeId value : loop.accumulated) {
      check(value, "accumulated value");
      if (graph_.type(value).element == Element::boolean)
        report(id, fmt::format("accumulates booleans %{}", value));
    }
    if (loop.index != no_node && !own.contains(loop.index))
      report(id, "the index does not lie in the body");
  }

  void output(const Output& output) {
    const std::vector<NodeId>& order = graph_.regions[root_region].order;
    const std::string name = fmt::format("output '{}'", output.name);
    if (!exists(output.node) || !placed_[static_cast<std::size_t>(output.node)] ||
        graph_.node(output.node).region != root_region) {
      found_.push_back(
          fmt::format("{}: %{} is no node of the root region of {} nodes", name, output.node, order.size()));
      return;
    }
    const Type& type = graph_.type(output.node);
    if (graph_.node(output.node).kind == Kind::loop)
      found_.push_back(name + ": a loop has no value");
    if (output.kind == OutputKind::scalar && !(type.axes.empty() && type.is_scalar()))
      found_.push_back(fmt::format("{}: a reported number cannot be {}", name, to_string(graph_, type)));
    if (output.kind == OutputKind::value || output.kind == OutputKind::scalar)
      return;
    if (output.index < 0 || output.index >= static_cast<std::int32_t>(graph_.parameters.size())) {
      found_.push_back(name + ": no such parameter");
      return;
    }
    const Parameter& parameter = graph_.parameters[static_cast<std::size_t>(output.index)];
    Type expected{Element::real, {}, parameter.shape};
    for (AxisId axis : parameter.axes)
      expected.axes = unite(expected.axes, {axis});
    if (!(type == expected))
      found_.push_back(fmt::format("{}: {} for a parameter of type {}", name, to_string(graph_, type),
                                   to_string(graph_, expected)));
  }

  const Graph& graph_;
  std::vector<std::string> found_;
  std::vector<bool> visible_, placed_;
  std::set<RegionId> bodies_;
};

} // namespace

std::vector<std::string> violations(const Graph& graph) {
  return Verifier(graph).run();
}

void verify(const Graph& graph, std::string_view stage) {
  const std::vector<std::string> found = violations(graph);
  if (found.empty())
    return;
  std::string text = fmt::format("malformed tensor IR after {}:", stage);
  for (const std::string& violation : found)
    text += "\n  " + violation;
  throw std::logic_error(text);
}

} // namespace plait::ir
