#include "compiler/catalog/layers/row.hpp"

namespace plait::catalog {
namespace {

Shape result_shape(Sizes sizes, Shapes inputs, std::string&) {
  Shape shape = inputs[0];
  shape.push_back(sizes[1]);
  return shape;
}

Weights weights(Sizes sizes, Shapes) {
  return {{"weight", {sizes[0], sizes[1]}, {Initializer::Kind::normal, 1}}};
}

Value value(Builder& builder, Values inputs, Values weights) {
  return builder.gather(weights[0], as_integer(inputs[0]), 0);
}

} // namespace

// embedding[V, E](index) = W[index]: a learnt vector of length E for each of V indices. PyTorch: Embedding.
constinit const Layer row::embedding = {
    .name = "embedding",
    .usage = std::string_view("embedding[V, E](index<V>) -> real[E]"),
    .sizes = 2,
    .inputs = 1,
    .result_shape = &result_shape,
    .weights = &weights,
    .value = &value,
};

} // namespace plait::catalog
