/** \file
 * The words in which the files of this folder write a row: p the parameter, g the gradient of the loss, t the
 * time, lr the learning rate.
 */
#pragma once

#include "compiler/catalog/ops.hpp"
#include "compiler/catalog/optimizer.hpp"
#include "compiler/catalog/optimizers/rows.hpp"

#include <vector>

namespace plait::catalog {

using ir::Builder;
using ir::Value;
using Options = std::vector<Option>;

/** g + weight_decay p: the gradient of the loss plus weight_decay |p|^2 / 2. */
inline Value decayed_gradient(const OptimizerInput& input, Value gradient) {
  return gradient + input.option("weight_decay") * input.parameter;
}

/** 1 - beta^t: what a running mean that started at 0 is short of. */
inline Value bias_correction(Value beta, Value time) {
  return 1.0 - exp(time * log(beta)); // of a constant: one exponential, no logarithm
}

} // namespace plait::catalog
