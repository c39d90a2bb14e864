#include "compiler/catalog/layers/row.hpp"

namespace plait::catalog {
namespace {

Shape result_shape(Sizes sizes, Shapes inputs, std::string& error) {
  return fits_recurrence(inputs, known(sizes[0]), "gru", error) ? inputs[0] : Shape{};
}

Weights weights(Sizes sizes, Shapes inputs) {
  return recurrent_weights(3, sizes[0], inputs[1].back());
}

Value value(Builder&, Values inputs, Values weights) {
  const Value state = inputs[0];
  const std::int64_t size = known(state.type().shape.back());
  const Value from_input = apply(weights[0], inputs[1], weights[2]);
  const Value from_state = apply(weights[1], state, weights[3]);
  const Value gates = sigmoid(part(from_input, 0, 2 * size) + part(from_state, 0, 2 * size));
  const Value reset = part(gates, 0, size);
  const Value keep = part(gates, size, size);
  const Value candidate = tanh(part(from_input, 2 * size, size) + reset * part(from_state, 2 * size, size));
  return candidate + keep * (state - candidate);
}

} // namespace

// gru[H](h, x): r = S(W_r x + b_r + U_r h + c_r), z = S(W_z x + b_z + U_z h + c_z),
// n = tanh(W_n x + b_n + r (U_n h + c_n)), result (1 - z) n + z h. The rows of W, b, U, c hold r, z, n in
// this order. PyTorch: GRUCell.
constinit const Layer row::gru = {
    .name = "gru",
    .usage = std::string_view("gru[H](state : real[H], x : real[n]) -> real[H]"),
    .sizes = 1,
    .inputs = 2,
    .result_shape = &result_shape,
    .weights = &weights,
    .value = &value,
};

} // namespace plait::catalog
