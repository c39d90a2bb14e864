#include "compiler/tensor_ir/dense_matrix.hpp"

#include <cmath>

namespace plait::ir {

Matrix cholesky_factor(const Matrix& a) {
  Matrix l(a.rows, a.rows);
  for (std::int64_t j = 0; j < a.rows; ++j)
    for (std::int64_t i = j; i < a.rows; ++i) {
      double sum = a(i, j);
      for (std::int64_t k = 0; k < j; ++k)
        sum -= l(i, k) * l(j, k);
      l(i, j) = i == j ? std::sqrt(sum) : sum / l(j, j);
    }
  return l;
}

Matrix solve_lower(const Matrix& l, const Matrix& b, bool transposed) {
  Matrix x = b;
  const std::int64_t n = l.rows;
  for (std::int64_t c = 0; c < b.columns; ++c)
    for (std::int64_t step = 0; step < n; ++step) {
      const std::int64_t i = transposed ? n - 1 - step : step;
      for (std::int64_t k = transposed ? i + 1 : 0; k < (transposed ? n : i); ++k)
        x(i, c) -= (transposed ? l(k, i) : l(i, k)) * x(k, c);
      x(i, c) /= l(i, i);
    }
  return x;
}

// S = L^-T Phi(L^T tril(dL)) L^-1, dA = (S + S^T) / 2, where Phi takes the lower triangle and halves its
// diagonal.
//  Murray, "Differentiation of the Cholesky decomposition", 2016, eq. 10.
Matrix cholesky_adjoint(const Matrix& l, const Matrix& grad) {
  const std::int64_t n = l.rows;
  Matrix phi(n, n);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j <= i; ++j) {
      for (std::int64_t k = i; k < n; ++k)
        phi(i, j) += l(k, i) * grad(k, j);
      if (i == j)
        phi(i, j) /= 2;
    }
  // L^-T phi L^-1 = (L^-T (L^-T phi)^T)^T
  const auto transpose = [n](const Matrix& m) {
    Matrix t(n, n);
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < n; ++j)
        t(i, j) = m(j, i);
    return t;
  };
  const Matrix s = solve_lower(l, transpose(solve_lower(l, phi, true)), true);
  Matrix result(n, n);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < n; ++j)
      result(i, j) = (s(i, j) + s(j, i)) / 2;
  return result;
}

} // namespace plait::ir
