/** \file
 * Small pieces of array mathematics that supports, distributions and layers share. Batch dimensions are the
 * leading event dimensions of a value; everything here works on what follows them.
 */
#pragma once

#include "compiler/catalog/ops.hpp"
#include "compiler/tensor_ir/build.hpp"

#include <stdexcept>
#include <vector>

namespace plait::catalog {

/** The smallest normal float: logarithms of probabilities and of positive draws are taken of at least this
 * much, so that a probability saturated in f32 gives a large finite number and a zero derivative instead of
 * infinity. */
inline constexpr double smallest_positive = 1.17549435082228751e-38;

using Shape = std::vector<ir::Extent>;

/** `shape` without its last `event_rank` dimensions, and those dimensions alone. */
Shape batch_of(const Shape& shape, int event_rank);
Shape event_of(const Shape& shape, int event_rank);

/** A size is asked for that is known only when the step runs. */
struct UnknownSize : std::logic_error {
  using std::logic_error::logic_error;
};

/** The length of a dimension that must be known when the program is compiled. \throws UnknownSize
 * otherwise. */
std::int64_t known(const ir::Extent& extent);

/** A real value: integers and booleans converted, reals unchanged. */
ir::Value as_real(ir::Value value);
/** An integer value: reals and booleans converted, integers unchanged. */
ir::Value as_integer(ir::Value value);

/** `value` repeated over leading dimensions `batch`. */
ir::Value repeat(ir::Value value, const Shape& batch);
/** `value`, whose shape ends in `event_rank` dimensions, with all of the batch dimensions `batch`: repeated
 * over the leading ones that it lacks. */
ir::Value with_batch(ir::Value value, const Shape& batch, int event_rank);
/** `value` (the batch shape) repeated along a new last dimension of length `length`. */
ir::Value spread_last(ir::Value value, const ir::Extent& length);
/** A scalar expanded to `shape`; other values unchanged. */
ir::Value fill(ir::Value value, const Shape& shape);

/** Real numbers as a vector, or as a row-major matrix of `columns` columns. */
ir::Value vector_literal(ir::Builder& builder, std::vector<double> numbers);
ir::Value matrix_literal(ir::Builder& builder, std::vector<double> numbers, std::int64_t columns);
/** 0, 1, …, length - 1 as integers. */
ir::Value iota(ir::Builder& builder, std::int64_t length);

/** Running sums along the last dimension: entry k holds the sum of entries 0 … k. */
ir::Value cumulative_sum(ir::Value value);
/** Entry k holds the sum of the entries before k, for k = 0 … length (one entry longer than `value`). */
ir::Value sums_before(ir::Value value);

/** table[…, index]: the entry of the last dimension that `index` names. `table` is [K], shared by the whole
 * batch, or batch + [K]; `index` has the batch shape. */
ir::Value pick_last(ir::Value table, ir::Value index);

/** The diagonal of the last two dimensions. */
ir::Value diagonal(ir::Value matrix);

/** `factor`^-1 `right` along the last dimension of `right`. `factor`, lower triangular, is [n, n], or has the
 * leading dimensions of `right` in front; those must then be known when the program is compiled. */
ir::Value solve_vectors(ir::Value factor, ir::Value right);
/** `factor` `right` along the last dimension of `right`, with the same shapes. */
ir::Value multiply_vectors(ir::Value factor, ir::Value right);

/** log x with x held above smallest_positive. */
ir::Value log_clamped(ir::Value x);
/** log(1 - x) for x in [0, 1]: accurate near 0, finite at 1. */
ir::Value log_one_minus(ir::Value x);
/** (x - loc) / scale, with the reciprocal taken before `scale` is repeated over the entries of x. */
ir::Value standardize(ir::Value x, ir::Value loc, ir::Value scale);
/** log of the number of ways to choose k of n. */
ir::Value log_choose(ir::Value n, ir::Value k);
/** log of the beta function. */
ir::Value log_beta_function(ir::Value a, ir::Value b);
/** The value where `mask` holds, minus infinity elsewhere. */
ir::Value or_impossible(ir::Value mask, ir::Value value);

} // namespace plait::catalog
