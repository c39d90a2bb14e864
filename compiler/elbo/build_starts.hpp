/** \file
 * Stage: typed program → the start values of its parameters in tensor IR, where data or a plate's index
 * decide them: `iarange i in N { param loc : real = x[i] / 2; … }`.
 */
#pragma once

#include "compiler/elbo/build_elbo.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace plait::elbo {

/** Whether an expression reads more than constants and sizes, which evaluate_constant knows. */
bool needs_data(const program::Program& program, const program::ExprPtr& expression);

struct ParameterStarts {
  /** Real, with the axes of the parameter's plates and its declared shape. */
  struct Start {
    ir::Value value;
    std::optional<ir::Value> exists; ///< 1 or 0, on the same axes; empty: every element exists
  };
  std::unique_ptr<ir::Graph> graph;
  std::unique_ptr<ir::Builder> builder;
  std::map<std::string, Start> starts; ///< by parameter; those of which needs_data is true
};

/** Walks guide and model, as starts may read what is assigned before them. What cannot be compiled is
 * reported; the result is then empty. */
std::optional<ParameterStarts> build_starts(const program::Program& program, const ElboOptions& options,
                                            Diagnostics& diagnostics);

} // namespace plait::elbo
