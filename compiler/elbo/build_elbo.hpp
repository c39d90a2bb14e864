/** \file
 * Stage: typed program → objective in tensor IR. Guide sites give values, model sites read them; every
 * density term carries its plates and one scale rule weighs it. See docs/estimators.md for the mathematics.
 */
#pragma once

#include "compiler/elbo/objective.hpp"
#include "compiler/guide/parameters.hpp"
#include "grammar/diagnostic.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace plait::elbo {

struct ElboOptions {
  std::string objective = "elbo";
  std::map<std::string, double> objective_options;
  int particles = 1;
  bool subsample = true;          ///< false: every plate at its full size, for evaluation and draws
  bool keep_runtime_sizes = true; ///< sizes of plates stay run-time extents even when known
  bool running_averages = true;   ///< false: baselines keep no state, for data that the run was not fitted to
  bool anneal = false;            ///< latent terms of the loss are multiplied by the input "kl_weight"
};

/** How the gradient of a statement that draws a latent is estimated where the objective decides it, for
 * `plait check`. */
struct SiteEstimate {
  program::SampleId sample = -1;
  std::string estimator;
};

/** Which losses of an objective a parameter follows: see ObjectiveValue. */
enum class Follows : std::uint8_t { loss, guide_loss, guide_and_direct_loss };

/** The objective, appended to `graph`. */
struct Elbo {
  std::unique_ptr<ir::Graph> graph;
  std::unique_ptr<ir::Builder> builder;
  std::unique_ptr<guide::Parameters> parameters;
  ObjectiveValue objective;
  std::vector<SiteEstimate> estimates;
  /** By parameter, which losses it follows; empty: all follow `loss`. */
  std::vector<Follows> follows;
  std::vector<ir::NodeId> draws;            ///< of the latents, inside their loops and outside
  std::map<std::string, ir::Value> latents; ///< top-level latents: value with its plates as axes, by site
};

/** Builds the objective. What a correct program asks for that no estimator covers is reported with its place;
 * the result is then empty. */
std::optional<Elbo> build_elbo(const program::Program& program, const ElboOptions& options,
                               Diagnostics& diagnostics);

} // namespace plait::elbo
