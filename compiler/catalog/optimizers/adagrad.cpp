#include "compiler/catalog/optimizers/row.hpp"

namespace plait::catalog {
namespace {

Options options() {
  return {{"lr_decay", 0, "the learning rate is divided by 1 + (t - 1) lr_decay"},
          {"initial_accumulator_value", 0, "the sum of squares starts here"},
          {"eps", 1e-10, "added to the root of the sum of squares"},
          {"weight_decay", 0, "strength of the pull towards 0"}};
}

OptimizerUpdate update(Builder&, const OptimizerInput& input) {
  const Value gradient = decayed_gradient(input, input.gradient);
  // The slot starts at 0, so the initial value is added where the sum is read.
  const Value sum = input.slots[0] + square(gradient);
  const Value rate = input.learning_rate / (1.0 + (input.time - 1.0) * input.option("lr_decay"));
  const Value root = sqrt(sum + input.option("initial_accumulator_value"));
  return {input.parameter - rate * gradient / (root + input.option("eps")), {sum}};
}

} // namespace

// s <- s + g^2, p <- p - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps). Duchi, Hazan & Singer, "Adaptive
// subgradient methods", 2011. PyTorch: Adagrad.
constinit const Optimizer row::adagrad = {
    .name = "adagrad",
    .options = &options,
    .slots = 1,
    .update = &update,
};

} // namespace plait::catalog
