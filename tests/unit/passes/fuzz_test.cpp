#include "compiler/autodiff/reverse.hpp"
#include "compiler/passes/common_subexpressions.hpp"
#include "compiler/passes/dead_code.hpp"
#include "compiler/passes/hoist.hpp"
#include "compiler/passes/passes.hpp"
#include "compiler/passes/simplify.hpp"
#include "compiler/tensor_ir/verify.hpp"
#include "tests/support/random_graph.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>

using namespace plait;

namespace {

/** A random graph with its loss and the gradient of every parameter as outputs. */
test::RandomGraph with_gradients(std::uint64_t seed) {
  test::RandomGraphOptions options;
  options.dead_code = seed % 2 == 1;
  test::RandomGraph made = test::random_graph(seed, options);
  ir::Builder builder(made.graph);
  std::vector<ir::Value> wanted;
  for (ir::NodeId parameter : made.parameters)
    wanted.push_back(builder.value(parameter));
  const auto gradients = autodiff::gradients(builder, builder.value(made.loss), wanted);
  for (std::size_t k = 0; k < gradients.size(); ++k)
    builder.output({ir::OutputKind::gradient, made.graph.parameters[k].name, gradients[k].id(),
                    static_cast<std::int32_t>(k), -1});
  return made;
}

double largest_difference(const ir::Results& a, const ir::Results& b) {
  double largest = 0;
  REQUIRE(a.outputs.size() == b.outputs.size());
  for (std::size_t k = 0; k < a.outputs.size(); ++k) {
    REQUIRE(a.outputs[k].sizes == b.outputs[k].sizes);
    for (std::size_t n = 0; n < a.outputs[k].numbers.size(); ++n) {
      const double x = a.outputs[k].numbers[n], y = b.outputs[k].numbers[n];
      const double difference = std::fabs(x - y) / std::max(1.0, std::fabs(x));
      if (!(difference <= largest))
        largest = difference;
    }
  }
  return largest;
}

std::size_t placed(const ir::Graph& graph) {
  std::size_t count = 0;
  for (const ir::Region& region : graph.regions)
    count += region.order.size();
  return count;
}

} // namespace

TEST_CASE("every pass keeps the values of random graphs and their derivatives") {
  const std::pair<const char*, ir::Graph (*)(const ir::Graph&)> passes[] = {
      {"dead code", passes::dead_code},
      {"common subexpressions", passes::common_subexpressions},
      {"simplify", [](const ir::Graph& graph) { return passes::simplify(graph); }},
      {"hoist", passes::hoist},
      {"all", [](const ir::Graph& graph) { return passes::optimize(graph); }},
  };
  for (std::uint64_t seed = 0; seed < 120; ++seed) {
    const test::RandomGraph made = with_gradients(seed);
    const ir::Results before = ir::interpret(made.graph, made.inputs);
    for (const auto& [name, pass] : passes) {
      INFO("seed " << seed << ", " << name);
      const ir::Graph after = pass(made.graph);
      const auto violations = ir::violations(after);
      for (const std::string& line : violations)
        UNSCOPED_INFO(line);
      REQUIRE(violations.empty());
      CHECK(largest_difference(before, ir::interpret(after, made.inputs)) < 1e-10);
    }
  }
}

TEST_CASE("an optimized graph has nothing left to remove or to share") {
  for (std::uint64_t seed = 200; seed < 260; ++seed) {
    INFO("seed " << seed);
    const ir::Graph graph = passes::optimize(with_gradients(seed).graph);
    CHECK(placed(passes::dead_code(graph)) == placed(graph));
    CHECK(placed(passes::common_subexpressions(graph)) == placed(graph));
  }
}
