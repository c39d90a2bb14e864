#pragma once

#include "compiler/program/program.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The array functions of the language: one row each. Elementwise mathematics is in the op catalog.
namespace plait::program {

enum class BuiltinKind : std::uint8_t {
  dot, ///< (T[n], T[n]) -> T
  sum, ///< over all dimensions of its argument: T[…] -> T
  mean,
  variance, ///< divides by the number of elements
  prod,
  max,
  min,
  log_sum_exp, ///< over all dimensions
  softmax,     ///< over the last dimension
  log_softmax,
  cumulative_sum, ///< over the last dimension
  fill,           ///< (value, n, m, …) -> value's element [n, m, …]
  zeros,          ///< (n, …) -> real[n, …]
  ones,
  counts,    ///< (index[n], K) -> real[K]: how often each value occurs
  one_hot,   ///< (index, K) -> real[K]; also index[n] -> real[n, K]
  concat,    ///< (T[n], T[m], …) -> T[n + m + …]; scalars count as one element; along the first dimension
  size,      ///< T[n, …] -> int: the first dimension
  transpose, ///< T[n, m] -> T[m, n]
  diag,      ///< real[n] -> real[n, n]
  diagonal,  ///< real[n, n] -> real[n]
  cholesky,  ///< cov -> cholesky_cov
  triangular_solve, ///< (L[n, n], b[n] or b[n, m]) -> x with L x = b
  log_determinant,  ///< of the covariance with Cholesky factor L: 2 sum log L[k, k]
  outer,            ///< (T[n], T[m]) -> T[n, m]
  reverse,          ///< along the first dimension
  range             ///< (n) -> index<n>[n]: 0, 1, … n-1
};

/// The result's type, or why the arguments do not fit: `error` continues "sum(…) " as in "needs an array".
struct BuiltinType {
  Type type;
  std::string error;
};

/// A call has first its value arguments, then its sizes: `fill(value, n, m)`.
struct Builtin {
  BuiltinKind kind;
  std::string_view name;
  int values; ///< number of value arguments; -1: one or more
  int least_sizes;
  int most_sizes; ///< -1: any number
  /// Whether int, bit and index arguments become real before the type rule sees them.
  bool to_real;
  BuiltinType (*type_rule)(std::span<const ExprPtr> values, std::span<const Dim> sizes);
};

std::span<const Builtin> builtins();
/// nullptr when there is none.
const Builtin* find_builtin(std::string_view name);

} // namespace plait::program
