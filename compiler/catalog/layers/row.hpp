/** \file
 * The words in which the files of this folder write a row. Vectors are columns: W x is a matrix applied to x.
 */
#pragma once

#include "compiler/catalog/array_math.hpp"
#include "compiler/catalog/layer.hpp"
#include "compiler/catalog/layers/rows.hpp"

#include <span>
#include <string>
#include <vector>

namespace plait::catalog {

using ir::Builder;
using ir::Extent;
using ir::Value;

using Values = std::span<const Value>;
using Sizes = std::span<const Extent>;
using Shapes = std::span<const Shape>;
using Weights = std::vector<LayerWeight>;

/** Uniform on (-1/sqrt(n), 1/sqrt(n)), n inputs: how PyTorch starts its linear and recurrent layers. */
Initializer uniform_by(const Extent& inputs);

/** matrix [H, in] applied to the last dimension of x: [..., in] -> [..., H]. */
Value apply(Value matrix, Value x);
/** The same plus `bias` [H]. */
Value apply(Value matrix, Value x, Value bias);

/** Entries begin … begin + length - 1 of the last dimension. */
Value part(Value value, std::int64_t begin, std::int64_t length);

/** False, with the reason in `error`, unless `shape` is [..., n] with n known when the program is compiled.
 */
bool is_vector(const Shape& shape, std::string_view layer, std::string& error);
/** False, with the reason in `error`, unless state is [..., size] and x is [..., n] with the same leading
 * dimensions. */
bool fits_recurrence(Shapes inputs, std::int64_t size, std::string_view layer, std::string& error);

/** The four weights of a recurrent layer with `gates` gates. PyTorch keeps a bias for the input and one for
 * the state; so do these. */
Weights recurrent_weights(std::int64_t gates, const Extent& size, const Extent& inputs);

} // namespace plait::catalog
