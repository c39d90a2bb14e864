#include "compiler/catalog/ops.hpp"
#include "compiler/elbo/estimators/log_weights.hpp"
#include "compiler/elbo/estimators/rows.hpp"

namespace plait::elbo {
namespace {

using ir::AxisId;
using ir::Value;

/** log (1/K) sum of w with w_k replaced by the geometric mean of the others, for every k: a baseline of the
 * bound that does not read particle k. */
Value bound_without(Value log_weights, AxisId particles) {
  ir::Builder& builder = log_weights.builder();
  const Value count = ir::to_real(builder.extent(builder.graph().axis(particles).extent));
  const Value stand_in = (builder.sum(log_weights, {particles}) - log_weights) / (count - 1.0);
  const Value own = builder.axis_index(particles);
  const Value all = builder.axis_to_dim(log_weights, particles);
  const Value number = builder.axis_to_dim(own, particles);
  const Value others = ir::select(ir::equal(number, own), stand_in, all);
  return builder.log_sum_exp_last(others) - ir::log(count);
}

// L_K = E log (1/K) sum_k w_k. Draws without a pathwise derivative follow (Mnih & Rezende 2016, Variational
// Inference for Monte Carlo Objectives)
//   sum_k (L - L_without_k) d log q(z_k) / d phi  +  sum_k v_k d log w_k / d phi,    v_k = w_k / sum of w,
// and the second sum is the derivative of L itself, along pathwise draws too.
ObjectiveValue make_vimco(const ObjectiveContext& context) {
  ir::Builder& builder = *context.builder;
  const AxisId particles = *context.particles;
  const LogWeights weights = log_weights(context, *context.contributions);
  const Value count = ir::to_real(builder.extent(builder.graph().axis(particles).extent));
  const Value bound = builder.log_sum_exp(weights.value, {particles}) - ir::log(count);
  ObjectiveValue result;
  result.reported = over_rows(bound, weights);
  result.loss = -result.reported;
  // The derivative of L brings -v_k at log q(z_k). 1/K adds nothing on average and leaves no noise when q is
  // the posterior and every v_k is 1/K.
  const Value signal = ir::stop_gradient(bound - bound_without(weights.value, particles) + 1.0 / count);
  for (const ScoreSite& site : context.walk->scores) {
    const Value log_prob = as_weights(builder.sum_event(site.log_prob), weights, particles);
    result.loss = result.loss - over_rows(builder.sum(signal * log_prob, {particles}), weights);
  }
  return result;
}

} // namespace

const Objective vimco_objective{
    .name = "vimco",
    .meaning =
        "importance-weighted bound for discrete latents; every particle's baseline is made of the others",
    .options = +[] { return std::vector<catalog::Option>{}; },
    .least_particles = 2,
    .detach_guide_density = false,
    .analytic = false,
    .scores = ScoreRule::held_out,
    .make = make_vimco,
};

} // namespace plait::elbo
