#include "compiler/catalog/layers/row.hpp"

namespace plait::catalog {
namespace {

Shape result_shape(Sizes sizes, Shapes inputs, std::string& error) {
  if (!is_vector(inputs[0], "linear", error))
    return {};
  Shape shape = inputs[0];
  shape.back() = sizes[0];
  return shape;
}

Weights weights(Sizes sizes, Shapes inputs) {
  const Extent width = inputs[0].back();
  return {{"weight", {sizes[0], width}, uniform_by(width)}, {"bias", {sizes[0]}, uniform_by(width)}};
}

Weights weights_without_bias(Sizes sizes, Shapes inputs) {
  const Extent width = inputs[0].back();
  return {{"weight", {sizes[0], width}, uniform_by(width)}};
}

Value value(Builder&, Values inputs, Values weights) {
  return apply(weights[0], inputs[0], weights[1]);
}

Value value_without_bias(Builder&, Values inputs, Values weights) {
  return apply(weights[0], inputs[0]);
}

} // namespace

// linear[H](x) = W x + b: [..., in] -> [..., H]. PyTorch: Linear.
constinit const Layer row::linear = {
    .name = "linear",
    .usage = std::string_view("linear[H](x : real[n]) -> real[H]"),
    .sizes = 1,
    .inputs = 1,
    .result_shape = &result_shape,
    .weights = &weights,
    .value = &value,
};

// linear_no_bias[H](x) = W x.
constinit const Layer row::linear_no_bias = {
    .name = "linear_no_bias",
    .usage = std::string_view("linear_no_bias[H](x : real[n]) -> real[H]"),
    .sizes = 1,
    .inputs = 1,
    .result_shape = &result_shape,
    .weights = &weights_without_bias,
    .value = &value_without_bias,
};

} // namespace plait::catalog
