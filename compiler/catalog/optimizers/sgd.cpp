#include "compiler/catalog/optimizers/row.hpp"

namespace plait::catalog {
namespace {

Options options() {
  return {{"momentum", 0, "share of the last step kept in the next"},
          {"nesterov", 0, "1 to look ahead along the momentum, 0 not to"},
          {"weight_decay", 0, "strength of the pull towards 0"}};
}

OptimizerUpdate update(Builder& builder, const OptimizerInput& input) {
  const Value momentum = input.option("momentum");
  const Value gradient = decayed_gradient(input, input.gradient);
  const Value step = momentum * input.slots[0] + gradient;
  const Value looks_ahead = greater(input.option("nesterov"), builder.real(0.5));
  const Value direction = select(looks_ahead, gradient + momentum * step, step);
  return {input.parameter - input.learning_rate * direction, {step}};
}

} // namespace

// b <- momentum b + g, p <- p - lr b; with nesterov p <- p - lr (g + momentum b). Sutskever, Martens, Dahl &
// Hinton, "On the importance of initialization and momentum", 2013. PyTorch: SGD.
constinit const Optimizer row::sgd = {
    .name = "sgd",
    .options = &options,
    .slots = 1,
    .update = &update,
};

} // namespace plait::catalog
