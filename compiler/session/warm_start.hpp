/** \file
 * A finished run as the start of a fit: `--init RUN`.
 */
#pragma once

#include "compiler/session/initial_values.hpp"

#include <optional>
#include <string>
#include <vector>

namespace plait::session {

/** Whether an argument of FitOptions::init names the folder of a run, rather than values. */
bool is_run(const std::string& argument);

/** What the numbers of a parameter stand for, in words that say whether those of another program stand for
 * the same: the support and shape of its values, and of a location of an automatic guide the latents that it
 * locates. "positive[3]", "real[2] for mu: real, s: positive". */
std::string meaning_of(const Fit::State& state, std::size_t parameter);

/** Fills what `given` leaves open from the run that FitOptions::init names: the unconstrained numbers with
 * which each parameter and weight that the run has too ended (of a run with averages, those). What a baseline
 * remembers is not taken.
 * \param[out] files the file of the run is added
 * \return nothing when no run is named
 * \throws Error(Fault::usage) for two runs, a folder that holds none, or one of which nothing has its name
 * here; Error(Fault::data) for a name that is another thing there than here, unless all its numbers are
 * given.
 */
std::optional<WarmStart> take_run(const Fit::State& state, std::vector<GivenStart>& given,
                                  std::vector<runtime::DataFile>& files);

} // namespace plait::session
