#include "compiler/tensor_ir/type_rules.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>
#include <string>

namespace plait::ir {
namespace {

[[noreturn]] void fail(const Node& node, const std::string& message) {
  std::string text = std::string(kind_name(node.kind));
  if (node.op)
    text += " " + std::string(node.op->name);
  if (!node.origin.site.empty())
    text += " (of '" + node.origin.site + "')";
  throw std::logic_error(text + ": " + message);
}

void require(bool condition, const Node& node, const char* message) {
  if (!condition)
    fail(node, message);
}

std::string shape_text(const std::vector<Extent>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + to_string(shape[i]);
  return text + "]";
}

void require_operands(const Node& node, std::size_t count) {
  if (node.operands.size() != count)
    fail(node,
         std::to_string(count) + " operands expected, " + std::to_string(node.operands.size()) + " given");
}

void require_dim(const Node& node, std::int64_t dim, std::size_t rank) {
  if (dim < 0 || dim >= static_cast<std::int64_t>(rank))
    fail(node, "dimension " + std::to_string(dim) + " of a value of rank " + std::to_string(rank));
}

void require_axis(const Graph& graph, const Node& node, AxisId axis) {
  if (axis < 0 || axis >= static_cast<AxisId>(graph.axes.size()))
    fail(node, "axis " + std::to_string(axis) + " does not exist");
}

/** One shape for operands that agree or are scalar. */
void unite_shape(const Node& node, std::vector<Extent>& shape, const std::vector<Extent>& other) {
  if (other.empty() || shape == other)
    return;
  if (!shape.empty())
    fail(node, "shapes " + shape_text(shape) + " and " + shape_text(other) + " do not agree");
  shape = other;
}

Element map_element(const Node& node, const std::vector<Element>& in) {
  const auto all = [&](Element element) {
    return std::all_of(in.begin(), in.end(), [&](Element e) { return e == element; });
  };
  switch (node.op->result.get()) {
  case ResultRule::real:
    require(all(Element::real), node, "inputs must be real");
    return Element::real;
  case ResultRule::integer:
    require(all(Element::integer), node, "inputs must be integer");
    return Element::integer;
  case ResultRule::real_comparison:
    require(all(Element::real), node, "inputs must be real");
    return Element::boolean;
  case ResultRule::integer_comparison:
    require(all(Element::integer), node, "inputs must be integer");
    return Element::boolean;
  case ResultRule::boolean:
    require(all(Element::boolean), node, "inputs must be boolean");
    return Element::boolean;
  case ResultRule::select:
    require(in.size() == 3 && in[0] == Element::boolean && in[1] == in[2], node,
            "inputs must be a boolean and two values of one type");
    return in[1];
  case ResultRule::to_real:
    require(in.size() == 1 && in[0] != Element::real, node, "input must be integer or boolean");
    return Element::real;
  case ResultRule::to_integer:
    require(in.size() == 1 && in[0] != Element::integer, node, "input must be real or boolean");
    return Element::integer;
  }
  fail(node, "unknown result rule");
}

Type map_type(const Graph& graph, const Node& node) {
  require(node.op != nullptr, node, "no op");
  require_operands(node, static_cast<std::size_t>(node.op->arity.get()));
  Type result;
  std::vector<Element> elements;
  for (NodeId operand : node.operands) {
    const Type& type = graph.type(operand);
    result.axes = unite(result.axes, type.axes);
    unite_shape(node, result.shape, type.shape);
    elements.push_back(type.element);
  }
  result.element = map_element(node, elements);
  return result;
}

Type reduce_type(const Graph& graph, const Node& node) {
  require_operands(node, 1);
  Type result = graph.type(node.operands[0]);
  require(result.element != Element::boolean, node, "booleans cannot be reduced");
  require(std::is_sorted(node.axes.begin(), node.axes.end()), node, "axes must ascend");
  if (!is_subset(node.axes, result.axes))
    fail(node, "the value lacks an axis to be reduced");
  result.axes = subtract(result.axes, node.axes);
  for (std::size_t i = 0; i < node.dims.size(); ++i) {
    require_dim(node, node.dims[i], result.shape.size());
    require(i == 0 || node.dims[i - 1] < node.dims[i], node, "dimensions must ascend");
  }
  for (std::size_t i = node.dims.size(); i-- > 0;)
    result.shape.erase(result.shape.begin() + node.dims[i]);
  return result;
}

Type contract_type(const Graph& graph, const Node& node) {
  require_operands(node, 2);
  std::map<std::int32_t, Extent> extents;
  std::set<std::int32_t> sides[2];
  const std::vector<std::int32_t>* labels[2] = {&node.left_labels, &node.right_labels};
  Type result;
  for (int side = 0; side < 2; ++side) {
    const Type& type = graph.type(node.operands[static_cast<std::size_t>(side)]);
    require(type.element == Element::real, node, "operands must be real");
    require(labels[side]->size() == type.shape.size(), node, "one label for every dimension expected");
    result.axes = unite(result.axes, type.axes);
    for (std::size_t d = 0; d < type.shape.size(); ++d) {
      const std::int32_t label = (*labels[side])[d];
      require(sides[side].insert(label).second, node, "a label occurs twice on one side");
      const auto [place, is_new] = extents.emplace(label, type.shape[d]);
      if (!is_new && !(place->second == type.shape[d]))
        fail(node, "label " + std::to_string(label) + " has sizes " + to_string(place->second) + " and " +
                       to_string(type.shape[d]));
    }
  }
  std::set<std::int32_t> out;
  for (std::int32_t label : node.out_labels) {
    require(out.insert(label).second, node, "a label occurs twice in the result");
    const auto place = extents.find(label);
    require(place != extents.end(), node, "a label of the result occurs on neither side");
    result.shape.push_back(place->second);
  }
  for (const auto& [label, extent] : extents)
    if (!out.contains(label))
      require(sides[0].contains(label) && sides[1].contains(label), node,
              "a summed label must occur on both sides");
  require(std::is_sorted(node.axes.begin(), node.axes.end()), node, "axes must ascend");
  require(is_subset(node.axes, result.axes), node, "an axis to be summed occurs on neither side");
  result.axes = subtract(result.axes, node.axes);
  return result;
}

Type gather_type(const Graph& graph, const Node& node) {
  require_operands(node, 2);
  const Type& table = graph.type(node.operands[0]);
  const Type& index = graph.type(node.operands[1]);
  require(index.element == Element::integer, node, "the index must be integer");
  require_dim(node, node.dim, table.shape.size());
  Type result{table.element, unite(table.axes, index.axes), table.shape};
  result.shape.erase(result.shape.begin() + node.dim);
  result.shape.insert(result.shape.begin() + node.dim, index.shape.begin(), index.shape.end());
  return result;
}

Type scatter_type(const Graph& graph, const Node& node) {
  require_operands(node, 2);
  const Type& index = graph.type(node.operands[0]);
  const Type& value = graph.type(node.operands[1]);
  require(index.element == Element::integer, node, "the index must be integer");
  require(value.element == Element::real, node, "the value must be real");
  require(node.extents.size() == 1, node, "one extent expected");
  const std::size_t dim = static_cast<std::size_t>(std::max(node.dim, 0));
  require(node.dim >= 0 && dim + index.shape.size() <= value.shape.size(), node,
          "the index has more dimensions than the value from `dim` on");
  for (std::size_t d = 0; d < index.shape.size(); ++d)
    require(value.shape[dim + d] == index.shape[d], node, "shapes of index and value do not agree");
  Type result{Element::real, unite(index.axes, value.axes), value.shape};
  const auto first = result.shape.begin() + node.dim;
  result.shape.erase(first, first + static_cast<std::ptrdiff_t>(index.shape.size()));
  result.shape.insert(result.shape.begin() + node.dim, node.extents[0]);
  require(std::is_sorted(node.axes.begin(), node.axes.end()), node, "axes must ascend");
  require(is_subset(node.axes, result.axes), node, "an axis to be summed occurs in neither operand");
  result.axes = subtract(result.axes, node.axes);
  return result;
}

Type slice_type(const Graph& graph, const Node& node) {
  require_operands(node, 1);
  require(node.extents.size() == 1, node, "one extent expected");
  Type result = graph.type(node.operands[0]);
  require_dim(node, node.dim, result.shape.size());
  Extent& size = result.shape[static_cast<std::size_t>(node.dim)];
  const Extent& inner = node.kind == Kind::slice ? node.extents[0] : size;
  const Extent& outer = node.kind == Kind::slice ? size : node.extents[0];
  if (node.start.is_known() && inner.is_known() && outer.is_known() &&
      node.start.value + inner.value > outer.value)
    fail(node, "part " + std::to_string(node.start.value) + " + " + to_string(inner) + " exceeds " +
                   to_string(outer));
  size = node.extents[0];
  return result;
}

Type concat_type(const Graph& graph, const Node& node) {
  require(!node.operands.empty(), node, "no operands");
  Type result = graph.type(node.operands[0]);
  require_dim(node, node.dim, result.shape.size());
  const std::size_t dim = static_cast<std::size_t>(node.dim);
  std::int64_t total = 0;
  for (NodeId operand : node.operands) {
    Type type = graph.type(operand);
    require(type.element == result.element, node, "element types differ");
    require(type.shape.size() == result.shape.size(), node, "ranks differ");
    // A single part may have any extent; the sum of several has no name.
    require(type.shape[dim].is_known() || node.operands.size() == 1, node,
            "joined dimensions must be known sizes");
    total += type.shape[dim].value;
    result.axes = unite(result.axes, type.axes);
    type.shape[dim] = result.shape[dim];
    require(type.shape == result.shape, node, "shapes differ beside the joined dimension");
  }
  if (node.operands.size() > 1)
    result.shape[dim] = Extent::known(total);
  return result;
}

Type transpose_type(const Graph& graph, const Node& node) {
  require_operands(node, 1);
  Type result = graph.type(node.operands[0]);
  std::vector<std::int32_t> sorted = node.dims;
  std::sort(sorted.begin(), sorted.end());
  require(sorted.size() == result.shape.size(), node, "one entry for every dimension expected");
  for (std::size_t d = 0; d < sorted.size(); ++d)
    require(sorted[d] == static_cast<std::int32_t>(d), node, "not a permutation");
  const std::vector<Extent> shape = result.shape;
  for (std::size_t d = 0; d < sorted.size(); ++d)
    result.shape[d] = shape[static_cast<std::size_t>(node.dims[d])];
  return result;
}

Type random_type(const Graph& graph, const Node& node) {
  require(!node.name.empty(), node, "a draw needs the name of its site");
  require_operands(node, 2 + random_parameters(node.random));
  Type result{Element::real, {}, node.type.shape};
  for (std::size_t k = 0; k < node.operands.size(); ++k) {
    const Type& type = graph.type(node.operands[k]);
    result.axes = unite(result.axes, type.axes);
    if (k < 2)
      require(type.element == Element::integer && type.is_scalar(), node,
              "row and element_base must be integer scalars");
    else
      require(type.element == Element::real && (type.is_scalar() || type.shape == node.type.shape), node,
              "parameters must be real, scalar or of the draw's shape");
  }
  return result;
}

const Loop* owning_loop(const Graph& graph, const Node& node) {
  const NodeId owner = graph.regions[static_cast<std::size_t>(node.region)].owner;
  if (owner < 0 || owner >= static_cast<NodeId>(graph.nodes.size()) || graph.node(owner).kind != Kind::loop)
    fail(node, "outside of a loop body");
  return &graph.loop_of(owner);
}

template <class T>
const T& at(const Node& node, const std::vector<T>& items, std::int64_t index) {
  if (index < 0 || index >= static_cast<std::int64_t>(items.size()))
    fail(node, "number " + std::to_string(index) + " of " + std::to_string(items.size()));
  return items[static_cast<std::size_t>(index)];
}

Type loop_result_type(const Graph& graph, const Node& node) {
  require_operands(node, 1);
  require(graph.node(node.operands[0]).kind == Kind::loop, node, "the operand must be a loop");
  const Loop& loop = graph.loop_of(node.operands[0]);
  switch (node.result) {
  case LoopResult::carried:
    return graph.type(at(node, loop.inits, node.index));
  case LoopResult::accumulated:
    return graph.type(at(node, loop.accumulated, node.index));
  case LoopResult::stacked: {
    Type result = graph.type(at(node, loop.stacked, node.index));
    result.shape.insert(result.shape.begin(), loop.trip_count);
    return result;
  }
  }
  fail(node, "unknown result");
}

Type square_matrix(const Graph& graph, const Node& node, std::size_t operand) {
  const Type& type = graph.type(node.operands[operand]);
  require(type.element == Element::real && type.shape.size() == 2 && type.shape[0] == type.shape[1], node,
          "a square real matrix expected");
  return type;
}

Type solve_type(const Graph& graph, const Node& node) {
  require_operands(node, 2);
  const Type factor = square_matrix(graph, node, 0);
  Type result = graph.type(node.operands[1]);
  require(result.element == Element::real && (result.shape.size() == 1 || result.shape.size() == 2) &&
              result.shape[0] == factor.shape[0],
          node, "the right side must be [n] or [n, m]");
  result.axes = unite(result.axes, factor.axes);
  return result;
}

Type constant_type(const Node& node) {
  require_operands(node, 0);
  require(node.type.axes.empty(), node, "a constant has no axes");
  std::int64_t size = 1;
  for (const Extent& extent : node.type.shape) {
    require(extent.is_known(), node, "the shape of a constant must be known");
    size *= extent.value;
  }
  require(node.literal.size() == 1 || static_cast<std::int64_t>(node.literal.size()) == size, node,
          "one number, or one for every element, expected");
  return node.type;
}

Type parameter_type(const Graph& graph, const Node& node) {
  const Parameter& parameter = at(node, graph.parameters, node.index);
  Type result{Element::real, parameter.axes, parameter.shape};
  std::sort(result.axes.begin(), result.axes.end());
  return result;
}

Type data_type(const Graph& graph, const Node& node) {
  const DataArray& data = at(node, graph.data, node.index);
  if (node.kind == Kind::data)
    return {data.element, {}, data.shape};
  require(data.ragged && !data.shape.empty(), node, "only ragged data has lengths");
  return {Element::integer, {}, {data.shape[0]}};
}

Type axis_type(const Graph& graph, const Node& node) {
  require_operands(node, 0);
  require(node.axes.size() == 1, node, "one axis expected");
  require_axis(graph, node, node.axes[0]);
  return {Element::integer, node.axes, {}};
}

Type broadcast_type(const Graph& graph, const Node& node) {
  require_operands(node, 1);
  const Type& from = graph.type(node.operands[0]);
  for (AxisId axis : node.type.axes)
    require_axis(graph, node, axis);
  require(std::is_sorted(node.type.axes.begin(), node.type.axes.end()), node, "axes must ascend");
  require(is_subset(from.axes, node.type.axes), node, "a broadcast cannot remove axes");
  if (!from.is_scalar() && from.shape != node.type.shape)
    fail(node, "from " + shape_text(from.shape) + " to " + shape_text(node.type.shape));
  return {from.element, node.type.axes, node.type.shape};
}

Type axis_to_dim_type(const Graph& graph, const Node& node) {
  require_operands(node, 1);
  require(node.axes.size() == 1, node, "one axis expected");
  require_axis(graph, node, node.axes[0]);
  Type result = graph.type(node.operands[0]);
  require(result.has_axis(node.axes[0]), node, "the value lacks the axis");
  result.axes = subtract(result.axes, node.axes);
  result.shape.insert(result.shape.begin(), graph.axis(node.axes[0]).extent);
  return result;
}

Type expand_type(const Graph& graph, const Node& node) {
  require_operands(node, 1);
  require(node.extents.size() == 1, node, "one extent expected");
  Type result = graph.type(node.operands[0]);
  require_dim(node, node.dim, result.shape.size() + 1);
  result.shape.insert(result.shape.begin() + node.dim, node.extents[0]);
  return result;
}

Type reshape_type(const Graph& graph, const Node& node) {
  require_operands(node, 1);
  const Type& from = graph.type(node.operands[0]);
  if (!same_size(from.shape, node.type.shape))
    fail(node, "from " + shape_text(from.shape) + " to " + shape_text(node.type.shape));
  return {from.element, from.axes, node.type.shape};
}

Type cholesky_grad_type(const Graph& graph, const Node& node) {
  require_operands(node, 2);
  Type result = square_matrix(graph, node, 0);
  const Type grad = square_matrix(graph, node, 1);
  require(result.shape == grad.shape, node, "factor and gradient differ in size");
  result.axes = unite(result.axes, grad.axes);
  return result;
}

} // namespace

std::string_view kind_name(Kind kind) {
  switch (kind) {
  case Kind::constant:
    return "constant";
  case Kind::parameter:
    return "parameter";
  case Kind::slot:
    return "slot";
  case Kind::data:
    return "data";
  case Kind::data_lengths:
    return "data_lengths";
  case Kind::input:
    return "input";
  case Kind::extent:
    return "extent";
  case Kind::axis_index:
    return "axis_index";
  case Kind::plate_row:
    return "plate_row";
  case Kind::map:
    return "map";
  case Kind::broadcast:
    return "broadcast";
  case Kind::reduce_sum:
    return "reduce_sum";
  case Kind::reduce_max:
    return "reduce_max";
  case Kind::contract:
    return "contract";
  case Kind::gather:
    return "gather";
  case Kind::scatter_add:
    return "scatter_add";
  case Kind::axis_to_dim:
    return "axis_to_dim";
  case Kind::slice:
    return "slice";
  case Kind::pad:
    return "pad";
  case Kind::concat:
    return "concat";
  case Kind::reshape:
    return "reshape";
  case Kind::transpose:
    return "transpose";
  case Kind::expand:
    return "expand";
  case Kind::random:
    return "random";
  case Kind::loop:
    return "loop";
  case Kind::loop_argument:
    return "loop_argument";
  case Kind::loop_index:
    return "loop_index";
  case Kind::loop_result:
    return "loop_result";
  case Kind::cholesky:
    return "cholesky";
  case Kind::cholesky_grad:
    return "cholesky_grad";
  case Kind::solve_lower:
    return "solve_lower";
  }
  return "?";
}

std::string_view random_name(RandomKind kind) {
  switch (kind) {
  case RandomKind::uniform:
    return "uniform";
  case RandomKind::normal:
    return "normal";
  case RandomKind::log_gamma:
    return "log_gamma";
  case RandomKind::poisson:
    return "poisson";
  case RandomKind::binomial:
    return "binomial";
  }
  return "?";
}

std::size_t random_parameters(RandomKind kind) {
  switch (kind) {
  case RandomKind::uniform:
  case RandomKind::normal:
    return 0;
  case RandomKind::log_gamma:
  case RandomKind::poisson:
    return 1;
  case RandomKind::binomial:
    return 2;
  }
  return 0;
}

bool same_size(const std::vector<Extent>& a, const std::vector<Extent>& b) {
  std::int64_t sizes[2] = {1, 1};
  std::multiset<std::string> names[2];
  const std::vector<Extent>* shapes[2] = {&a, &b};
  for (int side = 0; side < 2; ++side)
    for (const Extent& extent : *shapes[side])
      if (extent.is_known())
        sizes[side] *= extent.value;
      else
        names[side].insert(extent.name);
  return sizes[0] == sizes[1] && names[0] == names[1];
}

Type infer_type(const Graph& graph, const Node& node) {
  for (NodeId operand : node.operands)
    if (operand < 0 || operand >= static_cast<NodeId>(graph.nodes.size()))
      fail(node, "operand %" + std::to_string(operand) + " does not exist");
  switch (node.kind) {
  case Kind::constant:
    return constant_type(node);
  case Kind::parameter:
  case Kind::slot:
    return parameter_type(graph, node);
  case Kind::data:
  case Kind::data_lengths:
    return data_type(graph, node);
  case Kind::input:
    require(!node.name.empty(), node, "no name");
    return {};
  case Kind::extent:
    require(node.extents.size() == 1, node, "one extent expected");
    return {Element::integer, {}, {}};
  case Kind::axis_index:
  case Kind::plate_row:
    return axis_type(graph, node);
  case Kind::map:
    return map_type(graph, node);
  case Kind::broadcast:
    return broadcast_type(graph, node);
  case Kind::reduce_sum:
  case Kind::reduce_max:
    return reduce_type(graph, node);
  case Kind::contract:
    return contract_type(graph, node);
  case Kind::gather:
    return gather_type(graph, node);
  case Kind::scatter_add:
    return scatter_type(graph, node);
  case Kind::axis_to_dim:
    return axis_to_dim_type(graph, node);
  case Kind::slice:
  case Kind::pad:
    return slice_type(graph, node);
  case Kind::concat:
    return concat_type(graph, node);
  case Kind::reshape:
    return reshape_type(graph, node);
  case Kind::transpose:
    return transpose_type(graph, node);
  case Kind::expand:
    return expand_type(graph, node);
  case Kind::random:
    return random_type(graph, node);
  case Kind::loop:
    return {};
  case Kind::loop_argument:
    return graph.type(at(node, owning_loop(graph, node)->inits, node.index));
  case Kind::loop_index:
    owning_loop(graph, node);
    return {Element::integer, {}, {}};
  case Kind::loop_result:
    return loop_result_type(graph, node);
  case Kind::cholesky:
    require_operands(node, 1);
    return square_matrix(graph, node, 0);
  case Kind::cholesky_grad:
    return cholesky_grad_type(graph, node);
  case Kind::solve_lower:
    return solve_type(graph, node);
  }
  fail(node, "unknown kind");
}

} // namespace plait::ir
