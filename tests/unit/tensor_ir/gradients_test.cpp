#include "compiler/catalog/ops.hpp"
#include "compiler/tensor_ir/type_rules.hpp"
#include "tests/support/gradient_check.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace plait;
using ir::Builder;
using ir::Extent;
using ir::Kind;
using ir::Value;

namespace {

Extent known(std::int64_t n) {
  return Extent::known(n);
}

/** Two plates, i[3] and j, which draws 2 of 5 rows, and some parameters. */
struct Case {
  Case() {
    graph.minibatches = {{"j", known(5), known(2)}};
    graph.axes = {{"i", ir::AxisKind::plate, known(3), known(3), false, -1},
                  {"j", ir::AxisKind::plate, known(2), known(5), true, 0}};
    inputs.rows = {{4, 1}};
    inputs.extents = {{"T", 4}};
    inputs.seed = 5;
  }

  Value parameter(std::vector<Extent> shape, std::vector<ir::AxisId> axes = {}) {
    graph.parameters.push_back({"p" + std::to_string(graph.parameters.size()), shape, axes, ""});
    std::int64_t size = 1;
    for (const Extent& extent : shape)
      size *= extent.is_known() ? extent.value : inputs.extents.at(extent.name);
    for (ir::AxisId axis : axes)
      size *= graph.axis(axis).population.value;
    std::vector<double> numbers;
    for (std::int64_t n = 0; n < size; ++n)
      numbers.push_back(
          std::sin(1.7 * static_cast<double>(n + 1) + static_cast<double>(graph.parameters.size())));
    inputs.parameters.push_back(numbers);
    const Value value = b.parameter(static_cast<std::int32_t>(graph.parameters.size()) - 1);
    parameters.push_back(value.id());
    return value;
  }

  /** A number out of any value, with another weight for every element. */
  Value weigh(Value value) {
    std::vector<double> weights;
    std::vector<Extent> shape = value.type().shape;
    std::int64_t size = 1;
    for (const Extent& extent : shape)
      size *= extent.is_known() ? extent.value : 0;
    Value weighed = ir::sin(value);
    if (size > 1) {
      for (std::int64_t n = 0; n < size; ++n)
        weights.push_back(1 + 0.3 * static_cast<double>(n));
      weighed = weighed * b.literal(ir::Element::real, shape, weights);
    }
    for (ir::AxisId axis : value.type().axes)
      weighed = weighed * (1.0 + 0.5 * ir::to_real(b.axis_index(axis)));
    std::vector<std::int32_t> dims;
    for (std::size_t d = 0; d < shape.size(); ++d)
      dims.push_back(static_cast<std::int32_t>(d));
    return b.sum(weighed, weighed.type().axes, dims);
  }

  void check(Value loss) {
    const auto found = test::gradient_disagreements(graph, loss.id(), parameters, inputs);
    for (const std::string& line : found)
      UNSCOPED_INFO(line);
    CHECK(found.empty());
  }

  std::vector<double> gradient(Value loss, Value x) {
    const Value result = autodiff::gradients(b, loss, std::vector<Value>{x})[0];
    ir::verify(graph, "gradients");
    return ir::interpret(graph, inputs, {result.id()})[0].numbers;
  }

  int count(Kind kind) const {
    int result = 0;
    for (const ir::Region& region : graph.regions)
      result += static_cast<int>(std::count_if(region.order.begin(), region.order.end(),
                                               [&](ir::NodeId id) { return graph.node(id).kind == kind; }));
    return result;
  }

  ir::Graph graph;
  ir::Inputs inputs;
  Builder b{graph};
  std::vector<ir::NodeId> parameters;
};

/** One loss for every kind that carries a derivative; the test below asks for every other kind why it is
 * missing. */
bool check_kind(Kind kind) {
  Case c;
  Builder& b = c.b;
  switch (kind) {
  case Kind::parameter:
    c.check(c.weigh(c.parameter({known(2)}, {0, 1}) * c.parameter({}, {1})));
    return true;
  case Kind::map:
    c.check(c.weigh(c.parameter({known(2)}) / (3 + c.parameter({}, {0}))));
    return true;
  case Kind::broadcast:
    c.check(c.weigh(b.broadcast(c.parameter({}), {0, 1}, {known(3)}) * c.parameter({known(3)}, {1})));
    return true;
  case Kind::reduce_sum:
    c.check(c.weigh(b.sum(c.parameter({known(2), known(3), known(2)}, {0, 1}), {1}, {0, 2})));
    return true;
  case Kind::reduce_max:
    c.check(c.weigh(b.maximum_over(c.parameter({known(2), known(3), known(2)}, {0, 1}), {1}, {0, 2})));
    return true;
  case Kind::contract:
    c.check(c.weigh(b.contract(c.parameter({known(2), known(3)}, {0}), {0, 1},
                               c.parameter({known(3), known(4)}, {1}), {1, 2}, {2, 0}, {0})));
    return true;
  case Kind::gather:
    c.check(c.weigh(b.gather(c.parameter({known(2), known(3)}, {1}),
                             b.literal(ir::Element::integer, {known(4)}, {2, 0, 2, 1}), 1) +
                    b.gather(c.parameter({known(5)}), b.plate_row(1))));
    return true;
  case Kind::scatter_add:
    c.check(c.weigh(b.scatter_add(b.literal(ir::Element::integer, {known(3)}, {1, 3, 1}),
                                  c.parameter({known(2), known(3)}, {0, 1}), 1, known(4), {0})));
    return true;
  case Kind::axis_to_dim:
    c.check(c.weigh(b.axis_to_dim(c.parameter({known(2)}, {0, 1}), 1)));
    return true;
  case Kind::slice:
    c.check(c.weigh(b.slice(c.parameter({known(2), known(5)}), 1, known(1), known(3))));
    return true;
  case Kind::pad:
    c.check(c.weigh(b.pad(c.parameter({known(2), known(2)}), 1, known(1), known(4))));
    return true;
  case Kind::concat:
    c.check(c.weigh(b.concat(
        std::vector<Value>{c.parameter({known(2), known(2)}, {0}), c.parameter({known(2), known(3)}, {1})},
        1)));
    return true;
  case Kind::reshape:
    c.check(c.weigh(b.reshape(c.parameter({known(2), known(6)}, {0}), {known(3), known(4)})));
    return true;
  case Kind::transpose:
    c.check(c.weigh(b.transpose(c.parameter({known(2), known(3), known(4)}), {2, 0, 1})));
    return true;
  case Kind::expand:
    c.check(c.weigh(b.expand(c.parameter({known(2), known(3)}), 1, known(4))));
    return true;
  case Kind::loop:
  case Kind::loop_argument:
  case Kind::loop_result: {
    const Value x = c.parameter({known(2)}), rows = c.parameter({known(3), known(2)});
    const std::vector<Value> inits{x};
    const ir::NodeId loop = b.begin_loop(known(3), true, inits);
    const Value h = b.loop_argument(loop, 0), row = b.gather(rows, b.loop_index(loop));
    const Value next = ir::tanh(h * row + x);
    const auto values = b.finish_loop(loop, std::vector<Value>{next}, std::vector<Value>{next * h},
                                      std::vector<Value>{ir::square(row)});
    c.check(c.weigh(values.carried[0]) + c.weigh(values.stacked[0]) + c.weigh(values.accumulated[0]));
    return true;
  }
  case Kind::cholesky:
  case Kind::solve_lower:
    for (bool transposed : {false, true}) {
      Case d;
      const Value m = d.parameter({known(3), known(2)}, {0});
      const Value a = d.b.contract(m, {0, 2}, m, {1, 2}, {0, 1}) +
                      d.b.literal(ir::Element::real, {known(3), known(3)}, {2, 0, 0, 0, 2, 0, 0, 0, 2});
      const Value l = d.b.cholesky(a);
      const Value vector = d.b.solve_lower(l, d.parameter({known(3)}, {1}), transposed);
      const Value matrix = d.b.solve_lower(l, d.parameter({known(3), known(2)}), transposed);
      d.check(d.weigh(l) + d.weigh(vector) + d.weigh(matrix));
      // What lies above the diagonal of a factor is not read and has the derivative 0.
      Case e;
      const Value full = e.parameter({known(3), known(3)}) +
                         e.b.literal(ir::Element::real, {known(3), known(3)}, {2, 0, 0, 0, 2, 0, 0, 0, 2});
      e.check(e.weigh(e.b.solve_lower(full, e.parameter({known(3)}), transposed)));
    }
    return true;
  case Kind::constant:
  case Kind::slot:
  case Kind::data:
  case Kind::data_lengths:
  case Kind::input:
  case Kind::extent:
  case Kind::axis_index:
  case Kind::plate_row:
  case Kind::random:
  case Kind::loop_index:
    return false; // nothing flows into them
  case Kind::cholesky_grad: {
    const Value a = c.parameter({known(2), known(2)});
    const Value loss = c.weigh(b.cholesky_grad(a, a));
    CHECK_THROWS_AS(c.gradient(loss, a), std::logic_error);
    return true;
  }
  }
  return false;
}

} // namespace

TEST_CASE("every kind of node has its derivative") {
  int checked = 0;
  for (int kind = 0; kind <= static_cast<int>(Kind::solve_lower); ++kind) {
    INFO(ir::kind_name(static_cast<Kind>(kind)));
    checked += check_kind(static_cast<Kind>(kind)) ? 1 : 0;
  }
  CHECK(checked == 21);
}

TEST_CASE("the derivative of a weight matrix used under a plate is one contraction over the plate") {
  Case c;
  const Value w = c.parameter({known(4), known(2)}), x = c.parameter({known(2)}, {1});
  const Value loss = c.b.sum(c.b.sum_event(ir::sin(c.b.matmul(w, x))), {1});
  c.check(loss);
  const Value gradient = autodiff::gradients(c.b, loss, std::vector<Value>{w})[0];
  const ir::Node& node = c.graph.node(gradient.id());
  CHECK(node.kind == Kind::contract);
  CHECK(node.axes == std::vector<ir::AxisId>{1});
}

TEST_CASE("matrix products of all ranks under plates") {
  Case c;
  const Value m = c.parameter({known(2), known(3)}, {0}), n = c.parameter({known(3), known(2)}, {1}),
              v = c.parameter({known(3)}, {1}), u = c.parameter({known(2)});
  c.check(c.weigh(c.b.matmul(m, n)) + c.weigh(c.b.matmul(m, v)) + c.weigh(c.b.matmul(u, m)) +
          c.weigh(c.b.dot(v, v)));
}

TEST_CASE("any node can be differentiated to: the derivative is total through everything made of it") {
  Case c;
  const Value x = c.parameter({known(2)});
  const Value z = ir::exp(x), y = z * z;
  const Value loss = c.b.sum_event(y + 3 * z);
  const auto numbers = c.inputs.parameters[0];
  const auto to_z = c.gradient(loss, z), to_y = c.gradient(loss, y), to_x = c.gradient(loss, x);
  for (std::size_t n = 0; n < 2; ++n) {
    const double value = std::exp(numbers[n]);
    CHECK(to_y[n] == 1);
    CHECK(to_z[n] == Approx(2 * value + 3));
    CHECK(to_x[n] == Approx((2 * value + 3) * value));
  }
  CHECK(c.gradient(loss, loss) == std::vector<double>{1});
}

TEST_CASE("all nodes that read one parameter count") {
  Case c;
  const Value first = c.parameter({});
  const Value loss = first * c.b.parameter(0) * c.b.parameter(0);
  const double x = c.inputs.parameters[0][0];
  CHECK(c.gradient(loss, first)[0] == Approx(3 * x * x));
  const std::vector<Value> both{c.b.parameter(0), first};
  const auto gradients = autodiff::gradients(c.b, loss, both);
  for (Value gradient : gradients)
    CHECK(ir::interpret(c.graph, c.inputs, {gradient.id()})[0].numbers[0] == Approx(3 * x * x));
}

TEST_CASE("what the loss does not depend on has derivative zero, of its own type") {
  Case c;
  const Value x = c.parameter({known(2)}, {1}), y = c.parameter({});
  CHECK(c.gradient(ir::square(y), x) == std::vector<double>(4, 0.0));
  CHECK(c.gradient(c.b.sum(c.b.sum_event(ir::stop_gradient(x)), {1}), x) == std::vector<double>(4, 0.0));
}

TEST_CASE("ties share the derivative of a maximum") {
  Case c;
  const Value x = c.parameter({known(4)});
  c.inputs.parameters[0] = {2, 5, 5, 1};
  CHECK(c.gradient(3.0 * c.b.maximum_over(x, {}, {0}), x) == std::vector<double>{0, 1.5, 1.5, 0});
}

TEST_CASE("log_sum_exp is finite where all terms vanish, with derivative zero") {
  Case c;
  const Value x = c.parameter({known(2)});
  const Value never = c.b.literal(ir::Element::boolean, {known(2)}, {0, 0});
  const Value terms = ir::select(never, x, c.b.real(-std::numeric_limits<double>::infinity()));
  const Value value = c.b.log_sum_exp_last(terms);
  const Value loss = ir::exp(value) + c.b.log_sum_exp_last(x);
  const auto found = ir::interpret(c.graph, c.inputs, {value.id(), loss.id()});
  CHECK(found[0].numbers[0] == -std::numeric_limits<double>::infinity());
  const double a = c.inputs.parameters[0][0], b = c.inputs.parameters[0][1];
  CHECK(found[1].numbers[0] == Approx(std::log(std::exp(a) + std::exp(b))));
  const auto gradient = c.gradient(loss, x);
  CHECK(gradient[0] == Approx(1 / (1 + std::exp(b - a))));
  c.inputs.parameters[0] = {1000, 999};
  CHECK(ir::interpret(c.graph, c.inputs, {loss.id()})[0].numbers[0] ==
        Approx(1000 + std::log1p(std::exp(-1.0))));
}

TEST_CASE("a branch that is switched off hands no NaN back, however infinite its derivative") {
  Case c;
  Builder& b = c.b;
  const Value alpha = c.parameter({}), scale = c.parameter({known(3)});
  const Value x = b.literal(ir::Element::real, {known(3)}, {2, 0, 3}); // the 0 is padding
  const Value mask = b.literal(ir::Element::boolean, {known(3)}, {1, 0, 1});
  // An infinite factor, a division by zero, a square root at zero, in a chain of several ops.
  const Value term = alpha * ir::log(x) + ir::tanh(alpha / x) + ir::sqrt(x * ir::exp(scale)) * scale;
  c.check(b.sum_event(ir::select(mask, term, b.real(0))));
  c.check(b.sum_event(ir::select(ir::logical_not(mask), b.real(0), term)));
  // The same under a mask of the plate, through sums over the event.
  const Value row = ir::to_real(b.axis_index(0));
  const Value inner = b.sum_event(ir::log(row * scale) * alpha);
  c.check(b.sum(
      ir::select(ir::greater(row, b.real(0)), b.sum_event(ir::square(scale) * ir::log(row)) + alpha, alpha),
      {0}));
  c.inputs.parameters[1] = {0.5, 0.25, 2};
  c.check(b.sum(ir::select(ir::greater(row, b.real(0)), inner, alpha), {0}));
}

TEST_CASE("a masked recurrence over rows of different lengths") {
  Case c;
  Builder& b = c.b;
  c.graph.data = {{"x", ir::Element::real, {known(5), Extent::runtime("T"), known(2)}, true}};
  c.inputs.data.resize(1);
  c.inputs.data[0].lengths = {1, 3, 2, 0, 4};
  c.inputs.data[0].offsets = {0, 1, 4, 6, 6};
  for (int n = 0; n < 20; ++n)
    c.inputs.data[0].numbers.push_back(std::cos(n));
  const Value w = c.parameter({known(3), known(2)}), u = c.parameter({known(3), known(3)}),
              h0 = c.parameter({known(3)});
  const Value row = b.plate_row(1);
  const Value x = b.gather(b.data(0), row), length = b.gather(b.data_lengths(0), row);
  for (bool reverse : {false, true}) {
    const std::vector<Value> inits{b.broadcast(h0, {1}, {known(3)})};
    const ir::NodeId loop = b.begin_loop(Extent::runtime("T"), reverse, inits);
    const Value t = b.loop_index(loop), h = b.loop_argument(loop, 0);
    const Value gate = ir::sigmoid(b.matmul(w, b.gather(x, t)));
    const Value noise =
        b.random(ir::RandomKind::normal, "z", row, ir::integer_multiply(t, b.integer(3)), {known(3)});
    const Value moved = (1 - gate) * h + gate * ir::tanh(b.matmul(u, h)) + ir::exp(h) * noise * 0.1;
    const Value mask = ir::less(t, length);
    const Value next = ir::select(mask, moved, h);
    const Value term = ir::select(mask, b.sum_event(ir::square(moved)), b.real(0));
    const auto values =
        b.finish_loop(loop, std::vector<Value>{next}, std::vector<Value>{next}, std::vector<Value>{term});
    // A second loop reads what the first one kept.
    const std::vector<Value> nothing{};
    const ir::NodeId second = b.begin_loop(Extent::runtime("T"), false, nothing);
    const Value kept = b.gather(values.stacked[0], b.loop_index(second));
    const auto sums =
        b.finish_loop(second, nothing, nothing, std::vector<Value>{b.sum_event(ir::sin(kept * h0))});
    c.check(c.weigh(values.carried[0]) + c.weigh(values.accumulated[0]) + c.weigh(sums.accumulated[0]));
  }
}

TEST_CASE("rows read at the loop index get their derivative as a stacked result, also from a loop within") {
  Case c;
  Builder& b = c.b;
  const Value rows = c.parameter({known(3), known(2)}), x = c.parameter({});
  const std::vector<Value> nothing{};
  const ir::NodeId outer = b.begin_loop(known(3), false, nothing);
  const Value i = b.loop_index(outer);
  const std::vector<Value> inits{x};
  const ir::NodeId inner = b.begin_loop(known(4), false, inits);
  const Value h = b.loop_argument(inner, 0);
  const Value term = b.sum_event(b.gather(rows, i) * h);
  const auto in =
      b.finish_loop(inner, std::vector<Value>{ir::sin(h + 1.0)}, nothing, std::vector<Value>{term});
  const auto out = b.finish_loop(outer, nothing, nothing, std::vector<Value>{ir::tanh(in.accumulated[0])});
  c.check(out.accumulated[0]);
  const Value gradient = autodiff::gradients(b, out.accumulated[0], std::vector<Value>{rows})[0];
  CHECK(c.count(Kind::scatter_add) == 0);
  CHECK(c.graph.node(gradient.id()).kind == Kind::loop_result);
  CHECK(c.graph.node(gradient.id()).result == ir::LoopResult::stacked);
}

TEST_CASE("a loop that does not reach the loss is not differentiated") {
  Case c;
  Builder& b = c.b;
  const Value x = c.parameter({});
  const std::vector<Value> inits{x, b.real(0)};
  const ir::NodeId loop = b.begin_loop(known(3), false, inits);
  const Value h = b.loop_argument(loop, 0), count = b.loop_argument(loop, 1);
  const auto values =
      b.finish_loop(loop, std::vector<Value>{ir::sin(h), count + 1.0}, std::vector<Value>{}, {});
  c.gradient(ir::square(x) + values.carried[1], x);
  CHECK(c.graph.loops.size() == 1);
  // Of the two carried values only one has an adjoint.
  c.gradient(values.carried[0] + values.carried[1], x);
  REQUIRE(c.graph.loops.size() == 2);
  CHECK(c.graph.loops[1].inits.size() == 1);
}

TEST_CASE("conditions of gradients are checked") {
  Case c;
  const Value x = c.parameter({known(2)});
  const std::vector<Value> wanted{x};
  CHECK_THROWS_AS(autodiff::gradients(c.b, x, wanted), std::logic_error);
  const std::vector<Value> integer{c.b.integer(1)};
  CHECK_THROWS_AS(autodiff::gradients(c.b, c.b.real(1), integer), std::logic_error);
  const ir::NodeId loop = c.b.begin_loop(known(3), false, {});
  const Value inside = c.b.real(2);
  c.b.finish_loop(loop, {}, {}, std::vector<Value>{inside});
  CHECK_THROWS_AS(autodiff::gradients(c.b, inside, wanted), std::logic_error);
}
