#pragma once

#include "compiler/guide/pairing.hpp"

#include <map>
#include <string>

namespace plait::guide {

/// The site table that `plait check` and `plait emit --stage sites` print: one aligned row per model site
/// with its plates, scale, shape, support, distribution, guide distribution and estimator; and the condition
/// on data around it, when some site has one. `estimates`: what the objective makes of a statement that draws
/// a site, where it is known.
std::string print_sites(const program::Program& program, const Pairing& pairing,
                        const std::map<program::SampleId, std::string>& estimates = {});

} // namespace plait::guide
