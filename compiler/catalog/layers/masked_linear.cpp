#include "compiler/catalog/layers/row.hpp"

namespace plait::catalog {
namespace {

Shape result_shape(Sizes sizes, Shapes inputs, std::string& error) {
  if (!is_vector(inputs[0], "masked_linear", error))
    return {};
  const std::int64_t width = inputs[0].back().value;
  const bool fits = sizes[0].is_known() && sizes[0].value > 0 && width > 0 &&
                    (sizes[0].value % width == 0 || width % sizes[0].value == 0);
  if (!fits) {
    error = "masked_linear needs a multiple or a divisor of its input's length (" + std::to_string(width) +
            ") as output; this is " + ir::to_string(sizes[0]);
    return {};
  }
  Shape shape = inputs[0];
  shape.back() = sizes[0];
  return shape;
}

Weights weights(Sizes sizes, Shapes inputs) {
  const Extent width = inputs[0].back();
  return {{"weight", {sizes[0], width}, uniform_by(width)}, {"bias", {sizes[0]}, uniform_by(width)}};
}

Value value(Builder& builder, Values inputs, Values weights) {
  const Shape shape = weights[0].type().shape;
  const std::int64_t rows = known(shape[0]);
  const std::int64_t width = known(shape[1]);
  std::vector<double> mask;
  for (std::int64_t h = 0; h < rows; ++h)
    for (std::int64_t k = 0; k < width; ++k)
      mask.push_back((rows >= width ? k < h / (rows / width) : k / (width / rows) <= h) ? 1 : 0);
  return apply(weights[0] * matrix_literal(builder, std::move(mask), width), inputs[0], weights[1]);
}

} // namespace

// masked_linear[H](x) = (M o W) x + b (M is 0 or 1). H a multiple of the length n of x: the outputs come in n
// blocks of H/n, and block k sees only the entries of x before k. H < n, of which n is a multiple: output k
// sees the first k + 1 of the H blocks of x. After one layer of the first kind, layers of the second kind
// (and anything elementwise) keep the order: output k depends on the entries before k. Germain, Gregor,
// Murray & Larochelle, "MADE", 2015.
constinit const Layer row::masked_linear = {
    .name = "masked_linear",
    .usage = std::string_view("masked_linear[H](x : real[n]) -> real[H], H a multiple of n: block k sees "
                              "only the entries of x before k; n a multiple of H: output k sees the first "
                              "k + 1 blocks of x"),
    .sizes = 1,
    .inputs = 1,
    .result_shape = &result_shape,
    .weights = &weights,
    .value = &value,
};

} // namespace plait::catalog
