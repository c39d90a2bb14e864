/** \file
 * The elements that a step sees of a subsampled plate whose rows have different lengths.
 */
#pragma once

#include "compiler/tensor_ir/build.hpp"

namespace plait::elbo {

/** Where a row's own elements stand: integers and booleans over the axes of `length` and the plate. */
struct RaggedSubset {
  ir::Value element; ///< index in the row, for place k of the subset
  ir::Value exists;  ///< whether the row is long enough to have place k
};

/** m = min(B, T) of the T elements of each row, B the extent of `axis`, by systematic sampling (Madow & Madow
 * 1944): with one u uniform in (0, 1) for the row and the step, place k holds element floor((k + u) T / m).
 * The elements of a row are distinct and ascending, and each is seen with probability m/T; a row of at most B
 * elements is seen whole, in order. `row` tells rows apart, and draws depend on it, the step and the name of
 * the plate alone, so that the model, the guide and all particles see the same elements. */
RaggedSubset ragged_subset(ir::Builder& builder, ir::AxisId axis, ir::Value row, ir::Value length);

/** T/m, real: the factor of a term of one element of the subset. 1 for rows without elements. */
ir::Value ragged_scale(ir::Builder& builder, ir::AxisId axis, ir::Value length);

} // namespace plait::elbo
