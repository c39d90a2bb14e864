/** \file
 * Where the parameters of a fit start.
 */
#pragma once

#include "compiler/session/bounded_starts.hpp"
#include "compiler/session/initial_values.hpp"

#include <cstdint>
#include <vector>

namespace plait::session {

/** The starts of a fit. Start number k has the given values (FitOptions::init: those of names, then those of
 * a run), the declared values, and for all else the draws of the seed with the counter k: every start is a
 * function of seed and number. */
class Starts {
public:
  /** Records in the state what was read.
   * \throws what declared_starts, read_initial_values, take_run and BoundedStarts throw. */
  explicit Starts(Fit::State& state);

  /** Writes start number `number`, counted from 0, into the parameters, and zeros into the optimizer's state.
   * \throws what BoundedStarts::unconstrain throws. */
  void put(Fit::State& state, std::uint32_t number) const;

private:
  /** The declared start of a parameter, as far as no other is given. */
  BoundedStart declared_between_bounds(const Fit::State& state, std::size_t parameter);

  std::vector<GivenStart> given_; ///< by parameter
  std::unique_ptr<BoundedStarts> bounded_;
  std::vector<std::vector<double>> declared_; ///< as declared_starts says
};

/** Puts the start into the state. With FitOptions::starts > 1 it is the one whose objective, the mean of a
 * few estimates with the same noise and rows for every start, is best.
 * \throws what Starts throws; Error(Fault::inference) when no start has a finite objective. */
void choose_start(Fit::State& state);

} // namespace plait::session
