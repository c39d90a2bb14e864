/** \file
 * Rebuilds a graph node by node: what all passes have in common. A pass derives from Rewriter and says what
 * becomes of a node; regions, loops, outputs and everything declared beside the nodes are carried over here.
 */
#pragma once

#include "compiler/tensor_ir/build.hpp"

#include <map>
#include <optional>
#include <tuple>
#include <vector>

namespace plait::passes {

class Rewriter {
public:
  explicit Rewriter(const ir::Graph& source);
  virtual ~Rewriter() = default;
  Rewriter(const Rewriter&) = delete;
  Rewriter& operator=(const Rewriter&) = delete;

  /** The new graph. To be called once. */
  ir::Graph run();

protected:
  /** What takes the place of a node other than loops and their parts. `node` is a copy whose operands are ids
   * of the new graph; the result must have the old type. Default: the same node. */
  virtual ir::Value visit(ir::Node node);

  /** False: the node (of the old graph) is left out. Nothing kept may use it. */
  virtual bool is_wanted(ir::NodeId old) const;

  enum class Carried {
    keep,
    drop,      ///< neither argument nor result are used
    stays_init ///< argument and result are the init
  };
  virtual Carried carried(ir::NodeId old_loop, std::size_t number) const;
  /** Whether a stacked or accumulated result is kept. */
  virtual bool keeps_result(ir::NodeId old_loop, ir::LoopResult result, std::size_t number) const;
  /** A stacked or accumulated result computed without the loop, from a value defined outside of its body. */
  virtual std::optional<ir::Value> result_of_invariant(ir::LoopResult result, ir::Value value,
                                                       const ir::Extent& trip_count);
  /** An accumulated value of a body, written as a product. */
  struct Factored {
    ir::Value added_up;
    std::optional<ir::Value> factor; ///< defined outside of the body
  };
  virtual Factored factored(ir::Value accumulated, ir::RegionId body);
  virtual void enter_body() {}
  virtual void leave_body() {}

  ir::Builder& builder() { return builder_; }
  const ir::Graph& source() const { return source_; }
  const ir::Graph& graph() const { return result_; }
  const ir::Node& node(ir::Value value) const { return result_.node(value.id()); }
  ir::Value operand(ir::Value value, std::size_t number) {
    return builder_.value(result_.node(value.id()).operands[number]);
  }
  bool is_inside(ir::Value value, ir::RegionId body) const;
  /** Where the old node went. */
  ir::Value mapped(ir::NodeId old) const;

private:
  void region(ir::RegionId id);
  void loop(ir::NodeId id);

  const ir::Graph& source_;
  ir::Graph result_;
  ir::Builder builder_;
  std::vector<ir::Value> map_;
  std::map<std::tuple<ir::NodeId, ir::LoopResult, std::size_t>, ir::Value> loop_results_;
};

} // namespace plait::passes
