/** \file
 * The few matrix functions the interpreter needs, written as their textbooks have them.
 */
#pragma once

#include <cstdint>
#include <vector>

namespace plait::ir {

/** Row-major; a vector is a matrix of one column. */
struct Matrix {
  std::int64_t rows, columns;
  std::vector<double> numbers;
  Matrix(std::int64_t r, std::int64_t c)
      : rows(r), columns(c), numbers(static_cast<std::size_t>(r * c), 0.0) {}
  double& operator()(std::int64_t i, std::int64_t j) {
    return numbers[static_cast<std::size_t>(i * columns + j)];
  }
  double operator()(std::int64_t i, std::int64_t j) const {
    return numbers[static_cast<std::size_t>(i * columns + j)];
  }
};

/** The lower factor of a symmetric matrix, of which the lower triangle is read. NaN where it is not positive
 * definite. */
Matrix cholesky_factor(const Matrix& a);
/** L^-1 b, or L^-T b when transposed. */
Matrix solve_lower(const Matrix& l, const Matrix& b, bool transposed);
/** The adjoint of a symmetric matrix A, symmetric itself, from that of the lower triangle of its factor:
 * d loss = sum_ij result_ij dA_ij for every symmetric dA. */
Matrix cholesky_adjoint(const Matrix& l, const Matrix& grad);

} // namespace plait::ir
