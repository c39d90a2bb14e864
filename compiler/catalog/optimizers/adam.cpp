#include "compiler/catalog/optimizers/row.hpp"

namespace plait::catalog {
namespace {

Options options() {
  return {{"beta1", 0.9, "decay of the running mean of the gradient"},
          {"beta2", 0.999, "decay of the running mean of its square"},
          {"eps", 1e-8, "added to the root of the mean square"},
          {"weight_decay", 0, "strength of the pull towards 0"}};
}

OptimizerUpdate update(Builder&, const OptimizerInput& input) {
  const Value beta1 = input.option("beta1");
  const Value beta2 = input.option("beta2");
  const Value gradient = decayed_gradient(input, input.gradient);
  const Value mean = beta1 * input.slots[0] + (1.0 - beta1) * gradient;
  const Value mean_square = beta2 * input.slots[1] + (1.0 - beta2) * square(gradient);
  const Value step = input.learning_rate / bias_correction(beta1, input.time);
  const Value scale = 1.0 / sqrt(bias_correction(beta2, input.time));
  return {input.parameter - step * mean / (sqrt(mean_square) * scale + input.option("eps")),
          {mean, mean_square}};
}

} // namespace

// m <- beta1 m + (1 - beta1) g, v <- beta2 v + (1 - beta2) g^2,
// p <- p - lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps). Kingma & Ba, "Adam", 2015. PyTorch: Adam.
constinit const Optimizer row::adam = {
    .name = "adam",
    .options = &options,
    .slots = 2,
    .update = &update,
};

} // namespace plait::catalog
