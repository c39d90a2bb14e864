#include "compiler/catalog/optimizers/row.hpp"

namespace plait::catalog {
namespace {

Options options() {
  return {{"alpha", 0.99, "decay of the running mean of the squared gradient"},
          {"eps", 1e-8, "added to the root of the mean square"},
          {"momentum", 0, "share of the last step kept in the next"},
          {"weight_decay", 0, "strength of the pull towards 0"}};
}

OptimizerUpdate update(Builder&, const OptimizerInput& input) {
  const Value alpha = input.option("alpha");
  const Value gradient = decayed_gradient(input, input.gradient);
  const Value mean_square = alpha * input.slots[0] + (1.0 - alpha) * square(gradient);
  const Value step =
      input.option("momentum") * input.slots[1] + gradient / (sqrt(mean_square) + input.option("eps"));
  return {input.parameter - input.learning_rate * step, {mean_square, step}};
}

} // namespace

// v <- alpha v + (1 - alpha) g^2, b <- momentum b + g / (sqrt(v) + eps), p <- p - lr b. Tieleman & Hinton,
// 2012. PyTorch: RMSprop.
constinit const Optimizer row::rmsprop = {
    .name = "rmsprop",
    .options = &options,
    .slots = 2,
    .update = &update,
};

} // namespace plait::catalog
