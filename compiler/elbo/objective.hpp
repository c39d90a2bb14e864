/** \file
 * An objective is one row: what is reported, and the loss whose gradient the optimizer follows.
 */
#pragma once

#include "compiler/catalog/option.hpp"
#include "compiler/elbo/combine.hpp"

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string_view>

namespace plait::elbo {

struct ObjectiveContext {
  ir::Builder* builder = nullptr;
  Executor* walk = nullptr;
  const std::vector<Contribution>* contributions = nullptr; ///< signed; their scaled sum is the ELBO
  std::optional<ir::AxisId> particles;
  std::map<std::string, double> options;
  guide::Parameters* parameters = nullptr; ///< where baselines keep their state
  /** The same values, the density log q of what the guide draws without any derivative. */
  std::function<std::vector<Contribution>()> undrawn;
  bool running_averages = true; ///< false: baselines remember nothing from step to step
  /** The guide's log densities of latents that the model has drawn, given data that it has drawn with them.
   * \throws Unsupported when the model cannot be simulated. */
  std::function<std::vector<Contribution>()> dream;
};

/** State that the step writes itself, beside the optimizer: a parameter that is not learnable. */
struct StateUpdate {
  std::int32_t parameter = -1;
  ir::Value before; ///< the parameter's node
  ir::Value after;  ///< typed like it
};

struct ObjectiveValue {
  ir::Value reported; ///< estimate of the bound; real scalar
  ir::Value loss;     ///< real scalar; gradients are taken of this
  /** When set, parameters that shape the draws follow the gradient of this instead of `loss`. */
  std::optional<ir::Value> guide_loss;
  /** Those that enter the log weights besides follow this too, with the draws held. */
  std::optional<ir::Value> direct_loss;
  std::vector<std::pair<std::string, ir::Value>> parts; ///< named addends of `reported`, when it is a sum
  std::vector<StateUpdate> updates;                     ///< of the state that `loss` reads
};

/** What an objective does with draws that have no pathwise derivative. */
enum class ScoreRule : std::uint8_t {
  surrogate, ///< score function with the site's baseline
  held_out,  ///< score function; the other particles are the baseline
  weighted,  ///< every latent is learned by importance weights, no draw by its derivative
  refused,
};

struct Objective {
  std::string_view name;
  std::string_view meaning;
  ir::Required<std::vector<catalog::Option> (*)()> options;
  ir::Required<int> least_particles;
  /** Whether parameters are stopped inside log q (sticking-the-landing; Roeder, Wu & Duvenaud 2017). */
  ir::Required<bool> detach_guide_density;
  /** Whether closed-form KL and entropy may stand for sampled densities. */
  ir::Required<bool> analytic;
  ir::Required<ScoreRule> scores;
  ir::Required<ObjectiveValue (*)(const ObjectiveContext&)> make;
};

std::span<const Objective* const> objectives();
const Objective* find_objective(std::string_view name);

} // namespace plait::elbo
