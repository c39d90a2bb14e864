#pragma once

// Small dense linear algebra on row-major square matrices whose leading dimension is their size, with reverse
// derivatives. Scalar is float or double. For the small n of event dimensions: no blocking, no allocation.

#include <cstdint>

namespace plait::runtime {

// l[n, n] = the lower Cholesky factor of a[n, n], of which the lower triangle is read; 0 above the diagonal.
// l may be a. Returns 0, or 1 + the index of the first pivot that is not positive and finite; l is then NaN
// in its lower triangle.
template <typename Scalar>
std::int32_t cholesky(std::int64_t n, const Scalar* a, Scalar* l);

// Given l = cholesky(a) and the adjoint of its lower triangle, writes the adjoint of the lower triangle of a,
// where an entry below the diagonal stands for both symmetric ones; 0 above the diagonal. a_adjoint may be
// l_adjoint.
template <typename Scalar>
void cholesky_reverse(std::int64_t n, const Scalar* l, const Scalar* l_adjoint, Scalar* a_adjoint);

// x[n, columns] solves l x = b, or transpose(l) x = b; the lower triangle of l is read. x may be b.
template <typename Scalar>
void triangular_solve(std::int64_t n, std::int64_t columns, const Scalar* l, bool transpose, const Scalar* b,
                      Scalar* x);

// Given the solution x and its adjoint, writes b_adjoint[n, columns] and, unless null, adds to the lower
// triangle of l_adjoint[n, n]. b_adjoint may be x_adjoint.
template <typename Scalar>
void triangular_solve_reverse(std::int64_t n, std::int64_t columns, const Scalar* l, bool transpose,
                              const Scalar* x, const Scalar* x_adjoint, Scalar* b_adjoint, Scalar* l_adjoint);

} // namespace plait::runtime
