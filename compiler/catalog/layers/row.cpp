#include "compiler/catalog/layers/row.hpp"

#include <cmath>
#include <numeric>

namespace plait::catalog {

Initializer uniform_by(const Extent& inputs) {
  return {Initializer::Kind::uniform,
          1 / std::sqrt(static_cast<double>(std::max<std::int64_t>(known(inputs), 1)))};
}

Value apply(Value matrix, Value x) {
  return multiply_vectors(matrix, x);
}

Value apply(Value matrix, Value x, Value bias) {
  return apply(matrix, x) + repeat(bias, batch_of(x.type().shape, 1));
}

Value part(Value value, std::int64_t begin, std::int64_t length) {
  const auto last = static_cast<std::int32_t>(value.type().shape.size()) - 1;
  return value.builder().slice(value, last, Extent::known(begin), Extent::known(length));
}

bool is_vector(const Shape& shape, std::string_view layer, std::string& error) {
  if (shape.empty())
    error = std::string(layer) + " needs a vector; this is a single number";
  else if (!shape.back().is_known())
    error = std::string(layer) + " needs a vector of a fixed length; the length " +
            ir::to_string(shape.back()) + " is known only while the program runs";
  return error.empty();
}

bool fits_recurrence(Shapes inputs, std::int64_t size, std::string_view layer, std::string& error) {
  if (!is_vector(inputs[0], layer, error) || !is_vector(inputs[1], layer, error))
    return false;
  if (inputs[0].back().value != size)
    error = "the state of " + std::string(layer) + " must have " + std::to_string(size) +
            " entries; this one has " + std::to_string(inputs[0].back().value);
  else if (batch_of(inputs[0], 1) != batch_of(inputs[1], 1))
    error = "the state and the input of " + std::string(layer) + " must agree in all dimensions but the last";
  return error.empty();
}

Weights recurrent_weights(std::int64_t gates, const Extent& size, const Extent& inputs) {
  const Extent rows = Extent::known(gates * known(size));
  const Initializer start = uniform_by(size);
  return {{"weight_input", {rows, inputs}, start},
          {"weight_state", {rows, size}, start},
          {"bias_input", {rows}, start},
          {"bias_state", {rows}, start}};
}

} // namespace plait::catalog
