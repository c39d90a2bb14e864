/** \file
 * Start values that the user gives to a fit, as `--init` of the command line.
 */
#pragma once

#include "compiler/session/state.hpp"

#include <optional>
#include <string>
#include <vector>

namespace plait::session {

/** Given starts within one parameter array, unconstrained. */
struct GivenStart {
  std::vector<double> numbers; ///< of the whole array; empty: none is given
  std::vector<bool> given;
};

/** The start of a latent or parameter whose support has bounds that only the run tells: as long as they are
 * not known, the values themselves are in place of the unconstrained numbers, one for each. */
struct BoundedStart {
  static constexpr std::size_t nowhere = static_cast<std::size_t>(-1); ///< of an element that does not exist
  std::string name;
  catalog::Support support;
  std::size_t parameter = 0;
  bool is_parameter = false;       ///< a declared one; else the location of a latent
  std::vector<std::int64_t> shape; ///< of the values
  std::vector<double> values;      ///< by element
  std::vector<std::size_t> at;     ///< by element: its place in the parameter
  std::string file{};              ///< where the values come from …
  std::optional<Span> span{};      ///< … or in the program
};

struct GivenStarts {
  std::vector<GivenStart> parameters; ///< in the order of the fit's
  std::vector<BoundedStart> bounded;
};

/** What FitOptions::init says about the parameters of the fit, runs aside (warm_start.hpp). A name is that of
 * a declared parameter or of a latent that an automatic guide gives a location; its value, in the space of
 * the support, is one number for all elements or an array over plates, loops and event dimensions. Elements
 * behind the end of ragged rows need no value.
 * \param[out] files what was read, for the manifest
 * \throws Error(Fault::usage) for an argument or a name that means nothing here; Error(Fault::data) for a
 * file that cannot be read, a wrong shape, a value outside the support: with file, place and value. */
GivenStarts read_initial_values(const Fit::State& state, std::vector<runtime::DataFile>& files);

} // namespace plait::session
