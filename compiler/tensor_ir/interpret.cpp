#include "compiler/tensor_ir/interpret.hpp"

#include "compiler/tensor_ir/dense_matrix.hpp"
#include "compiler/tensor_ir/positions.hpp"
#include "compiler/tensor_ir/type_rules.hpp"
#include "runtime/rng.hpp"
#include "runtime/samplers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace plait::ir {
namespace {

class Interpreter {
public:
  Interpreter(const Graph& graph, const Inputs& inputs)
      : graph_(graph), inputs_(inputs), values_(graph.nodes.size()), loops_(graph.nodes.size()),
        point_(graph.axes.size(), 0) {}

  void run() { region(root_region); }

  const DenseArray& value(NodeId id) const {
    if (id < 0 || id >= static_cast<NodeId>(values_.size()))
      throw std::invalid_argument(fmt::format("interpret: %{} does not exist", id));
    return values_[static_cast<std::size_t>(id)];
  }

private:
  struct LoopState {
    std::vector<DenseArray> carried, stacked, accumulated;
  };

  [[noreturn]] void bad_input(const std::string& message) const {
    throw std::invalid_argument("interpret: " + message);
  }

  std::int64_t size_of(const Extent& extent) const {
    if (extent.is_known())
      return extent.value;
    const auto place = inputs_.extents.find(extent.name);
    if (place == inputs_.extents.end())
      bad_input("no value for the extent " + extent.name);
    return place->second;
  }

  Position sizes_of(const std::vector<Extent>& shape) const {
    Position sizes;
    for (const Extent& extent : shape)
      sizes.push_back(size_of(extent));
    return sizes;
  }

  Position axis_sizes(const std::vector<AxisId>& axes) const {
    Position sizes;
    for (AxisId axis : axes)
      sizes.push_back(size_of(graph_.axis(axis).extent));
    return sizes;
  }

  DenseArray zeros(const Type& type) const {
    DenseArray array;
    array.sizes = axis_sizes(type.axes);
    for (std::int64_t size : sizes_of(type.shape))
      array.sizes.push_back(size);
    array.numbers.assign(static_cast<std::size_t>(product(array.sizes)), 0.0);
    return array;
  }

  // The current point of every axis is `point_`; a value is read at that point and at an event position.

  template <class Body>
  void for_each_point(const std::vector<AxisId>& axes, Body body) {
    for_each(axis_sizes(axes), [&](const Position& position) {
      for (std::size_t a = 0; a < axes.size(); ++a)
        point_[static_cast<std::size_t>(axes[a])] = position[a];
      body();
    });
  }

  /** Place of (point_, event) in an array of that type. A scalar ignores the event position: it broadcasts.
   */
  std::size_t offset(const Type& type, const Position& sizes, const Position& event) const {
    std::int64_t result = 0;
    std::size_t d = 0;
    for (AxisId axis : type.axes)
      result = result * sizes[d++] + point_[static_cast<std::size_t>(axis)];
    for (std::size_t e = 0; e < type.shape.size(); ++e)
      result = result * sizes[d++] + event[e];
    return static_cast<std::size_t>(result);
  }

  double read(NodeId id, const Position& event) const {
    const DenseArray& array = values_[static_cast<std::size_t>(id)];
    return array.numbers[offset(graph_.type(id), array.sizes, event)];
  }

  Position event_sizes(NodeId id) const { return sizes_of(graph_.type(id).shape); }

  /** Fills an array of `type` with compute(event) at every point and event position. */
  template <class Compute>
  DenseArray fill(const Type& type, Compute compute) {
    DenseArray result = zeros(type);
    const Position event = sizes_of(type.shape);
    std::size_t next = 0;
    for_each_point(type.axes, [&] {
      for_each(event, [&](const Position& position) { result.numbers[next++] = compute(position); });
    });
    return result;
  }

  void region(RegionId id) {
    for (NodeId member : graph_.regions[static_cast<std::size_t>(id)].order)
      values_[static_cast<std::size_t>(member)] = evaluate(member);
  }

  DenseArray evaluate(NodeId id) {
    const Node& node = graph_.node(id);
    switch (node.kind) {
    case Kind::constant:
      return constant(node);
    case Kind::parameter:
      return stored(node, at(inputs_.parameters, node.index, "parameter"));
    case Kind::slot:
      return stored(node, at(at(inputs_.slots, node.index, "slots of parameter"), node.slot, "slot"));
    case Kind::data:
      return data(node);
    case Kind::data_lengths:
      return data_lengths(node);
    case Kind::input:
      return input(node);
    case Kind::extent:
      return fill(node.type, [&](const Position&) { return static_cast<double>(size_of(node.extents[0])); });
    case Kind::axis_index:
      return fill(node.type, [&](const Position&) { return static_cast<double>(point_of(node.axes[0])); });
    case Kind::plate_row:
      return fill(node.type, [&](const Position&) { return static_cast<double>(row_of(node.axes[0])); });
    case Kind::map:
      return map(node);
    case Kind::broadcast:
      return fill(node.type, [&](const Position& event) { return read(node.operands[0], event); });
    case Kind::reduce_sum:
      return reduce(node, 0.0, [](double a, double b) { return a + b; });
    case Kind::reduce_max:
      return reduce(node, -std::numeric_limits<double>::infinity(),
                    [](double a, double b) { return b > a || std::isnan(b) ? b : a; });
    case Kind::contract:
      return contract(node);
    case Kind::gather:
      return gather(node);
    case Kind::scatter_add:
      return scatter_add(node);
    case Kind::axis_to_dim:
      return fill(node.type, [&](const Position& event) {
        point_[static_cast<std::size_t>(node.axes[0])] = event[0];
        return read(node.operands[0], Position(event.begin() + 1, event.end()));
      });
    case Kind::slice:
      return slice(node);
    case Kind::pad:
      return pad(node);
    case Kind::concat:
      return concat(node);
    case Kind::reshape:
      return reshape(node);
    case Kind::transpose:
      return fill(node.type, [&](const Position& event) {
        Position from(event.size());
        for (std::size_t d = 0; d < event.size(); ++d)
          from[static_cast<std::size_t>(node.dims[d])] = event[d];
        return read(node.operands[0], from);
      });
    case Kind::expand:
      return fill(node.type, [&](const Position& event) {
        Position from = event;
        from.erase(from.begin() + node.dim);
        return read(node.operands[0], from);
      });
    case Kind::random:
      return random(node);
    case Kind::loop:
      loop(id);
      return {};
    case Kind::loop_argument:
    case Kind::loop_index:
      return value(id); // set by the loop at the start of the iteration
    case Kind::loop_result: {
      const LoopState& state = loops_[static_cast<std::size_t>(node.operands[0])];
      const std::size_t k = static_cast<std::size_t>(node.index);
      return node.result == LoopResult::carried   ? state.carried[k]
             : node.result == LoopResult::stacked ? state.stacked[k]
                                                  : state.accumulated[k];
    }
    case Kind::cholesky:
      return by_matrix(node, [&] { return cholesky_factor(matrix(node.operands[0])); });
    case Kind::cholesky_grad:
      return by_matrix(node,
                       [&] { return cholesky_adjoint(matrix(node.operands[0]), matrix(node.operands[1])); });
    case Kind::solve_lower:
      return by_matrix(node, [&] {
        return solve_lower(matrix(node.operands[0]), matrix(node.operands[1]), node.transposed);
      });
    }
    throw std::logic_error("interpret: unknown kind");
  }

  // ---- Leaves ----

  template <class Items>
  const typename Items::value_type& at(const Items& items, std::int32_t index, const char* what) const {
    if (index < 0 || static_cast<std::size_t>(index) >= items.size())
      bad_input(fmt::format("no {} {}", what, index));
    return items[static_cast<std::size_t>(index)];
  }

  std::int64_t point_of(AxisId axis) const { return point_[static_cast<std::size_t>(axis)]; }

  std::int64_t row_of(AxisId id) const {
    const Axis& axis = graph_.axis(id);
    if (!axis.subsampled)
      return point_of(id);
    const auto& rows = at(inputs_.rows, axis.minibatch, "rows of minibatch");
    return at(rows, static_cast<std::int32_t>(point_of(id)), "drawn row");
  }

  DenseArray constant(const Node& node) {
    std::size_t next = 0;
    return fill(node.type,
                [&](const Position&) { return node.literal[node.literal.size() == 1 ? 0 : next++]; });
  }

  /** Parameters and slots of plates are stored for every row of the population. */
  DenseArray stored(const Node& node, const std::vector<double>& numbers) {
    const Parameter& parameter = graph_.parameters[static_cast<std::size_t>(node.index)];
    const Position event = sizes_of(parameter.shape);
    std::int64_t expected = product(event);
    for (AxisId axis : parameter.axes)
      expected *= size_of(graph_.axis(axis).population);
    if (static_cast<std::int64_t>(numbers.size()) != expected)
      bad_input(
          fmt::format("parameter {} has {} numbers, {} expected", parameter.name, numbers.size(), expected));
    return fill(node.type, [&](const Position& position) {
      std::int64_t offset = 0;
      for (AxisId axis : parameter.axes)
        offset = offset * size_of(graph_.axis(axis).population) + row_of(axis);
      for (std::size_t d = 0; d < event.size(); ++d)
        offset = offset * event[d] + position[d];
      return numbers[static_cast<std::size_t>(offset)];
    });
  }

  DenseArray data(const Node& node) {
    const DataArray& declared = graph_.data[static_cast<std::size_t>(node.index)];
    const DataInput& given = at(inputs_.data, node.index, "data");
    const Position sizes = sizes_of(declared.shape);
    if (!declared.ragged) {
      if (static_cast<std::int64_t>(given.numbers.size()) != product(sizes))
        bad_input(fmt::format("data {} has {} numbers, {} expected", declared.name, given.numbers.size(),
                              product(sizes)));
      return {sizes, given.numbers};
    }
    const std::int64_t element = product(sizes, 2);
    return fill(node.type, [&](const Position& position) {
      const std::int32_t row = static_cast<std::int32_t>(position[0]);
      if (position[1] >= at(given.lengths, row, "length of ragged row"))
        return 0.0;
      std::int64_t inner = 0;
      for (std::size_t d = 2; d < sizes.size(); ++d)
        inner = inner * sizes[d] + position[d];
      const std::int64_t offset =
          (at(given.offsets, row, "offset of ragged row") + position[1]) * element + inner;
      return at(given.numbers, static_cast<std::int32_t>(offset), "number of ragged data");
    });
  }

  DenseArray data_lengths(const Node& node) {
    const DataInput& given = at(inputs_.data, node.index, "data");
    return fill(node.type, [&](const Position& position) {
      return static_cast<double>(
          at(given.lengths, static_cast<std::int32_t>(position[0]), "length of ragged row"));
    });
  }

  DenseArray input(const Node& node) {
    const auto place = inputs_.inputs.find(node.name);
    if (place == inputs_.inputs.end())
      bad_input("no input named " + node.name);
    return fill(node.type, [&](const Position&) { return place->second; });
  }

  // ---- Elementwise, reductions, products ----

  DenseArray map(const Node& node) {
    std::vector<double> in(node.operands.size());
    return fill(node.type, [&](const Position& event) {
      for (std::size_t k = 0; k < in.size(); ++k)
        in[k] = read(node.operands[k], event);
      return node.op->evaluate.get()(in);
    });
  }

  DenseArray reduce(const Node& node, double start, double (*combine)(double, double)) {
    DenseArray result = zeros(node.type);
    std::fill(result.numbers.begin(), result.numbers.end(), start);
    const NodeId operand = node.operands[0];
    const Position event = event_sizes(operand);
    for_each_point(graph_.type(operand).axes, [&] {
      for_each(event, [&](const Position& position) {
        Position kept;
        for (std::size_t d = 0; d < position.size(); ++d)
          if (std::find(node.dims.begin(), node.dims.end(), static_cast<std::int32_t>(d)) == node.dims.end())
            kept.push_back(position[d]);
        double& place = result.numbers[offset(node.type, result.sizes, kept)];
        place = combine(place, read(operand, position));
      });
    });
    return result;
  }

  DenseArray contract(const Node& node) {
    const NodeId left = node.operands[0], right = node.operands[1];
    std::map<std::int32_t, std::int64_t> label_sizes;
    const Position left_sizes = event_sizes(left), right_sizes = event_sizes(right);
    for (std::size_t d = 0; d < left_sizes.size(); ++d)
      label_sizes[node.left_labels[d]] = left_sizes[d];
    for (std::size_t d = 0; d < right_sizes.size(); ++d)
      label_sizes[node.right_labels[d]] = right_sizes[d];
    std::vector<std::int32_t> labels;
    Position sizes;
    for (const auto& [label, size] : label_sizes) {
      labels.push_back(label);
      sizes.push_back(size);
    }
    const auto places = [&](const std::vector<std::int32_t>& wanted) {
      std::vector<std::size_t> result;
      for (std::int32_t label : wanted)
        result.push_back(
            static_cast<std::size_t>(std::lower_bound(labels.begin(), labels.end(), label) - labels.begin()));
      return result;
    };
    const std::vector<std::size_t> left_places = places(node.left_labels),
                                   right_places = places(node.right_labels),
                                   out_places = places(node.out_labels);
    const auto pick = [](Position& into, const Position& from, const std::vector<std::size_t>& which) {
      for (std::size_t d = 0; d < which.size(); ++d)
        into[d] = from[which[d]];
    };
    Position l(left_places.size()), r(right_places.size()), o(out_places.size());
    DenseArray result = zeros(node.type);
    for_each_point(unite(graph_.type(left).axes, graph_.type(right).axes), [&] {
      for_each(sizes, [&](const Position& position) {
        pick(l, position, left_places);
        pick(r, position, right_places);
        pick(o, position, out_places);
        result.numbers[offset(node.type, result.sizes, o)] += read(left, l) * read(right, r);
      });
    });
    return result;
  }

  // ---- Indexing and rearrangement ----

  std::int64_t checked(double index, std::int64_t size) const {
    if (!(index >= 0 && index < static_cast<double>(size)))
      throw std::out_of_range(fmt::format("interpret: index {} of a dimension of {}", index, size));
    return static_cast<std::int64_t>(index);
  }

  DenseArray gather(const Node& node) {
    const NodeId table = node.operands[0], index = node.operands[1];
    const std::size_t dim = static_cast<std::size_t>(node.dim), rank = graph_.type(index).shape.size();
    const std::int64_t size = event_sizes(table)[dim];
    return fill(node.type, [&](const Position& event) {
      const auto first = event.begin() + node.dim, last = first + static_cast<std::ptrdiff_t>(rank);
      Position from(event.begin(), first);
      from.push_back(checked(read(index, Position(first, last)), size));
      from.insert(from.end(), last, event.end());
      return read(table, from);
    });
  }

  DenseArray scatter_add(const Node& node) {
    const NodeId index = node.operands[0], value = node.operands[1];
    const std::ptrdiff_t rank = static_cast<std::ptrdiff_t>(graph_.type(index).shape.size());
    const std::int64_t size = size_of(node.extents[0]);
    const Position event = event_sizes(value);
    DenseArray result = zeros(node.type);
    for_each_point(unite(graph_.type(index).axes, graph_.type(value).axes), [&] {
      for_each(event, [&](const Position& position) {
        const auto first = position.begin() + node.dim, last = first + rank;
        Position to(position.begin(), first);
        to.push_back(checked(read(index, Position(first, last)), size));
        to.insert(to.end(), last, position.end());
        result.numbers[offset(node.type, result.sizes, to)] += read(value, position);
      });
    });
    return result;
  }

  DenseArray slice(const Node& node) {
    const std::size_t dim = static_cast<std::size_t>(node.dim);
    const std::int64_t start = size_of(node.start), size = event_sizes(node.operands[0])[dim];
    return fill(node.type, [&](const Position& event) {
      Position from = event;
      from[dim] = checked(static_cast<double>(from[dim] + start), size);
      return read(node.operands[0], from);
    });
  }

  DenseArray pad(const Node& node) {
    const std::size_t dim = static_cast<std::size_t>(node.dim);
    const std::int64_t start = size_of(node.start), size = event_sizes(node.operands[0])[dim];
    if (start + size > size_of(node.extents[0]))
      throw std::out_of_range("interpret: a padded value does not fit");
    return fill(node.type, [&](const Position& event) {
      Position from = event;
      from[dim] -= start;
      return from[dim] < 0 || from[dim] >= size ? 0.0 : read(node.operands[0], from);
    });
  }

  DenseArray concat(const Node& node) {
    const std::size_t dim = static_cast<std::size_t>(node.dim);
    return fill(node.type, [&](const Position& event) {
      Position from = event;
      for (NodeId part : node.operands) {
        const std::int64_t size = event_sizes(part)[dim];
        if (from[dim] < size)
          return read(part, from);
        from[dim] -= size;
      }
      throw std::out_of_range("interpret: concat");
    });
  }

  DenseArray reshape(const Node& node) {
    DenseArray result = zeros(node.type);
    result.numbers = value(node.operands[0]).numbers;
    if (static_cast<std::int64_t>(result.numbers.size()) != product(result.sizes))
      bad_input("a reshape changes the number of elements");
    return result;
  }

  // ---- Random numbers ----

  DenseArray random(const Node& node) {
    const Position event = sizes_of(node.type.shape);
    const auto precision =
        inputs_.single_precision_noise ? runtime::DrawPrecision::f32 : runtime::DrawPrecision::f64;
    return fill(node.type, [&](const Position& position) {
      std::int64_t flat = 0;
      for (std::size_t d = 0; d < event.size(); ++d)
        flat = flat * event[d] + position[d];
      runtime::DrawPlace place;
      place.seed = inputs_.seed;
      place.step = inputs_.step;
      place.stream = runtime::site_stream(node.name, 0);
      place.row = static_cast<std::uint32_t>(static_cast<std::int64_t>(read(node.operands[0], {})));
      place.element =
          static_cast<std::uint32_t>(static_cast<std::int64_t>(read(node.operands[1], {})) + flat);
      switch (node.random) {
      case RandomKind::uniform:
        return runtime::standard_uniform(place, precision);
      case RandomKind::normal:
        return runtime::standard_normal(place, precision);
      case RandomKind::log_gamma:
        return runtime::sample_log_gamma(read(node.operands[2], position), place);
      case RandomKind::poisson:
        return runtime::sample_poisson(read(node.operands[2], position), place);
      case RandomKind::binomial:
        return runtime::sample_binomial(read(node.operands[2], position), read(node.operands[3], position),
                                        place);
      }
      throw std::logic_error("interpret: unknown draw");
    });
  }

  // ---- Loops ----

  void loop(NodeId id) {
    const Loop& loop = graph_.loop_of(id);
    const std::int64_t trips = size_of(loop.trip_count);
    LoopState state;
    for (NodeId init : loop.inits)
      state.carried.push_back(value(init));
    for (NodeId stacked : loop.stacked) {
      Type type = graph_.type(stacked);
      type.shape.insert(type.shape.begin(), loop.trip_count);
      state.stacked.push_back(zeros(type));
    }
    for (NodeId accumulated : loop.accumulated)
      state.accumulated.push_back(zeros(graph_.type(accumulated)));
    for (std::int64_t n = 0; n < trips; ++n) {
      const std::int64_t index = loop.reverse ? trips - 1 - n : n;
      if (loop.index != no_node)
        values_[static_cast<std::size_t>(loop.index)] = {{}, {static_cast<double>(index)}};
      for (std::size_t k = 0; k < loop.arguments.size(); ++k)
        values_[static_cast<std::size_t>(loop.arguments[k])] = state.carried[k];
      region(loop.body);
      for (std::size_t k = 0; k < loop.nexts.size(); ++k)
        state.carried[k] = concerned(loop, loop.nexts[k], index, value(loop.nexts[k]), &state.carried[k]);
      for (std::size_t k = 0; k < loop.stacked.size(); ++k)
        stack(state.stacked[k], graph_.type(loop.stacked[k]),
              concerned(loop, loop.stacked[k], index, value(loop.stacked[k]), nullptr), index, trips);
      for (std::size_t k = 0; k < loop.accumulated.size(); ++k) {
        const DenseArray terms =
            concerned(loop, loop.accumulated[k], index, value(loop.accumulated[k]), nullptr);
        for (std::size_t i = 0; i < terms.numbers.size(); ++i)
          state.accumulated[k].numbers[i] += terms.numbers[i];
      }
    }
    loops_[static_cast<std::size_t>(id)] = std::move(state);
  }

  /** `computed` in rows that iteration `index` of the loop concerns; in the others `kept`, or 0 without it.
   */
  DenseArray concerned(const Loop& loop, NodeId id, std::int64_t index, DenseArray computed,
                       const DenseArray* kept) {
    const std::vector<AxisId>& axes = graph_.type(id).axes;
    if (loop.lengths == no_node || !is_subset(graph_.type(loop.lengths).axes, axes))
      return computed;
    const std::int64_t inner = product(computed.sizes, axes.size());
    const Position no_dimensions = event_sizes(loop.lengths);
    std::size_t row = 0;
    for_each_point(axes, [&] {
      const bool passed_over = index >= static_cast<std::int64_t>(read(loop.lengths, no_dimensions));
      for (std::int64_t i = 0; i < inner; ++i, ++row)
        if (passed_over)
          computed.numbers[row] = kept ? kept->numbers[row] : 0;
    });
    return computed;
  }

  /** The iteration becomes the leading event dimension, after the axes. */
  static void stack(DenseArray& into, const Type& type, const DenseArray& from, std::int64_t index,
                    std::int64_t trips) {
    const std::int64_t inner = product(from.sizes, type.axes.size());
    for (std::size_t i = 0; i < from.numbers.size(); ++i) {
      const std::int64_t flat = static_cast<std::int64_t>(i);
      into.numbers[static_cast<std::size_t>((flat / inner * trips + index) * inner + flat % inner)] =
          from.numbers[i];
    }
  }

  // ---- Dense linear algebra ----

  Matrix matrix(NodeId id) const {
    const Position sizes = event_sizes(id);
    const bool vector = sizes.size() == 1;
    Matrix result(sizes[0], vector ? 1 : sizes[1]);
    for (std::int64_t i = 0; i < result.rows; ++i)
      for (std::int64_t j = 0; j < result.columns; ++j)
        result(i, j) = read(id, vector ? Position{i} : Position{i, j});
    return result;
  }

  template <class Compute>
  DenseArray by_matrix(const Node& node, Compute compute) {
    DenseArray result = zeros(node.type);
    auto next = result.numbers.begin();
    for_each_point(node.type.axes, [&] {
      const Matrix computed = compute();
      next = std::copy(computed.numbers.begin(), computed.numbers.end(), next);
    });
    return result;
  }

  const Graph& graph_;
  const Inputs& inputs_;
  std::vector<DenseArray> values_;
  std::vector<LoopState> loops_;
  Position point_;
};

} // namespace

std::vector<DenseArray> interpret(const Graph& graph, const Inputs& inputs,
                                  const std::vector<NodeId>& nodes) {
  Interpreter interpreter(graph, inputs);
  interpreter.run();
  std::vector<DenseArray> results;
  for (NodeId node : nodes)
    results.push_back(interpreter.value(node));
  return results;
}

Results interpret(const Graph& graph, const Inputs& inputs) {
  std::vector<NodeId> nodes;
  for (const Output& output : graph.outputs)
    nodes.push_back(output.node);
  return {interpret(graph, inputs, nodes)};
}

} // namespace plait::ir
