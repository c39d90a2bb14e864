#include "compiler/passes/simplify.hpp"

#include "compiler/catalog/ops.hpp"
#include "compiler/catalog/ops/rows.hpp"
#include "compiler/passes/common_subexpressions.hpp"
#include "compiler/passes/dead_code.hpp"
#include "compiler/passes/hoist.hpp"
#include "compiler/passes/passes.hpp"
#include "compiler/tensor_ir/interpret.hpp"
#include "compiler/tensor_ir/print.hpp"
#include "compiler/tensor_ir/type_rules.hpp"
#include "compiler/tensor_ir/verify.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <cmath>
#include <functional>

using namespace plait;
using ir::Builder;
using ir::Extent;
using ir::Kind;
using ir::Value;

namespace {

Extent known(std::int64_t n) {
  return Extent::known(n);
}

/** A value as an expression: op(operands) with the attributes that matter, leaves by name. */
std::string expression(const ir::Graph& graph, ir::NodeId id) {
  const ir::Node& node = graph.node(id);
  const auto list = [](const auto& items) { return fmt::format("[{}]", fmt::join(items, ",")); };
  std::string text =
      node.kind == Kind::map ? std::string(node.op->name) : std::string(ir::kind_name(node.kind));
  switch (node.kind) {
  case Kind::constant:
    return node.literal.size() == 1 ? fmt::format("{}", node.literal[0]) : list(node.literal);
  case Kind::parameter:
    return graph.parameters[static_cast<std::size_t>(node.index)].name;
  case Kind::reduce_sum:
  case Kind::reduce_max:
    text = node.kind == Kind::reduce_sum ? "sum" : "max";
    for (ir::AxisId axis : node.axes)
      text += "_" + graph.axis(axis).name;
    if (!node.dims.empty())
      text += list(node.dims);
    break;
  case Kind::contract:
    text += fmt::format("{}{}{}", list(node.left_labels), list(node.right_labels), list(node.out_labels));
    for (ir::AxisId axis : node.axes)
      text += "_" + graph.axis(axis).name;
    break;
  case Kind::axis_index:
    return graph.axis(node.axes[0]).name;
  case Kind::axis_to_dim:
    text += "_" + graph.axis(node.axes[0]).name;
    break;
  case Kind::extent:
    return ir::to_string(node.extents[0]);
  case Kind::gather:
  case Kind::expand:
  case Kind::scatter_add:
    text += fmt::format("@{}", node.dim);
    break;
  default:
    break;
  }
  text += "(";
  for (std::size_t k = 0; k < node.operands.size(); ++k)
    text += (k ? ", " : "") + expression(graph, node.operands[k]);
  return text + ")";
}

/** Parameters of several types, over axes i (3), j (2) and n (N at run time). */
struct Values {
  ir::Graph& g;
  Builder& b;
  Value s, t;    ///< scalars
  Value a;       ///< {i}
  Value v, w;    ///< [4]
  Value x, y;    ///< {i}[4]
  Value m;       ///< [4, 4]
  Value r, q;    ///< {j}[4], {n}
  Value mask, k; ///< {i} boolean, integer
};

struct Made {
  ir::Graph graph;
  ir::Inputs inputs;
};

Made make(const std::function<Value(const Values&)>& build) {
  Made made;
  ir::Graph& g = made.graph;
  g.axes = {{"i", ir::AxisKind::plate, known(3), known(3), false, -1},
            {"j", ir::AxisKind::plate, known(2), known(2), false, -1},
            {"n", ir::AxisKind::plate, Extent::runtime("N"), Extent::runtime("N"), false, -1}};
  g.parameters = {{"s", {}, {}, ""},          {"t", {}, {}, ""},
                  {"a", {}, {0}, ""},         {"v", {known(4)}, {}, ""},
                  {"w", {known(4)}, {}, ""},  {"x", {known(4)}, {0}, ""},
                  {"y", {known(4)}, {0}, ""}, {"m", {known(4), known(4)}, {}, ""},
                  {"r", {known(4)}, {1}, ""}, {"q", {}, {2}, ""}};
  made.inputs.extents = {{"N", 5}};
  double next = 0;
  for (std::size_t size : {1u, 1u, 3u, 4u, 4u, 12u, 12u, 16u, 8u, 5u}) {
    std::vector<double> numbers(size);
    for (double& number : numbers)
      number = 1.2 + std::sin(next += 1);
    made.inputs.parameters.push_back(numbers);
  }
  Builder b(g);
  Value p[10];
  for (std::int32_t k = 0; k < 10; ++k)
    p[k] = b.parameter(k);
  const Value k = b.axis_index(0);
  const Values values{
      g, b, p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9], ir::less(k, b.integer(2)), k};
  b.output({ir::OutputKind::value, "out", build(values).id(), -1, -1});
  return made;
}

struct Rule {
  std::function<Value(const Values&)> build;
  const char* expected;
};

void check(const std::vector<Rule>& rules) {
  for (const Rule& rule : rules) {
    const Made made = make(rule.build);
    INFO(expression(made.graph, made.graph.outputs[0].node));
    const ir::Graph after = passes::simplify(passes::common_subexpressions(made.graph));
    ir::verify(after, "simplify");
    CHECK(expression(after, after.outputs[0].node) == rule.expected);
    CHECK(after.type(after.outputs[0].node) == made.graph.type(made.graph.outputs[0].node));
    const auto x = ir::interpret(made.graph, made.inputs).outputs[0],
               y = ir::interpret(after, made.inputs).outputs[0];
    REQUIRE(x.numbers.size() == y.numbers.size());
    for (std::size_t n = 0; n < x.numbers.size(); ++n)
      CHECK(x.numbers[n] == Approx(y.numbers[n]).margin(1e-13));
  }
}

} // namespace

TEST_CASE("identities of elementwise ops") {
  check({
      {[](const Values& e) { return e.x + 0.0; }, "x"},
      {[](const Values& e) { return 0.0 + e.x; }, "x"},
      {[](const Values& e) { return e.s + e.b.zeros(e.x.type()); }, "broadcast(s)"},
      {[](const Values& e) { return e.x - 0.0; }, "x"},
      {[](const Values& e) { return 0.0 - e.x; }, "negate(x)"},
      {[](const Values& e) { return e.x + -e.y; }, "subtract(x, y)"},
      {[](const Values& e) { return -e.x + e.y; }, "subtract(y, x)"},
      {[](const Values& e) { return e.x - -e.y; }, "add(x, y)"},
      {[](const Values& e) { return -(e.x - e.y); }, "subtract(y, x)"},
      {[](const Values& e) { return -(-e.x); }, "x"},
      {[](const Values& e) { return e.x * 1.0; }, "x"},
      {[](const Values& e) { return -1.0 * e.x; }, "negate(x)"},
      {[](const Values& e) { return 2.0 * (e.x * 3.0); }, "multiply(6, x)"},
      {[](const Values& e) { return e.s * (e.t * e.x); }, "multiply(multiply(s, t), x)"},
      {[](const Values& e) { return 2.0 * -e.x; }, "multiply(-2, x)"},
      {[](const Values& e) { return -e.x * -e.y; }, "multiply(y, x)"},
      {[](const Values& e) { return e.s * e.x - e.s * e.y; }, "multiply(s, subtract(x, y))"},
      {[](const Values& e) { return e.x / 1.0; }, "x"},
      {[](const Values& e) { return e.x / 4.0; }, "multiply(x, 0.25)"},
      {[](const Values& e) { return -e.x / e.y; }, "negate(divide(x, y))"},
      {[](const Values& e) { return ir::log(ir::exp(e.x)); }, "x"},
      {[](const Values& e) { return ir::pow(e.x, e.b.real(2)); }, "square(x)"},
      {[](const Values& e) { return ir::square(-e.x); }, "square(x)"},
      {[](const Values& e) { return ir::stop_gradient(e.x); }, "x"},
      {[](const Values& e) { return ir::exp(e.b.real(0)) * e.s; }, "s"},
      {[](const Values& e) { return ir::to_real(e.b.integer(3)) * e.s; }, "multiply(3, s)"},
      {[](const Values& e) { return ir::integer_add(e.k, e.b.integer(0)); }, "i"},
      {[](const Values& e) { return ir::integer_multiply(e.b.integer(1), e.k); }, "i"},
  });
}

TEST_CASE("a product with 0 vanishes only where the other factor is finite for certain") {
  check({
      {[](const Values& e) { return 0.0 * e.x; }, "multiply(0, x)"},
      {[](const Values& e) { return 0.0 * ir::to_real(e.k); }, "broadcast(0)"},
      {[](const Values& e) { return e.x - e.x; }, "subtract(x, x)"},
  });
}

TEST_CASE("masks and selections") {
  check({
      {[](const Values& e) { return ir::select(e.b.boolean(true), e.s, e.x); }, "broadcast(s)"},
      {[](const Values& e) { return ir::select(e.b.boolean(false), e.s, e.x); }, "x"},
      {[](const Values& e) { return ir::select(e.mask, e.x, e.x); }, "x"},
      {[](const Values& e) { return ir::select(ir::logical_not(e.mask), e.x, e.y); },
       "select(integer_less(i, 2), y, x)"},
      {[](const Values& e) { return ir::select(e.mask, ir::select(e.mask, e.x, e.s), e.y); },
       "select(integer_less(i, 2), x, y)"},
      {[](const Values& e) { return ir::select(e.mask, e.x, ir::select(e.mask, e.s, e.y)); },
       "select(integer_less(i, 2), x, y)"},
      {[](const Values& e) {
         const Value zero = e.b.real(0), masked = ir::select(e.mask, e.x, zero);
         return ir::select(e.mask, -(masked * e.y), zero);
       },
       "select(integer_less(i, 2), negate(multiply(x, y)), 0)"},
      {[](const Values& e) {
         const Value zero = e.b.real(0);
         return ir::select(e.mask, e.x, zero) + ir::select(e.mask, zero, e.y);
       },
       "select(integer_less(i, 2), x, y)"},
      {[](const Values& e) {
         return ir::select(e.mask, e.x, e.b.real(1)) - ir::select(e.mask, e.y, e.b.real(3));
       },
       "select(integer_less(i, 2), subtract(x, y), -2)"},
      {[](const Values& e) { return ir::to_real(ir::logical_and(e.mask, e.b.boolean(true))); },
       "to_real(integer_less(i, 2))"},
      {[](const Values& e) { return ir::to_real(ir::logical_or(e.mask, e.b.boolean(true))); },
       "broadcast(1)"},
      {[](const Values& e) { return ir::to_real(ir::logical_not(ir::logical_not(e.mask))); },
       "to_real(integer_less(i, 2))"},
  });
}

TEST_CASE("broadcasts move behind what they feed") {
  const auto wide = [](const Values& e, Value value) { return e.b.broadcast_like(value, e.x.type()); };
  check({
      {[&](const Values& e) { return ir::exp(wide(e, e.v)); }, "broadcast(exp(v))"},
      {[&](const Values& e) { return wide(e, e.s) * e.x; }, "multiply(s, x)"},
      {[&](const Values& e) { return e.b.broadcast_like(wide(e, e.s), e.r.type()); }, "broadcast(s)"},
      {[&](const Values& e) { return e.b.gather(wide(e, e.s), e.k); }, "broadcast(s)"},
      {[&](const Values& e) { return e.b.transpose(e.b.broadcast(e.m, {1}, e.m.type().shape), {1, 0}); },
       "broadcast(transpose(m))"},
      {[&](const Values& e) { return e.b.expand(e.v, 0, known(2)) + e.b.expand(e.w, 0, known(2)); },
       "expand@0(add(v, w))"},
      {[&](const Values& e) { return e.b.expand(e.s, 0, known(3)); }, "broadcast(s)"},
  });
}

TEST_CASE("sums") {
  const auto wide = [](const Values& e, Value value) { return e.b.broadcast_like(value, e.x.type()); };
  check({
      {[&](const Values& e) { return e.b.sum(wide(e, e.v), {0}, {0}); }, "multiply(3, sum[0](v))"},
      {[&](const Values& e) { return e.b.sum(wide(e, e.s), {0}, {0}); }, "multiply(12, s)"},
      {[&](const Values& e) { return e.b.sum(e.b.broadcast(e.s, {2}, {}), {2}); }, "multiply(to_real(N), s)"},
      {[&](const Values& e) {
         return e.b.sum(e.b.real(1) * e.b.zeros({ir::Element::real, {0}, {}}) + 2.0, {0});
       },
       "6"},
      {[&](const Values& e) { return e.b.sum(e.b.expand(e.m, 1, known(5)), {}, {0, 1}); },
       "multiply(5, sum[0](m))"},
      {[&](const Values& e) { return e.b.sum(e.b.expand(e.m, 1, known(5)), {}, {0}); },
       "expand@0(sum[0](m))"},
      {[&](const Values& e) { return e.b.sum(e.b.sum(e.x, {}, {0}), {0}); }, "sum_i[0](x)"},
      {[&](const Values& e) { return e.b.sum(e.b.sum(e.m, {}, {1}), {}, {0}); }, "sum[0,1](m)"},
      {[&](const Values& e) { return e.b.sum(-e.x, {0}); }, "negate(sum_i(x))"},
      {[&](const Values& e) { return e.b.sum(e.s * e.x, {0}, {0}); }, "multiply(s, sum_i[0](x))"},
      {[&](const Values& e) { return e.b.sum(e.v * e.x, {0}); }, "multiply(v, sum_i(x))"},
      {[&](const Values& e) { return e.b.sum(e.x / e.s, {0}); }, "divide(sum_i(x), s)"},
      {[&](const Values& e) { return e.b.sum(ir::select(e.mask, e.x, e.b.real(0)), {}, {0}); },
       "select(integer_less(i, 2), sum[0](x), 0)"},
      {[&](const Values& e) { return e.b.sum(e.b.axis_to_dim(e.x, 0), {}, {0}); }, "sum_i(x)"},
      {[&](const Values& e) { return e.b.sum_event(e.b.transpose(e.m, {1, 0})); }, "sum[0,1](m)"},
      {[&](const Values& e) { return e.b.sum_event(e.b.pad(e.v, 0, known(1), known(9))); }, "sum[0](v)"},
      {[&](const Values& e) { return e.b.maximum_over(wide(e, e.v), {0}, {0}); }, "max[0](v)"},
  });
}

TEST_CASE("sums of products become contractions where that saves an outer product") {
  check({
      // {i}[4] x {j}[4] over the event: neither fills {i, j}[4]
      {[](const Values& e) { return e.b.sum(e.x * e.r, {}, {0}); }, "contract[0][0][](x, r)"},
      {[](const Values& e) {
         return e.b.sum(e.b.expand(e.x, 1, known(4)) * e.b.expand(e.y, 0, known(4)), {0});
       },
       "contract[0][1][0,1]_i(x, y)"},
      // both lie alike: one fused sum
      {[](const Values& e) { return e.b.sum(e.x * e.y, {0}, {0}); }, "sum_i[0](multiply(x, y))"},
      {[](const Values& e) { return e.b.sum(e.b.matmul(e.m, e.x), {0}); },
       "contract[0,1][1][0](m, sum_i(x))"},
      {[](const Values& e) { return e.b.sum_event(e.b.contract(e.x, {0}, e.y, {1}, {0, 1}, {0})); },
       "sum_i(multiply(sum[0](x), sum[0](y)))"},
  });
}

TEST_CASE("contractions") {
  check({
      {[](const Values& e) { return e.b.contract(e.s, {}, e.x, {0}, {0}); }, "multiply(s, x)"},
      {[](const Values& e) { return e.b.contract(e.x, {0}, e.v, {0}, {0}); }, "multiply(x, v)"},
      {[](const Values& e) { return e.b.contract(e.a, {}, e.a, {}, {}, {0}); }, "sum_i(multiply(a, a))"},
      {[](const Values& e) { return e.b.matmul(e.m, -e.x); }, "negate(contract[0,1][1][0](m, x))"},
      {[](const Values& e) { return e.b.matmul(e.b.transpose(e.m, {1, 0}), e.x); },
       "contract[1,0][1][0](m, x)"},
      {[](const Values& e) { return e.b.transpose(e.b.matmul(e.m, e.m), {1, 0}); },
       "contract[0,1][1,2][2,0](m, m)"},
      {[](const Values& e) { return e.b.matmul(e.m, e.b.broadcast(e.v, {0}, {known(4)})); },
       "broadcast(contract[0,1][1][0](m, v))"},
      {[](const Values& e) {
         return e.b.contract(e.b.broadcast(e.v, {0}, {known(4)}), {0}, e.w, {1}, {0, 1}, {0});
       },
       "multiply(3, contract[0][1][0,1](v, w))"},
      {[](const Values& e) { return e.b.matmul(e.m, e.b.broadcast(e.s, {}, {known(4)})); },
       "multiply(sum[1](m), s)"},
      {[](const Values& e) { return e.b.matmul(e.m, e.x) + e.b.matmul(e.m, e.y); },
       "contract[0,1][1][0](m, add(x, y))"},
  });
}

TEST_CASE("indexing and rearrangement") {
  check({
      {[](const Values& e) { return e.b.gather(e.b.axis_to_dim(e.x, 0), e.k); }, "x"},
      {[](const Values& e) {
         return e.b.axis_to_dim(e.b.gather(e.b.slice(e.v, 0, known(0), known(3)), e.k), 0);
       },
       "slice(v)"},
      {[](const Values& e) { return e.b.scatter_add(e.k, e.x, 0, known(3), {0}); }, "axis_to_dim_i(x)"},
      {[](const Values& e) { return e.b.scatter_add(e.k, e.x, 1, known(3), {0}); },
       "transpose(axis_to_dim_i(x))"},
      {[](const Values& e) { return e.b.scatter_add(e.k, e.v, 0, known(3), {0}); }, "expand@0(v)"},
      {[](const Values& e) { return e.b.scatter_add(e.k, e.x, 0, known(4), {0}); }, "scatter_add@0(i, x)"},
      {[](const Values& e) { return e.b.slice(e.b.pad(e.v, 0, known(2), known(9)), 0, known(2), known(4)); },
       "v"},
      {[](const Values& e) {
         return e.b.slice(e.b.concat(std::vector<Value>{e.v, e.w}, 0), 0, known(4), known(4));
       },
       "w"},
      {[](const Values& e) { return e.b.element(e.b.stack(std::vector<Value>{e.s, e.t}), 1); }, "t"},
      {[](const Values& e) { return e.b.reshape(e.b.reshape(e.m, {known(16)}), {known(4), known(4)}); }, "m"},
      {[](const Values& e) { return e.b.transpose(e.b.transpose(e.m, {1, 0}), {1, 0}); }, "m"},
      {[](const Values& e) { return e.b.gather(e.b.expand(e.v, 0, known(3)), e.k); }, "broadcast(v)"},
  });
}

TEST_CASE("what steers derivatives stays until they have been taken") {
  const Made made = make([](const Values& e) { return ir::stop_gradient(e.s); });
  const ir::Graph after = passes::simplify(made.graph, {.is_final = false});
  CHECK(expression(after, after.outputs[0].node) == "stop_gradient(s)");
}

TEST_CASE("loops: carried values that do not change, results that need no loop") {
  const Made made = make([](const Values& e) {
    const std::vector<Value> inits{e.s, e.b.real(0), e.x};
    const ir::NodeId loop = e.b.begin_loop(known(5), false, inits);
    const Value fixed = e.b.loop_argument(loop, 0), zero = e.b.loop_argument(loop, 1),
                h = e.b.loop_argument(loop, 2);
    const Value constant = ir::exp(fixed) + zero;
    const auto values = e.b.finish_loop(loop, std::vector<Value>{fixed, e.b.real(0), ir::sin(h * constant)},
                                        std::vector<Value>{constant}, std::vector<Value>{constant});
    return values.carried[0] + values.carried[1] + e.b.sum_event(values.stacked[0]) + values.accumulated[0] +
           e.b.sum_event(values.carried[2]);
  });
  const ir::Graph after = passes::optimize(made.graph);
  ir::verify(after, "optimize");
  REQUIRE(after.loops.size() == 1);
  CHECK(after.loops[0].inits.size() == 1);
  CHECK(after.loops[0].stacked.empty());
  CHECK(after.loops[0].accumulated.empty());
  // index, argument, product, sine
  CHECK(after.regions[static_cast<std::size_t>(after.loops[0].body)].order.size() == 4);
  const auto x = ir::interpret(made.graph, made.inputs).outputs[0],
             y = ir::interpret(after, made.inputs).outputs[0];
  for (std::size_t n = 0; n < x.numbers.size(); ++n)
    CHECK(x.numbers[n] == Approx(y.numbers[n]));
}

TEST_CASE("draws stay with the iteration that their counters name, others leave the loop") {
  const Made made = make([](const Values& e) {
    const ir::NodeId loop = e.b.begin_loop(known(5), false, {});
    const Value t = e.b.loop_index(loop);
    const Value own = e.b.random(ir::RandomKind::normal, "z", e.k, t, {});
    const Value common = e.b.random(ir::RandomKind::normal, "z", e.k, e.b.integer(0), {});
    const auto values = e.b.finish_loop(loop, {}, {}, std::vector<Value>{ir::sin(own) * ir::exp(common)});
    return values.accumulated[0];
  });
  const ir::Graph after = passes::hoist(made.graph);
  ir::verify(after, "hoist");
  int inside = 0, outside = 0;
  for (const ir::Node& node : after.nodes)
    if (node.kind == Kind::random)
      ++(node.region == ir::root_region ? outside : inside);
  CHECK(inside == 1);
  CHECK(outside == 1);
}

TEST_CASE("a factor that stays the same leaves the sum over iterations") {
  const Made made = make([](const Values& e) {
    const std::vector<Value> inits{e.x};
    const ir::NodeId loop = e.b.begin_loop(known(5), false, inits);
    const Value h = e.b.loop_argument(loop, 0);
    // Twice in one product, once below another sum, and a product of two values that both change.
    const std::vector<Value> sums{e.y * (ir::sin(h) * e.s), e.y * h + h, ir::sin(h) * h};
    const auto values = e.b.finish_loop(loop, std::vector<Value>{ir::sin(h)}, {}, sums);
    return values.accumulated[0] + values.accumulated[1] + values.accumulated[2];
  });
  const ir::Graph after = passes::hoist(made.graph);
  ir::verify(after, "hoist");
  REQUIRE(after.loops.size() == 1);
  std::vector<std::string> kinds;
  for (const ir::NodeId value : after.loops[0].accumulated)
    kinds.emplace_back(after.node(value).op->name);
  CHECK(kinds == std::vector<std::string>{"sin", "add", "multiply"});
  const auto x = ir::interpret(made.graph, made.inputs).outputs[0],
             y = ir::interpret(after, made.inputs).outputs[0];
  for (std::size_t n = 0; n < x.numbers.size(); ++n)
    CHECK(x.numbers[n] == Approx(y.numbers[n]));
}

TEST_CASE("dead code goes, also around loops") {
  const Made made = make([](const Values& e) {
    const std::vector<Value> inits{e.s, e.t};
    const ir::NodeId loop = e.b.begin_loop(known(5), false, inits);
    const Value h = e.b.loop_argument(loop, 0), useless = e.b.loop_argument(loop, 1);
    const auto values = e.b.finish_loop(loop, std::vector<Value>{ir::sin(h), ir::exp(useless)},
                                        std::vector<Value>{useless, h}, std::vector<Value>{h});
    ir::exp(values.stacked[0]);
    return values.carried[0] + e.b.sum_event(values.stacked[1]);
  });
  const ir::Graph after = passes::dead_code(made.graph);
  ir::verify(after, "dead code");
  REQUIRE(after.loops.size() == 1);
  CHECK(after.loops[0].inits.size() == 1);
  CHECK(after.loops[0].stacked.size() == 1);
  CHECK(after.loops[0].accumulated.empty());
  CHECK(after.nodes.size() == 9); // s, loop, index, argument, sine, two results, sum, sum
}

TEST_CASE("equal nodes become one, within their scope") {
  const Made made = make([](const Values& e) {
    const Value first = ir::exp(e.x) + ir::exp(e.x);
    const ir::NodeId loop = e.b.begin_loop(known(5), false, {});
    const auto values =
        e.b.finish_loop(loop, {}, {}, std::vector<Value>{ir::exp(e.x), ir::sin(e.x), ir::exp(e.x) * 1.0});
    const Value z = e.b.random(ir::RandomKind::normal, "z", e.k, e.b.integer(0), {});
    const Value again = e.b.random(ir::RandomKind::normal, "z", e.k, e.b.integer(0), {});
    const Value other = e.b.random(ir::RandomKind::normal, "y", e.k, e.b.integer(0), {});
    return first + values.accumulated[0] + ir::sin(e.x) + values.accumulated[1] + z + again + other +
           e.x * e.y + e.y * e.x;
  });
  const ir::Graph after = passes::dead_code(passes::common_subexpressions(made.graph));
  ir::verify(after, "common subexpressions");
  std::map<std::string, int> count;
  for (const ir::Node& node : after.nodes)
    ++count[node.kind == Kind::map ? std::string(node.op->name) : std::string(ir::kind_name(node.kind))];
  CHECK(count["exp"] == 1);
  CHECK(count["sin"] == 2); // the one of the body is not seen outside
  CHECK(count["random"] == 2);
  CHECK(count["multiply"] == 1);
}
