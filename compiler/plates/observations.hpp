#pragma once

#include "compiler/plates/sites.hpp"
#include "grammar/diagnostic.hpp"

namespace plait::plates {

/// An error for each pair of statements that observe the same element of the data, and for each statement
/// that observes it anew in every iteration of a `for`: the joint density would count it twice. Only what is
/// certain from the text is an error: subscripts that are plate indices, loop indices, slices and numbers,
/// and conditions of which one holds whenever the other does.
void check_observations(const program::Program& program, const std::vector<Site>& model,
                        Diagnostics& diagnostics);

} // namespace plait::plates
