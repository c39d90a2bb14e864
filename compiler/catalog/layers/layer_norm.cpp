#include "compiler/catalog/layers/row.hpp"

namespace plait::catalog {
namespace {

constexpr double epsilon = 1e-5; // PyTorch's default

Shape result_shape(Sizes, Shapes inputs, std::string& error) {
  return is_vector(inputs[0], "layer_norm", error) ? inputs[0] : Shape{};
}

Weights weights(Sizes, Shapes inputs) {
  const Extent width = inputs[0].back();
  return {{"weight", {width}, {Initializer::Kind::constant, 1}},
          {"bias", {width}, {Initializer::Kind::constant, 0}}};
}

Value value(Builder& builder, Values inputs, Values weights) {
  const Value x = inputs[0];
  const Shape batch = batch_of(x.type().shape, 1);
  const Extent width = x.type().shape.back();
  const double share = 1 / static_cast<double>(known(width));
  const Value centred = x - spread_last(share * builder.sum_last(x), width);
  const Value variance = share * builder.sum_last(square(centred));
  const Value normalized = centred * spread_last(1.0 / sqrt(variance + epsilon), width);
  return normalized * repeat(weights[0], batch) + repeat(weights[1], batch);
}

} // namespace

// layer_norm(x) = w (x - mean x) / sqrt(var x + 1e-5) + b along the last dimension, var with divisor n.
// Ba, Kiros & Hinton, "Layer normalization", 2016. PyTorch: LayerNorm.
constinit const Layer row::layer_norm = {
    .name = "layer_norm",
    .usage = std::string_view("layer_norm(x : real[n]) -> real[n]"),
    .sizes = 0,
    .inputs = 1,
    .result_shape = &result_shape,
    .weights = &weights,
    .value = &value,
};

} // namespace plait::catalog
