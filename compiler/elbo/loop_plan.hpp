/** \file
 * What the body of a `for` needs to know before it is walked: which earlier elements it reads (`z[t - 1]`),
 * and which finite variables that are summed out reach the next iteration.
 */
#pragma once

#include "compiler/program/program.hpp"

#include <map>
#include <optional>
#include <set>
#include <vector>

namespace plait::elbo {

struct LoopPlan {
  /** Symbols filled by the loop of which an earlier element is read, and how far back the farthest read goes.
   */
  std::map<program::SymbolId, std::int64_t> lags;
  /** Sites of this very loop (not of loops inside it) that are summed out, in the order of the text. */
  std::vector<const program::Sample*> enumerated;
  /** Those of them that a later iteration reads, by `z[t - 1]` or through a carried local: a Markov chain. */
  std::vector<const program::Sample*> chain;
  /** Carried locals whose new value depends on this iteration's value of sites of the chain. */
  std::map<program::SymbolId, std::set<program::SymbolId>> feeds;
  /** Every symbol that the body reads, whether it was set inside or outside. */
  std::set<program::SymbolId> reads;
  /** Whether a latent is sampled inside that is not summed out. */
  bool draws = false;
};

LoopPlan plan_loop(const program::Program& program, const program::ForStatement& statement, bool sums_out);

/** How far back a subscript reads from the index of a loop: k of `t - k`, or of `t + k` in a reverse loop; 0
 * for `t` itself. Empty for anything else. */
std::optional<std::int64_t> lag_of(const program::Loop& loop, const program::ExprPtr& subscript);

/** Where the subscript that belongs to a loop stands in an Index over a Name: its position in Name::spread.
 * Empty when the loop is not spread there. */
std::optional<std::size_t> spread_position(const program::Name& name, program::LoopId loop);

/** The direct parts of an expression. */
std::vector<program::ExprPtr> parts_of(const program::Expr& expr);

} // namespace plait::elbo
