/** \file
 * Values of expressions that depend on nothing but constants and sizes, such as the start of a `param`.
 */
#pragma once

#include "compiler/program/program.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace plait::elbo {

/** Row-major numbers of the expression, by building its tensor IR and interpreting it.
 * \throws std::invalid_argument when it depends on data, latents or plates. */
std::vector<double> evaluate_constant(const program::Program& program, const program::ExprPtr& expression,
                                      const std::map<std::string, std::int64_t>& sizes);

} // namespace plait::elbo
