/** \file
 * Start values that the user gives to a fit, as `--init` of the command line.
 */
#pragma once

#include "compiler/session/state.hpp"

#include <vector>

namespace plait::session {

/** Given starts within one parameter array, unconstrained. */
struct GivenStart {
  std::vector<double> numbers; ///< of the whole array; empty: none is given
  std::vector<bool> given;
};

/** What FitOptions::init says about every parameter of the fit, in their order. A name is that of a declared
 * parameter or of a latent that an automatic guide gives a location; its value, in the space of the support,
 * is one number for all elements or an array over plates, loops and event dimensions. Elements behind the end
 * of ragged rows need no value.
 * \param[out] files what was read, for the manifest
 * \throws Error(Fault::usage) for an argument or a name that means nothing here; Error(Fault::data) for a
 * file that cannot be read, a wrong shape, a value outside the support: with file, place and value. */
std::vector<GivenStart> read_initial_values(const Fit::State& state, std::vector<runtime::DataFile>& files);

} // namespace plait::session
