/** \file
 * What the body of a `for` needs to know before it is walked: which earlier elements it reads (`z[t - 1]`),
 * and which finite variables that are summed out reach the next iteration.
 */
#pragma once

#include "compiler/program/program.hpp"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace plait::elbo {

struct LoopPlan {
  /** Symbols filled by the loop of which an earlier element is read, and how far back the farthest read goes.
   */
  std::map<program::SymbolId, std::int64_t> lags;
  /** Sites of this very loop (not of loops inside it) that are summed out, in the order of the text; of
   * several branches that sample one, the first. */
  std::vector<const program::Sample*> enumerated;
  /** Those of them that a later iteration reads, by `z[t - 1]` or through a carried local: a Markov chain. */
  std::vector<const program::Sample*> chain;
  /** A finite variable as an iteration finds it: its value so many steps before, 1 for the last one. */
  using Past = std::pair<program::SymbolId, std::int64_t>;
  /** Carried locals whose value at the start of an iteration depends on past values of sites of the chain. */
  std::map<program::SymbolId, std::set<Past>> feeds;
  /** How many past values of a site are read; 0 for one that no later iteration reads. */
  std::int64_t depth_of(program::SymbolId site) const;
  /** Past values farther back than this are not kept: the tables have K^longest_memory entries. */
  static constexpr std::int64_t longest_memory = 4;
  /** A carried local that depends on values farther back, as `n = n + z[t]` does. */
  std::optional<program::SymbolId> gathers;
  /** Every symbol that the body reads, whether it was set inside or outside. */
  std::set<program::SymbolId> reads;
  /** Whether a latent is sampled inside that is not summed out. */
  bool draws = false;
};

/** `sums_out` says which latents are summed out rather than drawn. */
LoopPlan plan_loop(const program::Program& program, const program::ForStatement& statement,
                   std::function<bool(const program::Sample&)> sums_out);

/** How far back a subscript reads from the index of a loop: k of `t - k`, or of `t + k` in a reverse loop; 0
 * for `t` itself. Empty for anything else. */
std::optional<std::int64_t> lag_of(const program::Loop& loop, const program::ExprPtr& subscript);

/** Where the subscript that belongs to a loop stands in an Index over a Name: its position in Name::spread.
 * Empty when the loop is not spread there. */
std::optional<std::size_t> spread_position(const program::Name& name, program::LoopId loop);

/** The direct parts of an expression. */
std::vector<program::ExprPtr> parts_of(const program::Expr& expr);

} // namespace plait::elbo
