#include "compiler/catalog/ops.hpp"
#include "compiler/elbo/estimators/log_weights.hpp"
#include "compiler/elbo/estimators/rows.hpp"

#include <stdexcept>

namespace plait::elbo {
namespace {

using ir::AxisId;
using ir::Value;

// Reweighted wake-sleep (Bornschein & Bengio 2015). With v_k = w_k / sum of w held constant and the draws z_k
// held,
//   theta ascends sum_k v_k d log p(x, z_k; theta),        the gradient of the importance-weighted bound,
//   phi   ascends sum_k v_k d log q(z_k; phi),             that of -KL(p(z | x) || q), estimated by weights.
// These are the wake phases. In the sleep phase z' and x' are drawn from the model, and
//   phi   ascends (1/K) sum_k d log q(z'_k | x'_k; phi),   that of -E_p(x') KL(p(z | x') || q), without bias.
// phi follows insomnia * wake + (1 - insomnia) * sleep. No draw is differentiated, so discrete latents need
// neither a baseline nor a surrogate.
ObjectiveValue make_wake_sleep(const ObjectiveContext& context) {
  ir::Builder& builder = *context.builder;
  const AxisId particles = *context.particles;
  for (const EnumeratedSite& site : context.walk->enumerated)
    if (site.in_guide)
      throw Unsupported(site.span,
                        "reweighted wake-sleep with " + site.site +
                            ", which is summed out in the guide: it weighs draws, so let it be drawn");
  const double insomnia = context.options.at("insomnia");
  if (!(insomnia >= 0 && insomnia <= 1))
    throw std::invalid_argument("insomnia, the share of the wake phase, must be from 0 to 1");
  const LogWeights weights = log_weights(context, *context.contributions);
  const Value count = ir::to_real(builder.extent(builder.graph().axis(particles).extent));
  const Value log_sum = builder.log_sum_exp(weights.value, {particles});
  const Value normalized = ir::stop_gradient(ir::exp(weights.value - log_sum));
  Value joint; // log p(x, z) + insomnia log q(z)
  for (const Contribution& contribution : *context.contributions) {
    const Value value = contribution.of_guide ? -insomnia * contribution.value : contribution.value;
    const Value part = as_weights(value, weights, particles);
    joint = joint ? joint + part : part;
  }
  ObjectiveValue result;
  result.reported = over_rows(log_sum - ir::log(count), weights);
  result.loss = joint ? -over_rows(builder.sum(normalized * joint, {particles}), weights) : builder.real(0);
  if (insomnia < 1)
    for (const Contribution& dream : context.dream()) // its sign is that of the ELBO: -log q
      result.loss = result.loss + (1 - insomnia) * total_of(dream, builder, context.particles);
  return result;
}

} // namespace

const Objective wake_sleep_objective{
    .name = "rws",
    .meaning = "reweighted wake-sleep: model and guide learn from draws by their importance weights",
    .options =
        +[] {
          return std::vector<catalog::Option>{
              {"insomnia", 1, "share of the wake phase in what the guide learns; the rest is sleep"}};
        },
    .least_particles = 2,
    .detach_guide_density = false,
    .analytic = false,
    .scores = ScoreRule::weighted,
    .make = make_wake_sleep,
};

} // namespace plait::elbo
