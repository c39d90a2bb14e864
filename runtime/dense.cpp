#include "runtime/dense.hpp"

#include <cmath>
#include <limits>

namespace plait::runtime {
namespace {

template <typename Scalar>
Scalar dot(std::int64_t count, const Scalar* left, const Scalar* right) {
  Scalar sum = 0;
  for (std::int64_t index = 0; index < count; ++index)
    sum += left[index] * right[index];
  return sum;
}

// target -= factor * source
template <typename Scalar>
void subtract_scaled(std::int64_t count, Scalar factor, const Scalar* source, Scalar* target) {
  for (std::int64_t index = 0; index < count; ++index)
    target[index] -= factor * source[index];
}

} // namespace

// Row by row: l_ij = (a_ij - sum_{k<j} l_ik l_jk) / l_jj, l_ii = sqrt(a_ii - sum_{k<i} l_ik^2).
template <typename Scalar>
std::int32_t cholesky(std::int64_t n, const Scalar* a, Scalar* l) {
  for (std::int64_t i = 0; i < n; ++i) {
    Scalar* row = l + i * n;
    for (std::int64_t j = 0; j < i; ++j)
      row[j] = (a[i * n + j] - dot(j, row, l + j * n)) / l[j * n + j];
    const Scalar pivot = a[i * n + i] - dot(i, row, row);
    if (!(pivot > 0) || !std::isfinite(pivot)) {
      for (std::int64_t r = 0; r < n; ++r)
        for (std::int64_t c = 0; c < n; ++c)
          l[r * n + c] = c <= r ? std::numeric_limits<Scalar>::quiet_NaN() : Scalar(0);
      return static_cast<std::int32_t>(i + 1);
    }
    row[i] = std::sqrt(pivot);
  }
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = i + 1; j < n; ++j)
      l[i * n + j] = 0;
  return 0;
}

// The loop above run backwards, each assignment replaced by its adjoint (Smith 1995; Murray, "Differentiation
// of the Cholesky decomposition", 2016, section 4). In place: entries turn from adjoints of l into adjoints
// of a.
template <typename Scalar>
void cholesky_reverse(std::int64_t n, const Scalar* l, const Scalar* l_adjoint, Scalar* a_adjoint) {
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < n; ++j)
      a_adjoint[i * n + j] = j <= i ? l_adjoint[i * n + j] : Scalar(0);
  for (std::int64_t i = n; i-- > 0;) {
    Scalar* adjoint = a_adjoint + i * n;
    const Scalar* row = l + i * n;
    adjoint[i] /= 2 * row[i];
    subtract_scaled(i, 2 * adjoint[i], row, adjoint);
    for (std::int64_t j = i; j-- > 0;) {
      const Scalar* other = l + j * n;
      Scalar* other_adjoint = a_adjoint + j * n;
      adjoint[j] /= other[j];
      other_adjoint[j] -= adjoint[j] * row[j];
      subtract_scaled(j, adjoint[j], other, adjoint);
      subtract_scaled(j, adjoint[j], row, other_adjoint);
    }
  }
}

template <typename Scalar>
void triangular_solve(std::int64_t n, std::int64_t columns, const Scalar* l, bool transpose, const Scalar* b,
                      Scalar* x) {
  if (x != b)
    for (std::int64_t index = 0; index < n * columns; ++index)
      x[index] = b[index];
  for (std::int64_t step = 0; step < n; ++step) {
    const std::int64_t i = transpose ? n - 1 - step : step;
    Scalar* row = x + i * columns;
    if (!transpose)
      for (std::int64_t k = 0; k < i; ++k)
        subtract_scaled(columns, l[i * n + k], x + k * columns, row);
    for (std::int64_t column = 0; column < columns; ++column)
      row[column] /= l[i * n + i];
    if (transpose)
      for (std::int64_t k = 0; k < i; ++k)
        subtract_scaled(columns, l[i * n + k], row, x + k * columns);
  }
}

// l x = b: b* = l^-T x*, l* -= tril(b* x^T). With the transpose: b* = l^-1 x*, l* -= tril(x b*^T).
template <typename Scalar>
void triangular_solve_reverse(std::int64_t n, std::int64_t columns, const Scalar* l, bool transpose,
                              const Scalar* x, const Scalar* x_adjoint, Scalar* b_adjoint,
                              Scalar* l_adjoint) {
  triangular_solve(n, columns, l, !transpose, x_adjoint, b_adjoint);
  if (!l_adjoint)
    return;
  const Scalar* left = transpose ? x : b_adjoint;
  const Scalar* right = transpose ? b_adjoint : x;
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j <= i; ++j)
      l_adjoint[i * n + j] -= dot(columns, left + i * columns, right + j * columns);
}

template std::int32_t cholesky(std::int64_t, const float*, float*);
template std::int32_t cholesky(std::int64_t, const double*, double*);
template void cholesky_reverse(std::int64_t, const float*, const float*, float*);
template void cholesky_reverse(std::int64_t, const double*, const double*, double*);
template void triangular_solve(std::int64_t, std::int64_t, const float*, bool, const float*, float*);
template void triangular_solve(std::int64_t, std::int64_t, const double*, bool, const double*, double*);
template void triangular_solve_reverse(std::int64_t, std::int64_t, const float*, bool, const float*,
                                       const float*, float*, float*);
template void triangular_solve_reverse(std::int64_t, std::int64_t, const double*, bool, const double*,
                                       const double*, double*, double*);

} // namespace plait::runtime
