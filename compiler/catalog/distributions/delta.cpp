#include "compiler/catalog/distributions/row.hpp"

#include "compiler/catalog/ops/rows.hpp"

namespace plait::catalog {
namespace {

Parameters parameters() {
  return {{"point"}};
}

/** The node whose entries `value` repeats. */
ir::NodeId source(Value value) {
  const ir::Graph& graph = value.builder().graph();
  ir::NodeId id = value.id();
  for (;;) {
    const ir::Node& node = graph.node(id);
    const bool repeats = node.kind == ir::Kind::broadcast || node.kind == ir::Kind::expand ||
                         (node.kind == ir::Kind::map && node.op == &op::stop_gradient);
    if (!repeats)
      return id;
    id = node.operands[0];
  }
}

Value log_prob(Builder& builder, Value value, Values p) {
  const Value point = p[0];
  // A draw is its own point, whatever the rounding of the two computations.
  if (source(value) == source(point))
    return builder.zeros(
        ir::Type{ir::Element::real, ir::unite(value.type().axes, point.type().axes), value.type().shape});
  return or_impossible(equal(value, point), builder.real(0));
}

Value sample(Draws&, Values p, const Shape& shape) {
  const Value point = p[0];
  return fill(point, shape);
}

} // namespace

// All mass at `point`: log p is 0 there and minus infinity elsewhere. Pyro: Delta. A guide of such sites
// gives the maximum a posteriori estimate.
constinit const Distribution row::delta = {
    .name = "delta",
    .parameters = &parameters,
    .event_rank = 0,
    .support = Support{SupportKind::real},
    .log_prob = &log_prob,
    .sample = &sample,
    .pathwise = Pathwise::explicit_derivative,
    .point_mass = true,
};

} // namespace plait::catalog
