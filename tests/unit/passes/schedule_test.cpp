#include "compiler/passes/schedule.hpp"

#include "compiler/catalog/ops.hpp"
#include "compiler/tensor_ir/build.hpp"

#include <catch2/catch.hpp>

using namespace plait;
using namespace plait::ir;
using namespace plait::passes;

namespace {

struct Plate {
  Graph graph;
  Builder b{graph};
  Plate() {
    const Extent rows = Extent::runtime("N");
    graph.axes = {{"i", AxisKind::plate, rows, rows, false, -1}};
    graph.parameters = {{"w", {Extent::known(32), Extent::known(32)}, {}, "net"}, {"a", {}, {}, "model"}};
    graph.data = {{"x", Element::real, {rows, Extent::known(32)}, false}};
  }
  Value rows() { return b.gather(b.data(0), b.plate_row(0)); }
  void finish(Value value) { b.output({OutputKind::scalar, "loss", value.id(), -1, -1}); }
};

const Phase* phase_over(const Schedule& made, AxisId home) {
  const Phase* found = nullptr;
  for (const Phase& phase : made.phases)
    if (phase.home == home) {
      CHECK(found == nullptr);
      found = &phase;
    }
  return found;
}

} // namespace

TEST_CASE("one pass over a plate does what does not wait for its sums") {
  Plate p;
  const Value x = p.rows();
  const Value scale = exp(p.b.parameter(1));
  p.finish(p.b.sum(p.b.sum_event(tanh(scale * x)), {0}) + p.b.sum(p.b.sum_event(square(x)), {0}));
  const Schedule made = schedule(p.graph, {});
  const Phase* phase = phase_over(made, 0);
  REQUIRE(phase);
  CHECK(phase->segments == 1);
}

TEST_CASE("a value that needs a finished sum is computed in a second pass") {
  Plate p;
  const Value x = p.b.sum_event(p.rows());
  const Value total = p.b.sum(exp(x), {0});
  p.finish(p.b.sum(sin(x / total), {0}));
  const Schedule made = schedule(p.graph, {});
  int passes_over = 0;
  for (const Phase& phase : made.phases)
    passes_over += phase.home == 0;
  CHECK(passes_over == 2);
}

TEST_CASE("a wide layer is a matrix product between two passes over the tile") {
  Plate p;
  p.finish(p.b.sum(p.b.sum_event(tanh(p.b.matmul(p.b.parameter(0), p.rows()))), {0}));
  const Schedule made = schedule(p.graph, {});
  const Phase* phase = phase_over(made, 0);
  REQUIRE(phase);
  CHECK(phase->segments == 2);
  int products = 0;
  for (const Statement& statement : phase->statements)
    products += statement.kind == StatementKind::product;
  CHECK(products == 1);
  CHECK(print(p.graph, made).find("product") != std::string::npos);
}

TEST_CASE("the workspace grows with the rows only where whole arrays are kept") {
  Plate p;
  const Value x = p.b.sum_event(p.rows());
  const Value total = p.b.sum(exp(x), {0});
  p.finish(p.b.sum(sin(exp(x) / total), {0}));
  const Schedule kept = schedule(p.graph, {});
  REQUIRE(kept.extents == std::vector<std::string>{"N"});
  CHECK(workspace_bytes(p.graph, kept, {100000}) - workspace_bytes(p.graph, kept, {0}) >= 100000 * 4);
  Plate q;
  q.finish(q.b.sum(q.b.sum_event(tanh(q.rows())), {0}));
  const Schedule streamed = schedule(q.graph, {});
  CHECK(workspace_bytes(q.graph, streamed, {100000}) == workspace_bytes(q.graph, streamed, {0}));
}
