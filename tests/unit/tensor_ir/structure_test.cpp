#include "compiler/catalog/ops.hpp"
#include "compiler/catalog/ops/rows.hpp"
#include "compiler/tensor_ir/print.hpp"
#include "compiler/tensor_ir/type_rules.hpp"
#include "compiler/tensor_ir/verify.hpp"

#include <catch2/catch.hpp>

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

/** A small graph with a loop: %0 …, see the printed form below. */
ir::Graph sample() {
  ir::Graph g;
  g.minibatches = {{"rows", Extent::runtime("N"), Extent::runtime("B")}};
  g.axes = {{"i", ir::AxisKind::plate, Extent::runtime("B"), Extent::runtime("N"), true, 0}};
  g.parameters = {{"w", {known(2)}, {}, "model"}};
  g.data = {{"x", ir::Element::real, {Extent::runtime("N"), known(3), known(2)}, true}};
  Builder b(g);
  const Value w = b.parameter(0), data = b.data(0), row = b.plate_row(0);
  const Value x = b.gather(data, row);
  const std::vector<Value> inits{b.zeros({ir::Element::real, {0}, {}})};
  const ir::NodeId loop = b.begin_loop(known(3), true, inits);
  const Value h = b.loop_argument(loop, 0);
  const Value next = h + b.dot(w, b.gather(x, b.loop_index(loop)));
  const auto values =
      b.finish_loop(loop, std::vector<Value>{next}, std::vector<Value>{next}, std::vector<Value>{h});
  b.output({ir::OutputKind::scalar, "total", b.sum(values.accumulated[0], {0}).id(), -1, -1});
  return g;
}

} // namespace

TEST_CASE("a graph prints with its declarations and its loops indented") {
  CHECK(ir::to_string(sample()) == R"(axes
  i : plate[B] of N, minibatch 0
minibatches
  0 : rows[B] of N
parameters
  w : real[2] in model
data
  x : ragged real[N, 3, 2]
outputs
  scalar total = %15
body
  %0 : real[2] = parameter w
  %1 : real[N, 3, 2] = data x
  %2 : integer{i} = plate_row i
  %3 : real{i}[3, 2] = gather %1, %2 dim 0
  %4 : real = constant 0
  %5 : real{i} = broadcast %4
  %6 : loop %7 in reverse 0..3 carrying %8 = %5 {
    %8 : real{i} = loop_argument 0
    %9 : real{i}[2] = gather %3, %7 dim 0
    %10 : real{i} = contract %0[0], %9[0] -> []
    %11 : real{i} = add %8, %10
    next %11
    stack %11
    accumulate %8
  }
  %12 : real{i} = carried 0 of %6
  %13 : real{i}[3] = stacked 0 of %6
  %14 : real{i} = accumulated 0 of %6
  %15 : real = reduce_sum %14 over {i}
)");
}

TEST_CASE("what a node has beside operands is printed") {
  ir::Graph g;
  g.axes = {{"i", ir::AxisKind::plate, known(3), known(3), false, -1}};
  Builder b(g);
  const Value m = b.literal(ir::Element::real, {known(2), known(2)}, {1, 2.5, 3, 4});
  const auto line = [&](Value value) { return ir::to_string(g, value.id()); };
  CHECK(line(m) == "%0 : real[2, 2] = constant [1, 2.5, 3, 4]");
  CHECK(line(b.slice(m, 1, known(1), known(1))) == "%1 : real[2, 1] = slice %0 dim 1 from 1 length 1");
  CHECK(line(b.pad(m, 1, known(1), Extent::runtime("D"))) == "%2 : real[2, D] = pad %0 dim 1 from 1 of D");
  CHECK(line(b.transpose(m, {1, 0})) == "%3 : real[2, 2] = transpose %0 [1, 0]");
  CHECK(line(b.sum(m, {}, {1})) == "%4 : real[2] = reduce_sum %0 over [1]");
  CHECK(line(b.solve_lower(m, m, true)) == "%5 : real[2, 2] = solve_lower %0, %0 transposed");
  const Value row = b.axis_index(0);
  CHECK(line(b.random(ir::RandomKind::normal, "z", row, b.integer(0), {known(2)})) ==
        "%8 : real{i}[2] = random normal 'z' %6, %7");
  CHECK(line(b.scatter_add(row, b.real(1), 0, known(4), {0})) ==
        "%10 : real[4] = scatter_add %6, %9 dim 0 of 4 over {i}");
  CHECK(line(b.boolean(true)) == "%11 : boolean = constant true");
}

TEST_CASE("verify accepts a good graph and names what is wrong with a bad one") {
  CHECK(ir::violations(sample()).empty());
  CHECK_NOTHROW(ir::verify(sample(), "sample"));
  struct Damage {
    const char* what;
    std::function<void(ir::Graph&)> apply;
    const char* expected;
  };
  const Damage damages[] = {
      {"type", [](ir::Graph& g) { g.node(3).type.shape = {known(3)}; }, "%3"},
      {"element", [](ir::Graph& g) { g.node(11).type.element = ir::Element::integer; }, "%11"},
      {"operand order", [](ir::Graph& g) { std::swap(g.regions[0].order[0], g.regions[0].order[6]); },
       "not defined before"},
      {"operand of a body used outside", [](ir::Graph& g) { g.node(15).operands[0] = 11; },
       "%11 is not defined before"},
      {"operand that does not exist", [](ir::Graph& g) { g.node(15).operands[0] = 99; }, "%99"},
      {"a loop as a value", [](ir::Graph& g) { g.node(15).operands[0] = 6; }, "has no value"},
      {"carried type", [](ir::Graph& g) { g.loops[0].nexts[0] = 9; }, "carried value 0"},
      {"a next from after the loop", [](ir::Graph& g) { g.loops[0].nexts[0] = 14; }, "next %14"},
      {"inits", [](ir::Graph& g) { g.node(6).operands.clear(); }, "differ from inits"},
      {"trip count", [](ir::Graph& g) { g.loops[0].trip_count = known(4); }, "trip count"},
      {"missing next", [](ir::Graph& g) { g.loops[0].nexts.clear(); }, "0 nexts"},
      {"argument of another number", [](ir::Graph& g) { g.node(8).index = 1; }, "%8"},
      {"listed twice", [](ir::Graph& g) { g.regions[0].order.push_back(15); }, "listed twice"},
      {"owner", [](ir::Graph& g) { g.regions[1].owner = 5; }, "owner"},
      {"parameter", [](ir::Graph& g) { g.node(0).index = 3; }, "%0"},
      {"result number", [](ir::Graph& g) { g.node(13).index = 2; }, "%13"},
      {"output in a body", [](ir::Graph& g) { g.outputs[0].node = 11; }, "output 'total'"},
      {"output with a shape", [](ir::Graph& g) { g.outputs[0].node = 0; }, "reported number"},
      {"minibatch", [](ir::Graph& g) { g.minibatches.clear(); }, "no minibatch"},
      {"axes out of order", [](ir::Graph& g) { g.node(15).axes = {0, 0}; }, "%15"},
  };
  for (const Damage& damage : damages) {
    INFO(damage.what);
    ir::Graph g = sample();
    damage.apply(g);
    const auto found = ir::violations(g);
    REQUIRE(!found.empty());
    std::string all;
    for (const std::string& line : found)
      all += line + "\n";
    CHECK_THAT(all, Catch::Contains(damage.expected));
    CHECK_THROWS_AS(ir::verify(g, "damage"), std::logic_error);
  }
}

TEST_CASE("constructors refuse operands that do not fit") {
  ir::Graph g;
  g.axes = {{"i", ir::AxisKind::plate, known(3), known(3), false, -1}};
  Builder b(g);
  const Value two = b.literal(ir::Element::real, {known(2)}, {1, 2}),
              three = b.literal(ir::Element::real, {known(3)}, {0});
  const Value square = b.literal(ir::Element::real, {known(2), known(2)}, {1, 0, 0, 1});
  const Value index = b.axis_index(0);
  const std::function<void()> wrong[] = {
      [&] { two + three; },
      [&] { b.map(op::add, {two, index}); },
      [&] { b.dot(two, three); },
      [&] { b.matmul(square, three); },
      [&] { b.sum(two, {0}); },
      [&] { b.sum(two, {}, {1}); },
      [&] { b.gather(two, b.real(0)); },
      [&] { b.gather(b.real(0), index); },
      [&] { b.scatter_add(two, two, 0, known(3), {}); },
      [&] { b.broadcast(two, {}, {known(3)}); },
      [&] { b.slice(two, 0, known(1), known(2)); },
      [&] { b.pad(two, 0, known(1), known(2)); },
      [&] { b.concat(std::vector<Value>{two, square}, 0); },
      [&] { b.reshape(square, {known(3)}); },
      [&] { b.transpose(square, {0, 0}); },
      [&] { b.expand(two, 3, known(2)); },
      [&] { b.cholesky(two); },
      [&] { b.solve_lower(square, three); },
      [&] { b.random(ir::RandomKind::log_gamma, "z", index, b.integer(0), {}); },
      [&] { b.random(ir::RandomKind::normal, "z", b.real(0), b.integer(0), {}); },
      [&] { b.contract(two, {0}, two, {1}, {}); },
      [&] { b.contract(square, {0, 0}, two, {0}, {}); },
      [&] { b.parameter(0); },
      [&] { b.data(0); },
      [&] { ir::select(two, two, two); },
      [&] { ir::logical_and(two, two); },
      [&] { b.literal(ir::Element::real, {known(3)}, {1, 2}); },
      [&] { b.literal(ir::Element::real, {Extent::runtime("N")}, {1}); },
  };
  std::size_t n = 0;
  for (const auto& make : wrong) {
    INFO("number " << n++);
    CHECK_THROWS_AS(make(), std::logic_error);
  }
  CHECK(ir::violations(g).empty());
}
