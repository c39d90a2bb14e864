#include "tests/support/gradient_check.hpp"
#include "tests/support/random_graph.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace plait;

TEST_CASE("random graphs are well formed, and their derivatives agree with finite differences") {
  std::set<ir::Kind> met;
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    const test::RandomGraph made = test::random_graph(seed);
    INFO("seed " << seed);
    CHECK(ir::violations(made.graph) == std::vector<std::string>{});
    const auto found = test::gradient_disagreements(made.graph, made.loss, made.parameters, made.inputs);
    for (const std::string& line : found)
      UNSCOPED_INFO(line);
    CHECK(found.empty());
    for (const ir::Region& region : made.graph.regions)
      for (ir::NodeId id : region.order)
        met.insert(made.graph.node(id).kind);
  }
  // A generator that stops making a kind would test nothing of it.
  for (int kind = 0; kind <= static_cast<int>(ir::Kind::solve_lower); ++kind) {
    const auto k = static_cast<ir::Kind>(kind);
    if (k != ir::Kind::slot && k != ir::Kind::extent && k != ir::Kind::cholesky_grad) {
      CAPTURE(kind);
      CHECK(met.contains(k));
    }
  }
}
