/** \file
 * Start values that the program declares: `param a : positive = 15`.
 */
#pragma once

#include "compiler/session/state.hpp"

#include <vector>

namespace plait::session {

/** Of every parameter of the fit, in their order, unconstrained: the whole array, one element that all are
 * like, or nothing where none is declared. Elements behind the end of ragged rows are 0. Where the run alone
 * tells the bounds of the support, the values themselves stand there, and NaN for elements that do not exist.
 * \throws Error(Fault::model) when a start lies outside its support, or cannot be compiled. */
std::vector<std::vector<double>> declared_starts(const Fit::State& state);

} // namespace plait::session
