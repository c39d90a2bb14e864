#pragma once

#include "compiler/guide/pairing.hpp"

#include <string>

namespace plait::guide {

/// The site table that `plait check` and `plait emit --stage sites` print: one aligned row per model site
/// with its plates, scale, shape, support, distribution, guide distribution and estimator; and the condition
/// on data around it, when some site has one.
std::string print_sites(const program::Program& program, const Pairing& pairing);

} // namespace plait::guide
