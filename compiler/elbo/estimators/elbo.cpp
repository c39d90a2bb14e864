#include "compiler/catalog/ops.hpp"
#include "compiler/elbo/estimators/rows.hpp"
#include "compiler/elbo/estimators/score_function.hpp"

namespace plait::elbo {
namespace {

// ELBO = sum over contributions of scale * sum over axes; pathwise derivatives flow through the draws, the
// score function covers draws without one.
ObjectiveValue make_elbo(const ObjectiveContext& context) {
  ir::Builder& builder = *context.builder;
  ObjectiveValue result;
  for (const Contribution& contribution : *context.contributions) {
    const ir::Value total = total_of(contribution, builder, context.particles);
    result.parts.emplace_back(contribution.name, total);
    result.reported = result.reported ? result.reported + total : total;
  }
  if (!result.reported)
    result.reported = builder.real(0);
  ScoreSurrogate score = score_function(context);
  result.loss = score.baseline_loss - score.surrogate - result.reported;
  result.updates = std::move(score.updates);
  return result;
}

std::vector<catalog::Option> no_options() {
  return {};
}

} // namespace

const Objective elbo_objective{
    .name = "elbo",
    .meaning = "evidence lower bound, with closed-form KL and entropy where they exist",
    .options = no_options,
    .least_particles = 1,
    .detach_guide_density = false,
    .analytic = true,
    .scores = ScoreRule::surrogate,
    .make = make_elbo,
};

const Objective sampled_elbo_objective{
    .name = "sampled_elbo",
    .meaning = "evidence lower bound, every density at the drawn value",
    .options = no_options,
    .least_particles = 1,
    .detach_guide_density = false,
    .analytic = false,
    .scores = ScoreRule::surrogate,
    .make = make_elbo,
};

const Objective stl_objective{
    .name = "stl",
    .meaning = "sticking the landing: the ELBO without the score term of the pathwise gradient",
    .options = no_options,
    .least_particles = 1,
    .detach_guide_density = true,
    .analytic = false,
    .scores = ScoreRule::surrogate,
    .make = make_elbo,
};

} // namespace plait::elbo
