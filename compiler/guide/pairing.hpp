#pragma once

#include "compiler/plates/sites.hpp"
#include "grammar/diagnostic.hpp"

#include <optional>
#include <string>
#include <vector>

namespace plait::guide {

/// A site of the model with what the guide says about it.
struct Pair {
  plates::Site model;
  std::optional<plates::Site> guide; ///< empty: observed, summed out, or left to an automatic guide
  plates::Estimator estimator = plates::Estimator::observed;
};

struct Pairing {
  std::vector<Pair> pairs; ///< model sites in order of the text
};

/// Pairs the latents of the model with the sites of the guide: each exactly once on both sides, with the same
/// shape, under the same plates and loops, and with the guide's support inside the model's. Chooses the
/// estimator of each latent, and writes it into the `strategy` of the sample that draws it: the guide's, or
/// the model's where the guide has none (`enumerate`, or `pathwise` for an automatic guide). A model's sample
/// that the guide draws stays `automatic`. Errors go to `diagnostics`; the result is empty exactly when there
/// is one.
std::optional<Pairing> pair(program::Program& program, Diagnostics& diagnostics);

} // namespace plait::guide
