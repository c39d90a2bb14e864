#include "compiler/passes/hoist.hpp"

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
