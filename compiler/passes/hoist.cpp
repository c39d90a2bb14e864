#include "compiler/passes/hoist.hpp"

#include "compiler/catalog/ops.hpp"
#include "compiler/catalog/ops/rows.hpp"
#include "compiler/passes/rewrite.hpp"

namespace plait::passes {

using ir::Node;
using ir::RegionId;
using ir::Value;

namespace {

class Hoist : public Rewriter {
public:
  using Rewriter::Rewriter;

protected:
  Value visit(Node node) override {
    // The operands lie in enclosing regions, one inside the other: the innermost of them is where the node
    // belongs.
    RegionId target = ir::root_region;
    for (ir::NodeId operand : node.operands)
      if (const RegionId region = graph().node(operand).region; depth(region) > depth(target))
        target = region;
    const RegionId here = builder().current_region();
    builder().set_current_region(target);
    const Value made = builder().append(std::move(node));
    builder().set_current_region(here);
    return made;
  }

  // The sum over iterations of c x_t is c times the sum of x_t. What is left in the loop is then a product
  // over rows where x_t is one, which many iterations share.
  Factored factored(Value accumulated, RegionId body) override {
    Factored result{accumulated, std::nullopt};
    while (node(result.added_up).kind == ir::Kind::map && node(result.added_up).op == &op::multiply) {
      const Value left = operand(result.added_up, 0), right = operand(result.added_up, 1);
      const bool left_stays = is_inside(left, body);
      if (left_stays == is_inside(right, body))
        break;
      const Value outside = left_stays ? right : left;
      const RegionId here = builder().current_region();
      builder().set_current_region(graph().regions[static_cast<std::size_t>(body)].parent);
      result.factor = result.factor ? *result.factor * outside : outside;
      builder().set_current_region(here);
      result.added_up = left_stays ? left : right;
    }
    return result;
  }

private:
  int depth(RegionId region) const {
    int result = 0;
    for (; region != ir::root_region; region = graph().regions[static_cast<std::size_t>(region)].parent)
      ++result;
    return result;
  }
};

} // namespace

ir::Graph hoist(const ir::Graph& graph) {
  return Hoist(graph).run();
}

} // namespace plait::passes
