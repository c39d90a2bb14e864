/** \file
 * The rows of the transform table. */
#pragma once

#include "compiler/catalog/transform.hpp"

namespace plait::catalog::row {

extern const Transform affine_transform;
extern const Transform coupling_transform;
extern const Transform exp_transform;
extern const Transform iaf_transform;
extern const Transform ordered_transform;
extern const Transform reverse_transform;
extern const Transform sigmoid_transform;
extern const Transform softplus_transform;
extern const Transform to_cholesky_corr_transform;
extern const Transform to_ordered_transform;
extern const Transform to_positive_ordered_transform;
extern const Transform to_simplex_transform;

} // namespace plait::catalog::row
