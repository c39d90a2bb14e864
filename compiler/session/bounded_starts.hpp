/** \file
 * Starts between bounds that only the run tells, as those of `u ~ uniform(0, hi)` and of
 * `param p : real<lower=lo> = 3` with data `lo`.
 */
#pragma once

#include "compiler/session/initial_values.hpp"

#include <memory>
#include <vector>

namespace plait::session {

/** A compiled program that finds those bounds where the fit starts: what the bounds depend on is at its
 * start, latents of an automatic guide at their location. */
class BoundedStarts {
public:
  /** \throws Error(Fault::model) for bounds that have no one value: they depend on what is summed out. */
  BoundedStarts(const Fit::State& state, std::vector<BoundedStart> starts);
  ~BoundedStarts();

  /** Replaces the values in the state's parameters by what they are in unconstrained space, given the rest of
   * the start.
   * \throws Error(Fault::data) for a given value that is not between its bounds, Error(Fault::model) for one
   * of the program. */
  void unconstrain(Fit::State& state) const;

private:
  struct Program;
  std::vector<BoundedStart> starts_;
  std::unique_ptr<Program> program_;
};

} // namespace plait::session
