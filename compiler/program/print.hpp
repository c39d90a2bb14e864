#pragma once

#include "compiler/program/program.hpp"

#include <string>

namespace plait::program {

/// The typed program as `plait emit --stage types` prints it: sizes, data, parameters, plates, layers, then
/// each block with the type of everything it sets and, after `#`, the plates it varies over.
std::string print(const Program& program);

} // namespace plait::program
