/** \file
 * Finite variables of a `for` that are summed out, and the axes that stand for their values.
 */
#pragma once

#include "compiler/elbo/loop_plan.hpp"
#include "compiler/tensor_ir/build.hpp"

#include <optional>
#include <string>
#include <vector>

namespace plait::elbo {

/** The finite variables of one loop whose values reach its later iterations. Their values in this iteration
 * and in the ones before are axes; a table over the values of the iterations before is carried. */
struct Chain {
  /** The value that a site had `lag` steps before, 1 for the last step. */
  struct Past {
    std::size_t site = 0;
    std::int64_t lag = 1;
    ir::AxisId axis = -1;
  };
  std::vector<program::SymbolId> sites; ///< -1: sampled in the guide's loop, but not in this one
  std::vector<std::string> names;
  std::vector<ir::Extent> sizes;      ///< number of values of each site
  std::vector<ir::AxisId> current;    ///< axis of its value in this iteration
  std::vector<Past> past;             ///< dimensions of carried tables, in this order
  std::vector<ir::AxisId> plates;     ///< of all sites
  std::optional<ir::Value> condition; ///< under which the sites exist in an iteration
  std::vector<ir::Value> entered;     ///< carried locals at the start of the body, by carried number
  Span span;
  /** Enumerated in the guide: terms are replaced by their expectation. Otherwise the model's terms are summed
   * by the forward algorithm. */
  bool in_guide = false;
  std::vector<std::size_t> sources; ///< in the model: chains of the guide that give the weights

  explicit operator bool() const { return !sites.empty(); }
  /** Whether the loop carries the weight of every past; not when the guide has left them for each iteration.
   */
  bool carries_weights() const { return !past.empty() && sources.empty(); }
  std::size_t position(program::SymbolId site) const;
  bool holds(program::SymbolId site) const { return position(site) < sites.size(); }
  /** The axis of a site's value `lag` steps before; 0 for this iteration. */
  ir::AxisId axis_of(std::size_t site, std::int64_t lag) const;
  /** What the past of the next iteration is in this one. */
  ir::AxisId axis_before(const Past& entry) const { return axis_of(entry.site, entry.lag - 1); }
  /** Whether the past is one of those in `sites`. */
  bool feeds(const std::set<LoopPlan::Past>& values, const Past& entry) const {
    return values.contains({sites[entry.site], entry.lag});
  }
  std::vector<ir::AxisId> past_axes() const;
  std::vector<ir::AxisId> axes() const; ///< of the past, then of this iteration
  void add_site(program::SymbolId site, const std::string& name, ir::Extent size);
};

/** What a loop of the guide leaves: log q of each combination of values, by iteration: [T, past…, current…].
 */
struct GuideChain {
  Chain chain;
  ir::Value log_weights;
  bool reverse = false;
};

bool mentions(ir::Value value, const std::vector<ir::AxisId>& axes);
/** A table [K1, K2, …] at the positions of the axes. */
ir::Value at_axes(ir::Value table, const std::vector<ir::AxisId>& axes);
/** The axes as leading dimensions, in their order. */
ir::Value to_table(ir::Value value, const std::vector<ir::AxisId>& axes);

} // namespace plait::elbo
