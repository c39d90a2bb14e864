#include "compiler/catalog/support.hpp"

#include <fmt/format.h>

#include <cmath>
#include <span>
#include <stdexcept>

// Inverses of the bijectors in constrain.cpp, on plain numbers.

namespace plait::catalog {
namespace {

constexpr double sum_tolerance = 1e-6; // of values the user wrote with a few digits

[[noreturn]] void outside(double value, const Support& support) {
  throw std::domain_error(fmt::format("{} is not inside {}", value, to_string(support)));
}

[[noreturn]] void outside(const std::string& reason, const Support& support) {
  throw std::domain_error(fmt::format("{}, so it is not {}", reason, to_string(support)));
}

double logit(double p) {
  return std::log(p) - std::log1p(-p);
}

double scalar(double x, const Support& support) {
  if (!std::isfinite(x))
    outside(x, support);
  const auto require = [&](bool inside) {
    if (!inside)
      outside(x, support);
  };
  const auto needs = [&](const std::optional<double>& bound) {
    if (!bound)
      throw std::domain_error("the bounds of " + to_string(support) + " are known only while the model runs");
    return *bound;
  };
  switch (support.kind) {
  case SupportKind::real:
    return x;
  case SupportKind::positive:
    require(x > 0);
    return std::log(x);
  case SupportKind::unit_interval:
    require(x > 0 && x < 1);
    return logit(x);
  case SupportKind::interval: {
    const double lower = needs(support.lower);
    const double upper = needs(support.upper);
    require(x > lower && x < upper);
    return std::log(x - lower) - std::log(upper - x);
  }
  case SupportKind::greater_than:
    require(x > needs(support.lower));
    return std::log(x - *support.lower);
  case SupportKind::less_than:
    require(x < needs(support.upper));
    return std::log(*support.upper - x);
  default:
    throw std::logic_error("not a support of one number: " + to_string(support));
  }
}

std::vector<double> simplex(std::span<const double> x, const Support& support) {
  double total = 0;
  for (const double entry : x) {
    if (!(entry > 0) || !std::isfinite(entry))
      outside(entry, support);
    total += entry;
  }
  if (std::abs(total - 1) > sum_tolerance)
    outside(fmt::format("the entries sum to {}", total), support);
  // The rest of the stick is summed from its far end: no cancellation for small last entries.
  std::vector<double> rest(x.size() + 1, 0.0);
  for (std::size_t k = x.size(); k-- > 0;)
    rest[k] = rest[k + 1] + x[k];
  std::vector<double> y;
  for (std::size_t k = 0; k + 1 < x.size(); ++k)
    y.push_back(std::log(x[k]) - std::log(rest[k + 1]) + std::log(static_cast<double>(x.size() - 1 - k)));
  return y;
}

std::vector<double> ordered(std::span<const double> x, const Support& support) {
  std::vector<double> y;
  for (std::size_t k = 0; k < x.size(); ++k) {
    if (!std::isfinite(x[k]))
      outside(x[k], support);
    if (k == 0 && support.kind == SupportKind::positive_ordered) {
      if (x[0] <= 0)
        outside(x[0], support);
      y.push_back(std::log(x[0]));
    } else if (k == 0) {
      y.push_back(x[0]);
    } else {
      if (x[k] <= x[k - 1])
        outside(fmt::format("{} follows {}", x[k], x[k - 1]), support);
      y.push_back(std::log(x[k] - x[k - 1]));
    }
  }
  return y;
}

void require_lower(std::span<const double> x, std::size_t size, const Support& support) {
  for (std::size_t i = 0; i < size; ++i) {
    if (!(x[i * size + i] > 0))
      outside(fmt::format("the diagonal holds {}", x[i * size + i]), support);
    for (std::size_t j = 0; j < size; ++j) {
      if (!std::isfinite(x[i * size + j]))
        outside(x[i * size + j], support);
      if (j > i && x[i * size + j] != 0)
        outside(fmt::format("{} stands above the diagonal", x[i * size + j]), support);
    }
  }
}

std::vector<double> cholesky_corr(std::span<const double> x, std::size_t size, const Support& support) {
  require_lower(x, size, support);
  std::vector<double> y;
  for (std::size_t i = 0; i < size; ++i) {
    double squares = 0;
    for (std::size_t j = 0; j <= i; ++j)
      squares += x[i * size + j] * x[i * size + j];
    if (std::abs(squares - 1) > sum_tolerance)
      outside(fmt::format("row {} has length {}", i, std::sqrt(squares)), support);
    // What the entries after j leave is summed from the diagonal: no cancellation.
    std::vector<double> rest(i + 2, 0.0);
    for (std::size_t j = i + 1; j-- > 0;)
      rest[j] = rest[j + 1] + x[i * size + j] * x[i * size + j];
    for (std::size_t j = 0; j < i; ++j)
      y.push_back(std::atanh(x[i * size + j] / std::sqrt(rest[j])));
  }
  return y;
}

std::vector<double> cholesky_cov(std::span<const double> x, std::size_t size, const Support& support) {
  require_lower(x, size, support);
  std::vector<double> y;
  for (std::size_t i = 0; i < size; ++i)
    for (std::size_t j = 0; j <= i; ++j)
      y.push_back(j == i ? std::log(x[i * size + i]) : x[i * size + j]);
  return y;
}

std::vector<double> covariance(std::span<const double> x, std::size_t size, const Support& support) {
  std::vector<double> factor(size * size, 0.0);
  for (std::size_t i = 0; i < size; ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      const double entry = x[i * size + j];
      if (!std::isfinite(entry))
        outside(entry, support);
      if (std::abs(entry - x[j * size + i]) > sum_tolerance * (1 + std::abs(entry)))
        outside(fmt::format("entries ({}, {}) and ({}, {}) differ", i, j, j, i), support);
      double rest = entry;
      for (std::size_t k = 0; k < j; ++k)
        rest -= factor[i * size + k] * factor[j * size + k];
      if (i != j) {
        factor[i * size + j] = rest / factor[j * size + j];
      } else {
        if (!(rest > 0))
          outside("the matrix is not positive definite", support);
        factor[i * size + i] = std::sqrt(rest);
      }
    }
  return cholesky_cov(factor, size, support);
}

std::vector<double> one(std::span<const double> x, std::size_t size, const Support& support) {
  switch (support.kind) {
  case SupportKind::simplex:
    return simplex(x, support);
  case SupportKind::ordered:
  case SupportKind::positive_ordered:
    return ordered(x, support);
  case SupportKind::cholesky_corr:
    return cholesky_corr(x, size, support);
  case SupportKind::cholesky_cov:
    return cholesky_cov(x, size, support);
  case SupportKind::covariance:
    return covariance(x, size, support);
  default:
    return {scalar(x[0], support)};
  }
}

} // namespace

std::vector<double> unconstrain(const Support& support, const std::vector<std::int64_t>& shape,
                                const std::vector<double>& constrained) {
  if (is_discrete(support.kind))
    throw std::logic_error("a discrete support has no unconstrained space: " + to_string(support));
  const auto rank = static_cast<std::size_t>(event_rank(support.kind));
  if (shape.size() < rank)
    throw std::logic_error("a value has fewer dimensions than its support needs");
  std::size_t total = 1;
  for (const std::int64_t length : shape)
    total *= static_cast<std::size_t>(length);
  std::size_t event = 1;
  for (std::size_t k = shape.size() - rank; k < shape.size(); ++k)
    event *= static_cast<std::size_t>(shape[k]);
  if (constrained.size() != total)
    throw std::logic_error("unconstrain: the numbers do not fill the shape");
  if (rank == 2 && shape[shape.size() - 1] != shape[shape.size() - 2])
    throw std::domain_error("the last two dimensions must be equal to be " + to_string(support));
  std::vector<double> result;
  for (std::size_t begin = 0; begin < total; begin += event) {
    const std::vector<double> part = one(std::span(constrained).subspan(begin, event),
                                         rank == 0 ? 1 : static_cast<std::size_t>(shape.back()), support);
    result.insert(result.end(), part.begin(), part.end());
  }
  return result;
}

} // namespace plait::catalog
