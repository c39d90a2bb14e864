/** \file
 * An optimizer is one row written in tensor IR, so that its update fuses into the step and runs per row for
 * plate-local parameters.
 */
#pragma once

#include "compiler/catalog/option.hpp"
#include "compiler/tensor_ir/build.hpp"
#include "compiler/tensor_ir/op.hpp"

#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace plait::catalog {

struct OptimizerUpdate {
  ir::Value parameter;
  std::vector<ir::Value> slots;
};

/** What the update sees. The gradient is of the loss, -ELBO (optimizers descend). `time` counts this
 * element's own updates from 1: for plate-local parameters the row's own count (lazy update), for others the
 * step. */
struct OptimizerInput {
  ir::Value parameter;
  ir::Value gradient;
  std::vector<ir::Value> slots;
  ir::Value time;                                           ///< real
  ir::Value learning_rate;                                  ///< real scalar, already decayed
  std::function<ir::Value(std::string_view option)> option; ///< a named option as a real scalar
};

struct Optimizer {
  std::string_view name;
  ir::Required<std::vector<Option> (*)()> options;
  ir::Required<int> slots; ///< state arrays shaped like the parameter, starting at 0
  ir::Required<OptimizerUpdate (*)(ir::Builder&, const OptimizerInput&)> update;
};

std::span<const Optimizer* const> optimizers();
const Optimizer* find_optimizer(std::string_view name);

} // namespace plait::catalog
