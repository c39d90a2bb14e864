#include "compiler/catalog/optimizers/row.hpp"

namespace plait::catalog {
namespace {

Options options() {
  return {{"beta1", 0.9, "decay of the running mean of the gradient"},
          {"beta2", 0.999, "decay of the running mean of its square"},
          {"eps", 1e-8, "added to the root of the mean square"},
          {"weight_decay", 0, "strength of the pull towards 0"},
          {"clip_norm", 10, "largest absolute value of an entry of the gradient"},
          {"lrd", 1, "factor on the learning rate at every step"}};
}

OptimizerUpdate update(Builder&, const OptimizerInput& input) {
  const Value beta1 = input.option("beta1");
  const Value beta2 = input.option("beta2");
  const Value limit = input.option("clip_norm");
  const Value gradient = decayed_gradient(input, minimum(maximum(input.gradient, -limit), limit));
  const Value mean = beta1 * input.slots[0] + (1.0 - beta1) * gradient;
  const Value mean_square = beta2 * input.slots[1] + (1.0 - beta2) * square(gradient);
  const Value rate = input.learning_rate * pow(input.option("lrd"), input.time);
  const Value step = rate * sqrt(bias_correction(beta2, input.time)) / bias_correction(beta1, input.time);
  return {input.parameter - step * mean / (sqrt(mean_square) + input.option("eps")), {mean, mean_square}};
}

} // namespace

// Adam on the gradient clipped entry by entry to [-clip_norm, clip_norm], with learning rate lr lrd^t:
// p <- p - lr lrd^t sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + eps). Pyro: ClippedAdam.
constinit const Optimizer row::clipped_adam = {
    .name = "clipped_adam",
    .options = &options,
    .slots = 2,
    .update = &update,
};

} // namespace plait::catalog
