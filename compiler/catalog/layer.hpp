/** \file
 * Layers of nets: each row says which weights a call owns, how they start, and its value in tensor IR.
 */
#pragma once

#include "compiler/tensor_ir/build.hpp"
#include "compiler/tensor_ir/op.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace plait::catalog {

/** How an unconstrained parameter starts. */
struct Initializer {
  enum class Kind : std::uint8_t { constant, uniform, normal } kind = Kind::constant;
  double scale = 0; ///< the constant; half-width of the uniform; standard deviation of the normal
};

struct LayerWeight {
  std::string name; ///< "weight", "bias"
  std::vector<ir::Extent> shape;
  Initializer initializer;
};

struct Layer {
  std::string_view name;
  ir::Required<std::string_view> usage; ///< a call with its types, as documentation shows it
  ir::Required<int> sizes;              ///< bracket arguments: linear[H] has 1
  ir::Required<int> inputs;             ///< value arguments: gru[H](state, x) has 2
  /** Shape of the result, or empty with `error` set when the input shapes do not fit. */
  ir::Required<std::vector<ir::Extent> (*)(
      std::span<const ir::Extent> sizes, std::span<const std::vector<ir::Extent>> inputs, std::string& error)>
      result_shape;
  ir::Required<std::vector<LayerWeight> (*)(std::span<const ir::Extent> sizes,
                                            std::span<const std::vector<ir::Extent>> inputs)>
      weights;
  ir::Required<ir::Value (*)(ir::Builder&, std::span<const ir::Value> inputs,
                             std::span<const ir::Value> weights)>
      value;
};

std::span<const Layer* const> layers();
const Layer* find_layer(std::string_view name);

} // namespace plait::catalog
