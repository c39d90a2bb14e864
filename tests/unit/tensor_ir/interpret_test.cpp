#include "compiler/catalog/ops.hpp"
#include "compiler/tensor_ir/interpret.hpp"
#include "runtime/rng.hpp"
#include "runtime/samplers.hpp"

#include <catch2/catch.hpp>

using namespace plait;
using ir::Builder;
using ir::Extent;
using ir::Value;

namespace {

Extent known(std::int64_t n) {
  return Extent::known(n);
}

std::vector<double> numbers(const ir::Graph& graph, const ir::Inputs& inputs, Value value) {
  return ir::interpret(graph, inputs, {value.id()})[0].numbers;
}

} // namespace

TEST_CASE("einsum, gather and scatter by hand") {
  ir::Graph g;
  Builder b(g);
  const Value m = b.literal(ir::Element::real, {known(2), known(3)}, {1, 2, 3, 4, 5, 6});
  const Value v = b.literal(ir::Element::real, {known(3)}, {1, 0, -1});
  const ir::Inputs none;
  CHECK(numbers(g, none, b.matmul(m, v)) == std::vector<double>{-2, -2});
  CHECK(numbers(g, none, b.contract(m, {0, 1}, m, {2, 1}, {0, 2})) == std::vector<double>{14, 32, 32, 77});
  const Value index = b.literal(ir::Element::integer, {known(2), known(2)}, {2, 0, 1, 1});
  const Value rows = b.gather(m, index, 1);
  CHECK(rows.type().shape == std::vector<Extent>{known(2), known(2), known(2)});
  CHECK(numbers(g, none, rows) == std::vector<double>{3, 1, 2, 2, 6, 4, 5, 5});
  CHECK(numbers(g, none, b.scatter_add(index, rows, 1, known(3), {})) ==
        std::vector<double>{1, 4, 3, 4, 10, 6});
  CHECK_THROWS_AS(numbers(g, none, b.gather(v, b.integer(3))), std::out_of_range);
}

TEST_CASE("shape operations by hand") {
  ir::Graph g;
  Builder b(g);
  const Value m = b.literal(ir::Element::real, {known(2), known(3)}, {1, 2, 3, 4, 5, 6});
  const ir::Inputs none;
  CHECK(numbers(g, none, b.transpose(m, {1, 0})) == std::vector<double>{1, 4, 2, 5, 3, 6});
  CHECK(numbers(g, none, b.slice(m, 1, known(1), known(2))) == std::vector<double>{2, 3, 5, 6});
  CHECK(numbers(g, none, b.pad(m, 0, known(1), known(3))) == std::vector<double>{0, 0, 0, 1, 2, 3, 4, 5, 6});
  CHECK(numbers(g, none, b.expand(b.element(m, 1), 1, known(2))) == std::vector<double>{4, 4, 5, 5, 6, 6});
  CHECK(numbers(g, none, b.stack(std::vector<Value>{b.real(1), b.real(2)})) == std::vector<double>{1, 2});
  CHECK(numbers(g, none,
                b.concat(std::vector<Value>{m, b.reshape(b.element(m, 0), {known(1), known(3)})}, 0)) ==
        std::vector<double>{1, 2, 3, 4, 5, 6, 1, 2, 3});
  CHECK(numbers(g, none, b.sum(m, {}, {0})) == std::vector<double>{5, 7, 9});
  CHECK(numbers(g, none, b.maximum_over(m, {}, {1})) == std::vector<double>{3, 6});
}

TEST_CASE("plates read their drawn rows; ragged data reads zeros after its end") {
  ir::Graph g;
  g.minibatches = {{"n", Extent::runtime("N"), known(2)}};
  g.axes = {{"n", ir::AxisKind::plate, known(2), Extent::runtime("N"), true, 0},
            {"k", ir::AxisKind::plate, known(2), known(2), false, -1}};
  g.data = {{"x", ir::Element::real, {Extent::runtime("N"), known(3)}, true}};
  g.parameters = {{"local", {}, {1, 0}, ""}};
  Builder b(g);
  ir::Inputs in;
  in.extents = {{"N", 3}};
  in.rows = {{2, 0}};
  in.data.resize(1);
  in.data[0].numbers = {10, 11, 30, 31, 32};
  in.data[0].offsets = {0, 2, 2};
  in.data[0].lengths = {2, 0, 3};
  in.parameters = {{1, 2, 3, 4, 5, 6}}; // [k, n]
  CHECK(numbers(g, in, b.plate_row(0)) == std::vector<double>{2, 0});
  CHECK(numbers(g, in, b.axis_index(0)) == std::vector<double>{0, 1});
  CHECK(numbers(g, in, b.gather(b.data(0), b.plate_row(0))) == std::vector<double>{30, 31, 32, 10, 11, 0});
  CHECK(numbers(g, in, b.data_lengths(0)) == std::vector<double>{2, 0, 3});
  // axes ascend: n outside, k inside
  CHECK(numbers(g, in, b.parameter(0)) == std::vector<double>{3, 6, 1, 4});
  CHECK(numbers(g, in, b.axis_to_dim(b.parameter(0), 0)) == std::vector<double>{3, 1, 6, 4});
  CHECK(numbers(g, in, b.extent(Extent::runtime("N"))) == std::vector<double>{3});
  in.rows = {{2, 3}};
  CHECK_THROWS_AS(numbers(g, in, b.gather(b.data(0), b.plate_row(0))), std::out_of_range);
}

TEST_CASE("draws are those of the runtime's counters") {
  ir::Graph g;
  g.axes = {{"n", ir::AxisKind::plate, known(2), known(2), false, -1}};
  Builder b(g);
  ir::Inputs in;
  in.seed = 0x123456789abcull;
  in.step = 17;
  const Value row = ir::integer_add(b.plate_row(0), b.integer(5));
  const Value uniform = b.random(ir::RandomKind::uniform, "u", row, b.integer(10), {known(2), known(2)});
  const Value normal = b.random(ir::RandomKind::normal, "u", row, b.integer(10), {known(2), known(2)});
  const Value shape = b.real(0.4), rate = b.real(3), trials = b.real(10), chance = b.real(0.3);
  const Value gamma =
      b.random(ir::RandomKind::log_gamma, "g", row, b.integer(0), {}, std::vector<Value>{shape});
  const Value poisson =
      b.random(ir::RandomKind::poisson, "p", row, b.integer(0), {}, std::vector<Value>{rate});
  const Value binomial =
      b.random(ir::RandomKind::binomial, "b", row, b.integer(0), {}, std::vector<Value>{trials, chance});
  for (bool single : {false, true}) {
    in.single_precision_noise = single;
    const auto precision = single ? runtime::DrawPrecision::f32 : runtime::DrawPrecision::f64;
    const auto u = numbers(g, in, uniform), z = numbers(g, in, normal);
    for (std::uint32_t n = 0; n < 8; ++n) {
      const runtime::DrawPlace place{in.seed, in.step, runtime::site_stream("u", 0), 5 + n / 4, 10 + n % 4};
      CHECK(u[n] == runtime::standard_uniform(place, precision));
      CHECK(z[n] == runtime::standard_normal(place, precision));
    }
  }
  for (std::uint32_t n = 0; n < 2; ++n) {
    const auto place = [&](const char* site) {
      return runtime::DrawPlace{in.seed, in.step, runtime::site_stream(site, 0), 5 + n, 0};
    };
    CHECK(numbers(g, in, gamma)[n] == runtime::sample_log_gamma(0.4, place("g")));
    CHECK(numbers(g, in, poisson)[n] == runtime::sample_poisson(3, place("p")));
    CHECK(numbers(g, in, binomial)[n] == runtime::sample_binomial(10, 0.3, place("b")));
  }
}

TEST_CASE("loops carry, stack and accumulate, in both directions") {
  for (bool reverse : {false, true}) {
    ir::Graph g;
    g.axes = {{"n", ir::AxisKind::plate, known(2), known(2), false, -1}};
    Builder b(g);
    const Value start = ir::to_real(b.axis_index(0)) * 100.0;
    const std::vector<Value> inits{start};
    const ir::NodeId loop = b.begin_loop(Extent::runtime("T"), reverse, inits);
    const Value t = ir::to_real(b.loop_index(loop)), h = b.loop_argument(loop, 0);
    const Value next = 2 * h + t;
    const auto values =
        b.finish_loop(loop, std::vector<Value>{next}, std::vector<Value>{next}, std::vector<Value>{t});
    ir::Inputs in;
    in.extents = {{"T", 3}};
    // 0,1,2: 0 → 0 → 1 → 4;  2,1,0: 0 → 2 → 5 → 10; starting from 100: + 200, 400, 800
    CHECK(numbers(g, in, values.carried[0]) ==
          (reverse ? std::vector<double>{10, 810} : std::vector<double>{4, 804}));
    CHECK(numbers(g, in, values.stacked[0]) == (reverse ? std::vector<double>{10, 5, 2, 810, 405, 202}
                                                        : std::vector<double>{0, 1, 4, 200, 401, 804}));
    CHECK(numbers(g, in, values.accumulated[0]) == std::vector<double>{3});
    in.extents = {{"T", 0}};
    CHECK(numbers(g, in, values.carried[0]) == std::vector<double>{0, 100});
    CHECK(numbers(g, in, values.accumulated[0]) == std::vector<double>{0});
  }
}

TEST_CASE("Cholesky factors and triangular solves by hand") {
  ir::Graph g;
  Builder b(g);
  const Value a = b.literal(ir::Element::real, {known(2), known(2)}, {4, 2, 2, 10});
  const Value l = b.cholesky(a), v = b.literal(ir::Element::real, {known(2)}, {2, 7});
  const ir::Inputs none;
  CHECK(numbers(g, none, l) == std::vector<double>{2, 0, 1, 3});
  CHECK(numbers(g, none, b.solve_lower(l, v)) == std::vector<double>{1, 2});
  CHECK(numbers(g, none, b.solve_lower(l, v, true))[1] == Approx(7.0 / 3));
  CHECK(numbers(g, none, b.solve_lower(l, v, true))[0] == Approx((2 - 7.0 / 3) / 2));
  const Value bad = b.cholesky(b.literal(ir::Element::real, {known(2), known(2)}, {1, 2, 2, 1}));
  CHECK(std::isnan(numbers(g, none, bad)[3]));
}

TEST_CASE("missing and wrong inputs are named") {
  ir::Graph g;
  g.parameters = {{"w", {Extent::runtime("D")}, {}, ""}};
  Builder b(g);
  const Value w = b.parameter(0);
  ir::Inputs in;
  in.parameters = {{1, 2}};
  CHECK_THROWS_WITH(numbers(g, in, w), Catch::Contains("D"));
  in.extents = {{"D", 3}};
  CHECK_THROWS_WITH(numbers(g, in, w), Catch::Contains("w has 2 numbers, 3 expected"));
  const Value missing = b.input("learning_rate");
  in.extents = {{"D", 2}};
  CHECK_THROWS_WITH(numbers(g, in, missing), Catch::Contains("learning_rate"));
}
