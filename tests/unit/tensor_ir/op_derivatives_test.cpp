#include "compiler/catalog/ops.hpp"
#include "compiler/catalog/ops/rows.hpp"
#include "runtime/jit_functions.hpp"
#include "tests/support/gradient_check.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <set>

using namespace plait;

namespace {

constexpr std::size_t points = 7;

/** Ops whose value is piecewise constant, or held constant on purpose. */
const std::set<const ir::Op*> without_derivative{&op::sign, &op::floor, &op::ceil, &op::round,
                                                 &op::stop_gradient};
/** Written by derivatives alone; their own is refused. */
const std::set<const ir::Op*> refusing{&op::tetragamma, &op::log_gamma_sample_derivative};

struct Application {
  ir::Graph graph;
  ir::Inputs inputs;
  ir::NodeId loss = ir::no_node;
  std::vector<ir::NodeId> parameters;
};

/** loss = sum of weights * op(parameters), the parameters drawn from the op's own range. */
Application apply(const ir::Op& op) {
  Application result;
  ir::Builder b(result.graph);
  std::mt19937_64 generator(7);
  const ir::SampleRange range = op.samples.get();
  std::uniform_real_distribution<double> draw(range.low, range.high);
  std::vector<ir::Value> in;
  for (int k = 0; k < op.arity.get(); ++k) {
    if (op.result.get() == ir::ResultRule::select && k == 0) {
      in.push_back(b.literal(ir::Element::boolean, {ir::Extent::known(points)}, {1, 0, 0, 1, 1, 0, 1}));
      continue;
    }
    result.graph.parameters.push_back({"p" + std::to_string(k), {ir::Extent::known(points)}, {}, ""});
    std::vector<double> numbers(points);
    for (double& x : numbers)
      x = draw(generator);
    result.inputs.parameters.push_back(numbers);
    in.push_back(b.parameter(static_cast<std::int32_t>(result.graph.parameters.size()) - 1));
    result.parameters.push_back(in.back().id());
  }
  const ir::Value weights =
      b.literal(ir::Element::real, {ir::Extent::known(points)}, {1, -2, 0.5, 3, -1, 0.25, 2});
  result.loss = b.sum_event(weights * b.map(op, in)).id();
  return result;
}

} // namespace

TEST_CASE("every op row has the derivative of its value") {
  for (const ir::Op* op : catalog::ops()) {
    INFO(op->name);
    const bool gives_real =
        op->result.get() == ir::ResultRule::real || op->result.get() == ir::ResultRule::select;
    if (op->derivative.get() == ir::not_differentiable) {
      CHECK((!gives_real || op->result.get() == ir::ResultRule::to_real || without_derivative.contains(op)));
      continue;
    }
    REQUIRE(gives_real);
    if (op == &op::log_gamma_draw)
      continue; // below
    Application made = apply(*op);
    if (refusing.contains(op)) {
      ir::Builder b(made.graph);
      const std::vector<ir::Value> wanted{b.value(made.parameters[0])};
      CHECK_THROWS_AS(autodiff::gradients(b, b.value(made.loss), wanted), std::logic_error);
      continue;
    }
    const auto found = test::gradient_disagreements(made.graph, made.loss, made.parameters, made.inputs);
    for (const std::string& line : found)
      UNSCOPED_INFO(line);
    CHECK(found.empty());
  }
}

TEST_CASE("stop_gradient and rounding stop derivatives") {
  for (const ir::Op* op : without_derivative) {
    INFO(op->name);
    Application made = apply(*op);
    ir::Builder b(made.graph);
    const std::vector<ir::Value> wanted{b.value(made.parameters[0])};
    const auto gradient = autodiff::gradients(b, b.value(made.loss), wanted)[0];
    CHECK(ir::interpret(made.graph, made.inputs, {gradient.id()})[0].numbers ==
          std::vector<double>(points, 0.0));
  }
}

TEST_CASE("a gamma draw moves with its shape so that its distribution function stays the same") {
  // F(alpha, x(alpha)) constant: d log x / d alpha = -(dF / d alpha) / (x f(alpha, x)), f the density.
  ir::Graph graph;
  graph.parameters = {{"alpha", {}, {}, ""}};
  ir::Builder b(graph);
  const ir::Value alpha = b.parameter(0);
  const ir::Value log_x =
      ir::attach_log_gamma_derivative(alpha, b.random(ir::RandomKind::log_gamma, "g", b.integer(4),
                                                      b.integer(2), {}, std::vector<ir::Value>{alpha}));
  const ir::Value gradient = autodiff::gradients(b, log_x, std::vector<ir::Value>{alpha})[0];
  for (double a : {0.3, 1.0, 4.5}) {
    ir::Inputs inputs;
    inputs.parameters = {{a}};
    inputs.seed = 99;
    const auto values = ir::interpret(graph, inputs, {log_x.id(), gradient.id()});
    const double x = std::exp(values[0].numbers[0]), h = 1e-5;
    const double df = (plait_gamma_p(a + h, x) - plait_gamma_p(a - h, x)) / (2 * h);
    const double log_density = (a - 1) * std::log(x) - x - std::lgamma(a);
    CHECK(values[1].numbers[0] == Approx(-df / (x * std::exp(log_density))).epsilon(1e-5));
  }
}
