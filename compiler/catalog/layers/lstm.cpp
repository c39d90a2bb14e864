#include "compiler/catalog/layers/row.hpp"

namespace plait::catalog {
namespace {

Shape result_shape(Sizes sizes, Shapes inputs, std::string& error) {
  return fits_recurrence(inputs, 2 * known(sizes[0]), "lstm", error) ? inputs[0] : Shape{};
}

Weights weights(Sizes sizes, Shapes inputs) {
  return recurrent_weights(4, sizes[0], inputs[1].back());
}

Value value(Builder& builder, Values inputs, Values weights) {
  const std::int64_t size = known(inputs[0].type().shape.back()) / 2;
  const Value hidden = part(inputs[0], 0, size);
  const Value cell = part(inputs[0], size, size);
  const Value gates = apply(weights[0], inputs[1], weights[2]) + apply(weights[1], hidden, weights[3]);
  const Value input_gate = sigmoid(part(gates, 0, size));
  const Value forget_gate = sigmoid(part(gates, size, size));
  const Value candidate = tanh(part(gates, 2 * size, size));
  const Value output_gate = sigmoid(part(gates, 3 * size, size));
  const Value next_cell = forget_gate * cell + input_gate * candidate;
  const std::vector<Value> parts = {output_gate * tanh(next_cell), next_cell};
  return builder.concat(parts, static_cast<std::int32_t>(inputs[0].type().shape.size()) - 1);
}

} // namespace

// lstm[H](s, x): the state s of length 2H is h followed by c; so is the result. i, f, o = S(W x + b + U h +
// d), g = tanh(W x + b + U h + d), c' = f c + i g, h' = o tanh(c'). The rows of W, b, U, d hold i, f, g, o in
// this order. PyTorch: LSTMCell.
constinit const Layer row::lstm = {
    .name = "lstm",
    .usage = std::string_view("lstm[H](state : real[2 * H], x : real[n]) -> real[2 * H]: the state is the "
                              "hidden half, then the cell half"),
    .sizes = 1,
    .inputs = 2,
    .result_shape = &result_shape,
    .weights = &weights,
    .value = &value,
};

} // namespace plait::catalog
