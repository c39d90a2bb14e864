/** \file
 * The Gaussian that stands for the posterior after a fit of auto(laplace).
 */
#pragma once

#include "compiler/session/state.hpp"
#include "compiler/tensor_ir/dense_matrix.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace plait::session {

/** N(mode, H^-1) over the unconstrained latents outside subsampled plates. H is the Hessian of the negative
 * log joint at the fitted point. */
struct LaplacePosterior {
  struct Piece {
    std::string parameter;
    std::size_t start = 0, size = 0; ///< in the joint vector
  };
  std::int64_t step = 0; ///< of the fit that it belongs to
  std::vector<Piece> pieces;
  ir::Matrix mode;   ///< [n, 1]: the fitted point after one Newton step, if that step goes up
  ir::Matrix factor; ///< lower Cholesky factor of H
};

/** Parameters of a fit as a graph of its program reads them for posterior draws: the fit's own arrays, or,
 * after a fit of auto(laplace), copies whose points move from draw to draw. */
class PosteriorParameters {
public:
  /** `at_points`: the fit's own arrays in any case.
   * \throws Error(Fault::data) as match_parameters does; Error(Fault::inference) when the Hessian of
   * auto(laplace) is not positive definite: the fit has not reached a mode, or there is none. */
  PosteriorParameters(const Fit::State& state, const BoundProgram& bound, const ir::Graph& graph,
                      bool at_points);

  const std::vector<void*>& pointers() const { return pointers_; } ///< one for each parameter of the graph
  /** Puts draw number `draw` into the arrays: a function of the fit's seed and that number. */
  void move_to(std::int64_t draw);

private:
  struct Moving {
    const LaplacePosterior::Piece* piece;
    Buffer values;
  };
  std::shared_ptr<const LaplacePosterior> laplace_;
  std::vector<void*> pointers_;
  std::vector<Moving> moving_;
  std::uint64_t seed_;
  bool single_precision_;
};

} // namespace plait::session
