/** \file
 * Which values depend on a draw, computed on the tensor IR. Two terms in the same plate as the draw are told
 * apart by index: a term at element i depends on the draw at element i alone, unless the way from one to the
 * other leaves the plate (a reduction over it, or its values seen from outside as an array); then the plate
 * is *crossed*.
 *
 * Iterations of loops are told apart in the same way. For a draw in iteration t of an outermost loop, a value
 * of iteration s of a loop of the same length depends on it in the iterations that `Iterations` names: it may
 * read element s of the array of draws, or have it carried to it from iterations before.
 */
#pragma once

#include "compiler/tensor_ir/ir.hpp"

#include <optional>
#include <vector>

namespace plait::elbo {

/** Iterations s of a loop, seen from iteration t; by index, whatever the direction of the loop. */
struct Iterations {
  bool same = false, later = false, earlier = false;
  static Iterations all() { return {true, true, true}; }
  bool operator==(const Iterations&) const = default;
};

class Dependence {
public:
  Dependence(const ir::Graph& graph, ir::NodeId source)
      : Dependence(graph, std::vector<ir::NodeId>{source}, {}) {}
  /** What depends on any of `sources` along ways that do not pass through `barriers`. */
  Dependence(const ir::Graph& graph, const std::vector<ir::NodeId>& sources,
             const std::vector<ir::NodeId>& barriers);

  bool reaches(ir::NodeId node) const { return state_[static_cast<std::size_t>(node)].has_value(); }
  /** Axes of the source that some way to `node` crosses; ascending. */
  const std::vector<ir::AxisId>& crossed(ir::NodeId node) const {
    return state_[static_cast<std::size_t>(node)]->crossed;
  }
  /** Of a value inside a loop: the iterations in which it depends on the source. Of an array outside: the
   * elements of its first dimension that do. */
  Iterations iterations(ir::NodeId node) const { return state_[static_cast<std::size_t>(node)]->iterations; }

private:
  struct State {
    std::vector<ir::AxisId> crossed;
    Iterations iterations;
    bool operator==(const State&) const = default;
  };
  static void join(std::optional<State>& state, const State& other);
  /** The outermost loop around a node; no_node outside of loops. */
  ir::NodeId outer_loop(ir::NodeId node) const;
  /** Whether iterations of that outermost loop are those of the source's loop. */
  bool parallel(ir::NodeId loop) const;
  Iterations read(ir::NodeId reader, std::size_t operand) const;

  const ir::Graph& graph_;
  ir::NodeId source_loop_ = ir::no_node;
  std::vector<std::optional<State>> state_;
};

} // namespace plait::elbo
