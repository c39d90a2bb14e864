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
  double average = 0;   ///< > 0: decay of an average of the iterates, below 1
};

/** The arrays beside a parameter, shaped like it. The optimizer's come first. */
struct Slots {
  int all = 0;
  int count = -1;       ///< plate-local parameters of a subsampled plate: how often the row was updated
  int average = -1;     ///< the average of the iterates, -1 without one
  int averaged_to = -1; ///< plate-local parameters of a subsampled plate: the step up to which it goes
};

/** Appends gradient outputs (d loss / d parameter) and "elbo", and returns the graph. For tests and `verify`.
 */
void add_gradient_outputs(Elbo& elbo);

/** Appends the update of every learnable parameter. Outputs: scalar "elbo", one scalar per named part,
 * stores. Nothing is stored in a step whose objective is not finite, so that the parameters that led there
 * can be examined. Plate-local parameters of a subsampled plate count their own updates in one more slot, and
 * only the drawn rows move.
 * With StepOptions::average = d the step also averages the iterates x_1, x_2, … in unconstrained space:
 *   a_t = sum over s <= t of d^(t-s) x_s (1 - d) / (1 - d^t) = a_(t-1) + w_t (x_t - a_(t-1)).
 * The input `average_weight` is w_t = (1 - d) / (1 - d^t). A row that is not drawn stays where it is and its
 * average is not touched; when it is drawn again, in step t after step s, the steps between count first:
 *   a_(t-1) = x_s + (a_s - x_s) d^(t-1-s) (1 - d^s) / (1 - d^(t-1)),
 * the input `average_total` being 1 - d^(t-1), or 1 in the first step. */
Slots add_update(Elbo& elbo, const StepOptions& options);

} // namespace plait::elbo
