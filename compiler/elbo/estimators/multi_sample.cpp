#include "compiler/catalog/ops.hpp"
#include "compiler/elbo/estimators/log_weights.hpp"
#include "compiler/elbo/estimators/rows.hpp"

namespace plait::elbo {
namespace {

using ir::AxisId;
using ir::Value;

void refuse_score_sites(const ObjectiveContext& context) {
  for (const ScoreSite& site : context.walk->scores)
    throw Unsupported(
        context.walk->terms[site.term].span,
        "this objective needs a pathwise derivative for every latent: sum the discrete ones out, or use "
        "`--objective vimco` or `elbo`");
}

// L_K = E log (1/K) sum_k w_k (Burda, Grosse & Salakhutdinov 2016). The gradient is doubly reparameterized
// (Tucker et al. 2019): with normalized weights v_k,
//   theta: sum_k v_k d log w_k / d theta,       phi: sum_k v_k^2 (d log w_k / d z_k) (d z_k / d phi).
// log q has its parameters stopped, so log w_k depends on phi through z_k alone: the two sums are the
// gradients of two losses, one for the parameters of the model and one for those that shape the draws. A
// parameter that does both, or enters log w through weights q(k) of what the guide sums out, has
//   sum_k v_k (d log w_k / d phi at held draws, log q(z_k) left out) + sum_k v_k^2 (d log w_k / d z_k) (d z_k
//   / d phi),
// the second loss and, at held draws, one with v_k - v_k^2 for v_k.
ObjectiveValue make_iwae(const ObjectiveContext& context) {
  refuse_score_sites(context);
  ir::Builder& builder = *context.builder;
  const AxisId particles = *context.particles;
  const LogWeights weights = log_weights(context, *context.contributions);
  const Value count = ir::to_real(builder.extent(builder.graph().axis(particles).extent));
  const Value log_sum = builder.log_sum_exp(weights.value, {particles});
  ObjectiveValue result;
  result.reported = over_rows(log_sum - ir::log(count), weights);
  const Value normalized = ir::stop_gradient(ir::exp(weights.value - log_sum));
  result.loss = -over_rows(builder.sum(normalized * weights.value, {particles}), weights);
  result.guide_loss = -over_rows(builder.sum(ir::square(normalized) * weights.value, {particles}), weights);
  const LogWeights undrawn = log_weights(context, context.undrawn());
  const Value rest = normalized - ir::square(normalized);
  result.direct_loss = -over_rows(builder.sum(rest * undrawn.value, {particles}), undrawn);
  return result;
}

// L_alpha = 1/(1-alpha) log (1/K) sum_k w_k^(1-alpha) (Li & Turner 2016); alpha = 0 is IWAE, alpha -> 1 the
// ELBO.
ObjectiveValue make_renyi(const ObjectiveContext& context) {
  refuse_score_sites(context);
  ir::Builder& builder = *context.builder;
  const AxisId particles = *context.particles;
  const double alpha = context.options.at("alpha");
  const LogWeights weights = log_weights(context, *context.contributions);
  const Value count = ir::to_real(builder.extent(builder.graph().axis(particles).extent));
  ObjectiveValue result;
  if (alpha == 1) {
    result.reported = over_rows(builder.sum(weights.value, {particles}) / count, weights);
  } else {
    const Value log_sum = builder.log_sum_exp((1 - alpha) * weights.value, {particles}) - ir::log(count);
    result.reported = over_rows(log_sum / (1 - alpha), weights);
  }
  result.loss = -result.reported;
  return result;
}

} // namespace

const Objective iwae_objective{
    .name = "iwae",
    .meaning = "importance-weighted bound with the doubly reparameterized gradient",
    .options = +[] { return std::vector<catalog::Option>{}; },
    .least_particles = 2,
    .detach_guide_density = true,
    .analytic = false,
    .scores = ScoreRule::refused,
    .make = make_iwae,
};

const Objective renyi_objective{
    .name = "renyi",
    .meaning = "Renyi bound of order alpha",
    .options =
        +[] {
          return std::vector<catalog::Option>{
              {"alpha", 0.5, "order; 0 is the importance-weighted bound, 1 the ELBO"}};
        },
    .least_particles = 2,
    .detach_guide_density = false,
    .analytic = false,
    .scores = ScoreRule::refused,
    .make = make_renyi,
};

} // namespace plait::elbo
