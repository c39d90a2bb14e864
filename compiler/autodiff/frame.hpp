/** \file
 * Where a region is differentiated: how its forward values are read there, and the adjoints gathered so far.
 */
#pragma once

#include "compiler/tensor_ir/build.hpp"

#include <map>
#include <utility>
#include <vector>

namespace plait::autodiff {

/** Contributions to the adjoint of one node. Those `at_index` of a loop are, in each iteration, the adjoint
 * of one row: the row of that iteration. */
struct Pending {
  std::vector<ir::Value> plain;
  std::map<ir::NodeId, std::vector<ir::Value>> at_index; ///< by forward loop
};

/** A region and the region its derivative goes to: the same for the outermost frame; for a loop, the body and
 * the body of the reverse loop. */
struct Frame {
  Frame* parent = nullptr;
  ir::RegionId forward = ir::root_region;
  ir::RegionId reverse = ir::root_region;
  ir::NodeId forward_loop = ir::no_node;
  ir::Value reverse_index;
  std::map<ir::NodeId, ir::Value> forward_values; ///< those already read
  std::map<ir::NodeId, Pending> pending;
  std::map<std::size_t, ir::Value> argument_adjoints; ///< by number of the carried value
};

/** Reads forward values where the derivative is computed. */
class ForwardValues {
public:
  explicit ForwardValues(ir::Builder& builder) : builder_(builder) {}

  /** The value of forward node `id`, in the frame's reverse region. In the reverse body of a loop a value of
   * the forward body is computed again if that is cheap, else the forward loop keeps it for every iteration.
   */
  ir::Value read(Frame& frame, ir::NodeId id);

private:
  ir::Value recompute(Frame& frame, ir::NodeId id);
  ir::Value load(Frame& frame, ir::NodeId id);
  /** The forward loop's stacked result that keeps body value `id`; appended if there is none yet. */
  ir::NodeId stacked_result(ir::NodeId loop, ir::NodeId id);
  /** The node that must be kept for `id` to be available: no_node when it can be recomputed from outer values
   * alone, `id` itself when it cannot be had more cheaply, else the one node from which it is cheaply
   * recomputed. */
  ir::NodeId root(const Frame& frame, ir::NodeId id);

  ir::Builder& builder_;
  std::map<std::pair<ir::NodeId, ir::NodeId>, ir::NodeId> stacked_results_;
  std::map<ir::NodeId, ir::NodeId> roots_;
};

/** Makes another region the builder's current one for a while. */
class InRegion {
public:
  InRegion(ir::Builder& builder, ir::RegionId region) : builder_(builder), before_(builder.current_region()) {
    builder.set_current_region(region);
  }
  ~InRegion() { builder_.set_current_region(before_); }
  InRegion(const InRegion&) = delete;
  InRegion& operator=(const InRegion&) = delete;

private:
  ir::Builder& builder_;
  ir::RegionId before_;
};

} // namespace plait::autodiff
