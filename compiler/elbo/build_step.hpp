/** \file
 * Stage: objective → one training step in tensor IR: gradients of the loss and the optimizer's update of
 * every parameter.
 */
#pragma once

#include "compiler/catalog/optimizer.hpp"
#include "compiler/elbo/build_elbo.hpp"

namespace plait::elbo {

struct StepOptions {
  std::string optimizer = "adam";
  std::map<std::string, double> optimizer_options;
  double clip_norm = 0; ///< > 0: gradients are scaled down to this global norm
};

/** Appends gradient outputs (d loss / d parameter) and "elbo", and returns the graph. For tests and `verify`.
 */
void add_gradient_outputs(Elbo& elbo);

/** Appends the update of every learnable parameter. Outputs: scalar "elbo", one scalar per named part,
 * stores. Nothing is stored in a step whose objective is not finite, so that the parameters that led there
 * can be examined. Plate-local parameters of a subsampled plate count their own updates in one more slot, and
 * only the drawn rows move. Returns the number of slots per parameter. */
int add_update(Elbo& elbo, const StepOptions& options);

} // namespace plait::elbo
