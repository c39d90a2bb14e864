#include "compiler/catalog/layers/row.hpp"

namespace plait::catalog {
namespace {

Shape result_shape(Sizes sizes, Shapes inputs, std::string& error) {
  return fits_recurrence(inputs, known(sizes[0]), "rnn", error) ? inputs[0] : Shape{};
}

Weights weights(Sizes sizes, Shapes inputs) {
  return recurrent_weights(1, sizes[0], inputs[1].back());
}

Value value(Builder&, Values inputs, Values weights) {
  return tanh(apply(weights[0], inputs[1], weights[2]) + apply(weights[1], inputs[0], weights[3]));
}

} // namespace

// rnn[H](h, x) = tanh(W x + b + U h + c). PyTorch: RNNCell.
constinit const Layer row::rnn = {
    .name = "rnn",
    .usage = std::string_view("rnn[H](state : real[H], x : real[n]) -> real[H]"),
    .sizes = 1,
    .inputs = 2,
    .result_shape = &result_shape,
    .weights = &weights,
    .value = &value,
};

} // namespace plait::catalog
