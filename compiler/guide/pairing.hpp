#pragma once

#include "compiler/plates/sites.hpp"
#include "grammar/diagnostic.hpp"

#include <optional>
#include <string>
#include <vector>

namespace plait::guide {

/// One statement of the model that observes, or a latent with all statements that sample it: several when
/// branches of an `if` do.
struct Pair {
  std::vector<plates::Site> model; ///< at least one
  std::vector<plates::Site> guide; ///< none: observed, summed out, or left to an automatic guide
  /// Of each statement that draws or sums out: those of the guide, or of the model where the guide has none.
  std::vector<plates::Estimator> estimators;

  const plates::Site& site() const { return model.front(); }
  bool sums_out() const { return estimators.front() == plates::Estimator::enumerate; }
};

struct Pairing {
  std::vector<Pair> pairs; ///< in order of the model's text
};

/// Pairs the latents of the model with the sites of the guide: each on both sides, under the same conditions,
/// with the same shape, under the same plates and loops, and with the guide's support inside the model's.
/// Chooses the estimator of each latent, and writes it into the `strategy` of the samples that draw it: the
/// guide's, or the model's where the guide has none (`enumerate`, or `pathwise` for an automatic guide). A
/// model's sample that the guide draws stays `automatic`. Errors go to `diagnostics`; the result is empty
/// exactly when there is one.
std::optional<Pairing> pair(program::Program& program, Diagnostics& diagnostics);

} // namespace plait::guide
