/** \file
 * The passes between differentiation and scheduling, in order.
 */
#pragma once

#include "compiler/tensor_ir/ir.hpp"

#include <functional>
#include <string_view>

namespace plait::passes {

struct Options {
  bool enabled = true; ///< false: the graph as it is
  /** Verify the graph after every pass. */
#ifdef NDEBUG
  bool verify = false;
#else
  bool verify = true;
#endif
  /** Called with the name of every pass and the graph after it, if set. */
  std::function<void(std::string_view pass, const ir::Graph& graph)> observe;
};

/** An equivalent graph without dead, repeated or needless work; its nodes are numbered anew in execution
 * order. Values agree up to rounding. For graphs that are not differentiated afterwards. Throws
 * std::logic_error when a pass breaks the graph (with Options::verify) or meets a malformed one. */
ir::Graph optimize(ir::Graph graph, const Options& options = {});

} // namespace plait::passes
