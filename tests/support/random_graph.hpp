/** \file
 * Random well-typed graphs with inputs on which they can be interpreted: food for derivatives, passes and
 * code generation. The same seed gives the same graph on every platform. Real values are kept small by smooth
 * functions and masks depend on indices and data alone, so that finite differences of the loss are
 * meaningful.
 */
#pragma once

#include "compiler/catalog/ops.hpp"
#include "compiler/tensor_ir/build.hpp"
#include "compiler/tensor_ir/interpret.hpp"

#include <algorithm>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace plait::test {

struct RandomGraphOptions {
  int nodes = 25;         ///< random nodes in the root region, beside leaves
  int body_nodes = 6;     ///< in each loop body
  int loop_depth = 2;     ///< loops within loops; 0: none
  bool dead_code = false; ///< leaves some values out of the loss
};

struct RandomGraph {
  ir::Graph graph;
  ir::Inputs inputs;
  ir::NodeId loss = ir::no_node;      ///< also the output "loss"
  std::vector<ir::NodeId> parameters; ///< one node for every Graph::parameters
};

class RandomGraphMaker {
public:
  RandomGraphMaker(std::uint64_t seed, const RandomGraphOptions& options)
      : generator_(seed), options_(options), builder_(made_.graph) {}

  RandomGraph make() {
    declare();
    leaves();
    body(options_.nodes, options_.loop_depth);
    loss();
    return std::move(made_);
  }

private:
  using Builder = ir::Builder;
  using Element = ir::Element;
  using Extent = ir::Extent;
  using Type = ir::Type;
  using Value = ir::Value;

  std::size_t below(std::size_t count) { return static_cast<std::size_t>(generator_() % count); }
  bool chance(double probability) { return static_cast<double>(below(1000)) < 1000 * probability; }
  double number() { return static_cast<double>(below(2001)) / 1000 - 1; }
  std::vector<double> numbers(std::size_t count) {
    std::vector<double> result(count);
    for (double& x : result)
      x = number();
    return result;
  }

  static constexpr ir::AxisId i = 0, j = 1;

  std::int64_t size(const Extent& extent) const {
    return extent.is_known() ? extent.value : made_.inputs.extents.at(extent.name);
  }

  std::int64_t elements(const Type& type) const {
    std::int64_t count = 1;
    for (ir::AxisId axis : type.axes)
      count *= size(made_.graph.axis(axis).extent);
    for (const Extent& extent : type.shape)
      count *= size(extent);
    return count;
  }

  void declare() {
    ir::Graph& graph = made_.graph;
    ir::Inputs& inputs = made_.inputs;
    const Extent rows = Extent::runtime("B"), population = Extent::runtime("N"), trips = Extent::runtime("T");
    const auto known = [](std::int64_t n) { return Extent::known(n); };
    inputs.extents = {{"B", 2}, {"N", 5}, {"T", 4}};
    inputs.inputs = {{"weight", 0.7}};
    inputs.seed = 12345;
    inputs.step = 3;
    graph.minibatches = {{"j", population, rows}};
    inputs.rows = {{3, 1}};
    graph.axes = {{"i", ir::AxisKind::plate, known(3), known(3), false, -1},
                  {"j", ir::AxisKind::plate, rows, population, true, 0}};
    graph.parameters = {{"scalar", {}, {}, "model"},
                        {"vector", {known(3)}, {}, "model"},
                        {"matrix", {known(3), known(2)}, {}, "model"},
                        {"local", {known(2)}, {j}, "guide"},
                        {"series", {trips, known(2)}, {}, "guide"},
                        {"both", {}, {i, j}, "guide"}};
    for (std::size_t size : {1u, 3u, 6u, 10u, 8u, 15u})
      inputs.parameters.push_back(numbers(size));
    inputs.slots.resize(graph.parameters.size());
    graph.data = {{"x", Element::real, {population, known(3)}, false},
                  {"c", Element::integer, {population}, false},
                  {"r", Element::real, {population, trips, known(2)}, true}};
    inputs.data.resize(3);
    inputs.data[0].numbers = numbers(15);
    inputs.data[1].numbers = {0, 2, 1, 2, 0};
    inputs.data[2].numbers = numbers(2 * 11);
    inputs.data[2].lengths = {2, 3, 0, 4, 2};
    inputs.data[2].offsets = {0, 2, 5, 5, 9};
  }

  void leaves() {
    for (std::size_t k = 0; k < made_.graph.parameters.size(); ++k) {
      const Value parameter = builder_.parameter(static_cast<std::int32_t>(k));
      made_.parameters.push_back(parameter.id());
      real_.push_back(parameter);
    }
    const Value row = builder_.plate_row(j);
    real_.push_back(builder_.gather(builder_.data(0), row));
    series_ = builder_.gather(builder_.data(2), row);
    real_.push_back(series_);
    real_.push_back(builder_.input("weight"));
    lengths_ = builder_.gather(builder_.data_lengths(2), row);
    small_index_ = {builder_.gather(builder_.data(1), row), builder_.axis_index(i), builder_.integer(1),
                    builder_.literal(Element::integer, {Extent::known(2)}, {2, 0})};
    masks_ = {ir::less(ir::to_real(row), builder_.real(2.5)), ir::equal(small_index_[0], small_index_[1]),
              builder_.literal(Element::boolean, {Extent::known(2)}, {1, 0})};
  }

  Value pick() { return real_[below(real_.size())]; }

  /** A value that `accept`s, or none. */
  template <class Accept>
  Value pick_if(Accept accept) {
    for (int attempt = 0; attempt < 20; ++attempt)
      if (const Value value = pick(); accept(value.type()))
        return value;
    return {};
  }

  Value compatible_with(const Type& wanted) {
    return pick_if([&](const Type& type) {
      return type.is_scalar() || wanted.is_scalar() || type.shape == wanted.shape;
    });
  }

  void add(Value value) {
    if (!value)
      return;
    if (value.type().shape.size() > 3 || elements(value.type()) > 150)
      return; // stays as dead code
    real_.push_back(value);
  }

  Value bounded(Value value) { return chance(0.3) ? ir::sin(value) : ir::tanh(0.6 * value); }

  void body(int nodes, int depth) {
    for (int n = 0; n < nodes; ++n)
      step(depth);
  }

  void step(int depth) {
    switch (below(22)) {
    case 0:
    case 1:
      return add(unary(pick()));
    case 2:
    case 3:
    case 4:
      return binary();
    case 5:
      return choose();
    case 6:
      return reduce();
    case 7:
    case 8:
    case 9:
      return contract();
    case 10:
    case 11:
      return gather();
    case 12:
      return scatter();
    case 13:
      return axis_to_dim();
    case 14:
      return part();
    case 15:
      return join();
    case 16:
      return rearrange();
    case 17:
      return broadcast();
    case 18:
      return random();
    case 19:
      return factor();
    default:
      if (depth > 0)
        loop(depth);
      return;
    }
  }

  Value unary(Value x) {
    switch (below(8)) {
    case 0:
      return ir::tanh(x);
    case 1:
      return ir::sigmoid(x);
    case 2:
      return ir::softplus(ir::sin(x));
    case 3:
      return -x;
    case 4:
      return ir::log(1.5 + ir::sin(x));
    case 5:
      return ir::exp(ir::sin(x));
    case 6:
      return ir::square(x) * 0.2;
    default:
      return 1 - ir::cos(x);
    }
  }

  void binary() {
    const Value a = pick(), b = compatible_with(a.type());
    if (!b)
      return;
    switch (below(5)) {
    case 0:
      return add(a + b);
    case 1:
      return add(a - b);
    case 2:
      return add(ir::sin(a) / (2 + ir::sin(b)));
    case 3:
      return add(ir::log_add_exp(ir::sin(a), ir::sin(b)));
    default:
      return add(ir::tanh(a * b));
    }
  }

  void choose() {
    const Value mask = masks_[below(masks_.size())];
    const Type type = mask.type();
    const Value a = compatible_with(type), b = compatible_with(a ? a.type() : type);
    if (!a || !b || (!type.is_scalar() && !b.type().is_scalar() && b.type().shape != type.shape))
      return;
    add(ir::select(mask, a, b));
  }

  /** A random subset of axes and dimensions. */
  std::pair<std::vector<ir::AxisId>, std::vector<std::int32_t>> subset(const Type& type) {
    std::pair<std::vector<ir::AxisId>, std::vector<std::int32_t>> result;
    for (ir::AxisId axis : type.axes)
      if (chance(0.5))
        result.first.push_back(axis);
    for (std::size_t d = 0; d < type.shape.size(); ++d)
      if (chance(0.5))
        result.second.push_back(static_cast<std::int32_t>(d));
    return result;
  }

  void reduce() {
    const Value value = pick();
    const auto [axes, dims] = subset(value.type());
    if (chance(0.3))
      return add(builder_.log_sum_exp(ir::sin(value), axes, dims));
    if (chance(0.3))
      return add(builder_.maximum_over(value, axes, dims));
    add(bounded(builder_.sum(value, axes, dims)));
  }

  void contract() {
    const Value left = pick(), right = pick();
    const Type left_type = left.type(), right_type = right.type();
    std::vector<std::int32_t> left_labels, right_labels, out;
    std::vector<bool> taken(left_type.shape.size(), false);
    for (std::size_t d = 0; d < left_type.shape.size(); ++d)
      left_labels.push_back(static_cast<std::int32_t>(d));
    for (std::size_t d = 0; d < right_type.shape.size(); ++d) {
      std::int32_t label = static_cast<std::int32_t>(10 + d);
      for (std::size_t l = 0; l < taken.size(); ++l)
        if (!taken[l] && left_type.shape[l] == right_type.shape[d] && chance(0.8)) {
          taken[l] = true;
          label = static_cast<std::int32_t>(l);
          break;
        }
      right_labels.push_back(label);
    }
    for (std::size_t l = 0; l < taken.size(); ++l)
      if (!taken[l] || chance(0.2))
        out.push_back(static_cast<std::int32_t>(l));
    for (std::int32_t label : right_labels)
      if (label >= 10)
        out.push_back(label);
    if (chance(0.5))
      std::reverse(out.begin(), out.end());
    std::vector<ir::AxisId> axes;
    for (ir::AxisId axis : ir::unite(left_type.axes, right_type.axes))
      if (chance(0.4))
        axes.push_back(axis);
    if (out.size() <= 3)
      add(bounded(builder_.contract(left, left_labels, right, right_labels, out, axes)));
  }

  void gather() {
    const Value table = pick_if([](const Type& type) { return !type.is_scalar(); });
    if (!table)
      return;
    const Type type = table.type();
    const std::size_t dim = below(type.shape.size());
    const Extent& extent = type.shape[dim];
    const std::int32_t d = static_cast<std::int32_t>(dim);
    if (extent == made_.graph.axis(j).extent)
      return add(builder_.gather(table, builder_.axis_index(j), d));
    for (const auto& [index, trips] : loop_indices_)
      if (extent == trips && chance(0.7))
        return add(builder_.gather(table, index, d));
    if (extent == Extent::known(3))
      add(builder_.gather(table, small_index_[below(small_index_.size())], d));
  }

  void scatter() {
    const Value index = small_index_[below(small_index_.size())];
    const bool vector = !index.type().is_scalar();
    const Value value = pick_if([&](const Type& type) {
      return !vector || (!type.is_scalar() && type.shape[0] == Extent::known(2));
    });
    if (!value)
      return;
    const std::size_t rank = value.type().shape.size();
    std::vector<ir::AxisId> axes;
    for (ir::AxisId axis : ir::unite(value.type().axes, index.type().axes))
      if (chance(0.4))
        axes.push_back(axis);
    const std::int32_t dim = vector ? 0 : static_cast<std::int32_t>(below(rank + 1));
    add(bounded(builder_.scatter_add(index, value, dim, Extent::known(3), axes)));
  }

  void axis_to_dim() {
    const Value value = pick_if([](const Type& type) { return !type.axes.empty(); });
    if (value)
      add(builder_.axis_to_dim(value, value.type().axes[below(value.type().axes.size())]));
  }

  /** slice and pad */
  void part() {
    const Value value =
        pick_if([](const Type& type) { return !type.is_scalar() && type.shape[0].is_known(); });
    if (!value)
      return;
    const std::int64_t length = value.type().shape[0].value;
    if (length > 1 && chance(0.5))
      add(builder_.slice(value, 0, Extent::known(length - 2), Extent::known(2)));
    else
      add(builder_.pad(value, 0, Extent::known(1), Extent::known(length + 1)));
  }

  void join() {
    const Value a = pick(), b = pick_if([&](const Type& type) { return type.shape == a.type().shape; });
    if (!b)
      return;
    const std::vector<Value> parts{a, b};
    if (a.type().is_scalar() || !a.type().shape[0].is_known() || chance(0.4))
      return add(builder_.stack(parts));
    add(builder_.concat(parts, 0));
  }

  void rearrange() {
    const Value value = pick_if([](const Type& type) { return !type.is_scalar(); });
    if (!value)
      return;
    const Type type = value.type();
    if (type.shape.size() > 1 && chance(0.6)) {
      std::vector<std::int32_t> order;
      for (std::size_t d = 0; d < type.shape.size(); ++d)
        order.push_back(static_cast<std::int32_t>((d + 1) % type.shape.size()));
      return add(builder_.transpose(value, order));
    }
    if (type.shape.size() > 1 && type.shape[0].is_known() && type.shape[1].is_known()) {
      std::vector<Extent> shape(type.shape.begin() + 1, type.shape.end());
      shape[0] = Extent::known(type.shape[0].value * type.shape[1].value);
      return add(builder_.reshape(value, shape));
    }
    add(builder_.expand(value, static_cast<std::int32_t>(below(type.shape.size() + 1)), Extent::known(2)));
  }

  void broadcast() {
    const Value value = pick();
    const Type type = value.type();
    std::vector<Extent> shape = type.shape;
    if (shape.empty() && chance(0.5))
      shape = {Extent::known(3)};
    add(builder_.broadcast(value, ir::unite(type.axes, {chance(0.5) ? i : j}), shape));
  }

  void random() {
    const std::string site(1, static_cast<char>('a' + below(3)));
    Value base = builder_.integer(0);
    if (!loop_indices_.empty() && chance(0.7))
      base = ir::integer_multiply(loop_indices_.back().first, builder_.integer(2));
    const Value row = chance(0.7) ? builder_.plate_row(j) : builder_.integer(0);
    std::vector<Extent> shape;
    if (chance(0.5))
      shape = {Extent::known(2)};
    const auto kind = chance(0.5) ? ir::RandomKind::normal : ir::RandomKind::uniform;
    add(builder_.random(kind, site, row, base, shape));
  }

  /** cholesky(M M^T + 2 I), or a triangular solve with it */
  void factor() {
    const Value m =
        pick_if([](const Type& type) { return type.shape.size() == 2 && type.shape[0].is_known(); });
    if (!m)
      return;
    const Type type = m.type();
    const std::int64_t n = type.shape[0].value;
    std::vector<double> diagonal(static_cast<std::size_t>(n * n), 0.0);
    for (std::int64_t k = 0; k < n; ++k)
      diagonal[static_cast<std::size_t>(k * n + k)] = 2;
    const Value s = ir::sin(m);
    const Value matrix = builder_.contract(s, {0, 2}, s, {1, 2}, {0, 1}) +
                         builder_.literal(Element::real, {type.shape[0], type.shape[0]}, diagonal);
    const Value l = builder_.cholesky(matrix);
    const Value right = pick_if(
        [&](const Type& t) { return !t.is_scalar() && t.shape.size() <= 2 && t.shape[0] == type.shape[0]; });
    if (right && chance(0.7))
      return add(builder_.solve_lower(l, right, chance(0.5)));
    add(l);
  }

  void loop(int depth) {
    const Extent trips = chance(0.5) ? Extent::runtime("T") : Extent::known(3);
    std::vector<Value> inits;
    for (std::size_t n = below(3); n-- > 0;) {
      const Value init = pick();
      inits.push_back(builder_.broadcast(init, ir::unite(init.type().axes, {j}), init.type().shape));
    }
    // What the body defines is out of sight afterwards.
    const auto reals = real_;
    const auto indices = loop_indices_;
    const auto small = small_index_;
    const auto masks = masks_;
    const ir::NodeId id = builder_.begin_loop(trips, chance(0.5), inits);
    loop_indices_.emplace_back(builder_.loop_index(id), trips);
    if (trips.is_known())
      small_index_.push_back(builder_.loop_index(id));
    masks_.push_back(ir::less(builder_.loop_index(id), lengths_));
    const std::size_t outer = real_.size();
    std::vector<Value> arguments;
    for (std::size_t k = 0; k < inits.size(); ++k) {
      arguments.push_back(builder_.loop_argument(id, k));
      real_.push_back(arguments.back());
    }
    if (!trips.is_known() && chance(0.6))
      real_.push_back(builder_.gather(series_, builder_.loop_index(id), 0));
    body(options_.body_nodes, depth - 1);

    std::vector<Value> nexts, stacked, accumulated;
    for (Value argument : arguments) {
      const Type type = argument.type();
      const Value update = pick_if([&](const Type& t) {
        return ir::is_subset(t.axes, type.axes) && (t.is_scalar() || t.shape == type.shape);
      });
      Value next = update ? ir::tanh(update + 0.5 * argument) : argument;
      if (chance(0.1) && update)
        next = builder_.broadcast_like(update, type);
      if (chance(0.5))
        next = ir::select(masks_.back(), next, argument);
      nexts.push_back(next);
    }
    for (std::size_t n = below(3); n-- > 0;)
      stacked.push_back(
          real_[chance(0.8) && outer < real_.size() ? outer + below(real_.size() - outer) : below(outer)]);
    for (std::size_t n = below(3); n-- > 0;)
      accumulated.push_back(
          real_[chance(0.8) && outer < real_.size() ? outer + below(real_.size() - outer) : below(outer)]);
    const ir::LoopValues values = builder_.finish_loop(id, nexts, stacked, accumulated);
    real_ = reals;
    loop_indices_ = indices;
    small_index_ = small;
    masks_ = masks;
    for (Value value : values.carried)
      add(value);
    for (Value value : values.stacked)
      add(value);
    for (Value value : values.accumulated)
      add(bounded(value));
  }

  void loss() {
    Value total = builder_.real(0);
    for (Value value : real_) {
      if (options_.dead_code && chance(0.5))
        continue;
      const Value smooth = ir::sin(value);
      std::vector<std::int32_t> dims;
      for (std::size_t d = 0; d < value.type().shape.size(); ++d)
        dims.push_back(static_cast<std::int32_t>(d));
      const double weight = number();
      total = total + weight * builder_.sum(smooth, smooth.type().axes, dims);
    }
    made_.loss = total.id();
    builder_.output({ir::OutputKind::scalar, "loss", total.id(), -1, -1});
  }

  std::mt19937_64 generator_;
  RandomGraphOptions options_;
  RandomGraph made_;
  Builder builder_;
  std::vector<Value> real_, small_index_, masks_;
  std::vector<std::pair<Value, Extent>> loop_indices_;
  Value lengths_, series_;
};

inline RandomGraph random_graph(std::uint64_t seed, const RandomGraphOptions& options = {}) {
  return RandomGraphMaker(seed, options).make();
}

} // namespace plait::test
