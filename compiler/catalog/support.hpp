/** \file
 * Supports: the sets that values live in, the bijectors from unconstrained space, and which set lies inside
 * which.
 */
#pragma once

#include "compiler/tensor_ir/build.hpp"

#include <optional>
#include <string>
#include <vector>

namespace plait::catalog {

enum class SupportKind : std::uint8_t {
  real,
  positive,
  unit_interval,
  interval,     ///< (lower, upper)
  greater_than, ///< (lower, inf)
  less_than,    ///< (-inf, upper)
  simplex,      ///< last dimension: K non-negative numbers that sum to 1
  ordered,      ///< last dimension increasing
  positive_ordered,
  cholesky_corr, ///< last two dimensions: lower factor of a correlation matrix
  cholesky_cov,  ///< last two dimensions: lower triangular, positive diagonal
  covariance,    ///< last two dimensions: symmetric positive definite
  // Discrete.
  bit,           ///< {0, 1}
  count,         ///< {0, 1, 2, …}
  bounded_count, ///< {0, …, upper}
  category,      ///< {0, …, K-1}
  count_vector,  ///< non-negative integers with a fixed sum (multinomial)
};

struct Support {
  SupportKind kind = SupportKind::real;
  std::optional<double> lower = std::nullopt; ///< when known at compile time
  std::optional<double> upper = std::nullopt;
  friend bool operator==(const Support&, const Support&) = default;
};

bool is_discrete(SupportKind kind);

/** Whether the support has a bound that is not known at compile time. */
bool has_runtime_bounds(const Support& support);

/** As a user writes it: "real", "positive", "real<lower=0, upper=2>", "simplex". */
std::string to_string(const Support& support);

/** Whether every value of `inner` is a value of `outer`. Bounds unknown at compile time compare as equal to
 * anything. */
bool is_inside(const Support& inner, const Support& outer);

/** Whether a guide with support `guide` may stand for a model site with support `model`: `guide` lies inside
 * `model` and both have the same dimension. (A simplex lies inside the reals, but has no density there.) */
bool can_guide(const Support& guide, const Support& model);

/** Every kind, in the order of the enumeration. */
std::vector<SupportKind> support_kinds();

/** Number of event dimensions the support itself uses: 0 for real, 1 for simplex, 2 for cholesky_corr. */
int event_rank(SupportKind kind);

/** Bounds of interval-like supports as values (they may be run-time values, as in uniform(a, b)). */
struct SupportBounds {
  std::optional<ir::Value> lower = std::nullopt;
  std::optional<ir::Value> upper = std::nullopt;
};

struct Constrained {
  ir::Value value;
  ir::Value log_abs_det_jacobian; ///< shape: the batch shape (event dimensions of the support summed)
};

/** Shape of the unconstrained array behind a constrained one: simplex[K] -> [K-1]; the same for most. */
std::vector<ir::Extent> unconstrained_shape(SupportKind kind, const std::vector<ir::Extent>& shape);

/** The bijector from unconstrained space; the choices (exp, logistic, stick breaking with the uniform point
 * at 0, …) are those of Stan's reference manual. Continuous supports only. */
Constrained constrain(ir::Builder& builder, const Support& support, const SupportBounds& bounds,
                      ir::Value unconstrained, const std::vector<ir::Extent>& shape);

/** Numeric inverse, for initial values written by the user: row-major numbers of `shape` -> unconstrained
 * numbers.
 * \throws std::domain_error naming the value outside the support. */
std::vector<double> unconstrain(const Support& support, const std::vector<std::int64_t>& shape,
                                const std::vector<double>& constrained);

} // namespace plait::catalog
