#include "runtime/validate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <type_traits>

namespace plait::runtime {

namespace {

// Independent minima and maxima per lane let the compiler use vector instructions without reordering
// anything.
constexpr std::int64_t lanes = 16;

template <class T>
struct Accumulator {
  T low[lanes], high[lanes];
  // In the type of the numbers, so that the lanes stay equally wide.
  T nan[lanes] = {}, fractional[lanes] = {};

  explicit Accumulator(T first) {
    std::fill(low, low + lanes, first);
    std::fill(high, high + lanes, first);
  }

  void add(const T* values) {
    for (std::int64_t k = 0; k < lanes; ++k) {
      T x = values[k];
      low[k] = x < low[k] ? x : low[k];
      high[k] = x > high[k] ? x : high[k];
      if constexpr (std::is_floating_point_v<T>) {
        // Adding and subtracting 3/2 of the largest power of two whose last bit is 1 rounds to a whole
        // number.
        constexpr T magic = std::is_same_v<T, double> ? T(0x1.8p52) : T(0x1.8p23);
        T rounded = (x + magic) - magic;
        nan[k] = x != x ? T(1) : nan[k];
        fractional[k] = rounded != x ? T(1) : fractional[k];
      }
    }
  }
};

template <class T>
Scan scan(const T* values, std::int64_t count) {
  Scan result;
  result.count = count;
  if (count == 0)
    return result;
  T first = values[0];
  if constexpr (std::is_floating_point_v<T>) {
    // NaN compares false with everything, and would stay as the start of a minimum.
    std::int64_t i = 0;
    while (i < count && std::isnan(values[i]))
      ++i;
    if (i == count) {
      result.nan = true;
      return result;
    }
    first = values[i];
  }
  Accumulator<T> sum(first);
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes)
    sum.add(values + i);
  if (i < count) {
    T rest[lanes];
    std::fill(rest, rest + lanes, first);
    std::copy(values + i, values + count, rest);
    sum.add(rest);
  }
  result.low = static_cast<double>(*std::min_element(sum.low, sum.low + lanes));
  result.high = static_cast<double>(*std::max_element(sum.high, sum.high + lanes));
  for (std::int64_t k = 0; k < lanes; ++k) {
    result.nan = result.nan || sum.nan[k] != T(0);
    result.fractional = result.fractional || sum.fractional[k] != T(0);
  }
  return result;
}

void merge(Scan& into, const Scan& other) {
  if (other.count == 0)
    return;
  if (into.count == 0) {
    into = other;
    return;
  }
  into.count += other.count;
  into.low = std::min(into.low, other.low);
  into.high = std::max(into.high, other.high);
  into.nan = into.nan || other.nan;
  into.fractional = into.fractional || other.fractional;
}

// Calls `use(begin, count)` for each stretch of numbers that counts.
template <class Use>
void for_each_stretch(const BoundData& data, Use&& use) {
  if (!data.ragged) {
    use(std::int64_t{0}, data.values.size());
    return;
  }
  for (std::size_t n = 0; n < data.starts.size();) {
    std::int64_t begin = data.starts[n], end = begin + data.lengths[n];
    for (++n; n < data.starts.size() && data.starts[n] == end; ++n)
      end += data.lengths[n];
    use(begin * data.inner_size, (end - begin) * data.inner_size);
  }
}

template <class Bad>
std::optional<std::int64_t> find_first(const BoundData& data, Bad&& bad) {
  std::optional<std::int64_t> found;
  for_each_stretch(data, [&](std::int64_t begin, std::int64_t count) {
    for (std::int64_t i = begin; i < begin + count && !found; ++i)
      if (bad(data.values.real_at(i)))
        found = i;
  });
  return found;
}

std::string number(double value) {
  return fmt::format("{}", value);
}

std::string_view kind_name(DataKind kind) {
  switch (kind) {
  case DataKind::real:
    return "real";
  case DataKind::integer:
    return "int";
  case DataKind::bit:
    return "bit";
  case DataKind::index:
    break;
  }
  return "index";
}

} // namespace

Scan scan_values(const Array& array, std::int64_t begin, std::int64_t count) {
  return with_element(array.element, [&](auto* type) {
    using T = std::remove_cvref_t<decltype(*type)>;
    return scan<T>(static_cast<const T*>(array.data) + begin, count);
  });
}

Scan scan_values(const BoundData& data) {
  Scan total;
  for_each_stretch(data, [&](std::int64_t begin, std::int64_t count) {
    merge(total, scan_values(data.values, begin, count));
  });
  return total;
}

std::optional<Fault> find_fault(const ExpectedData& expected, const BoundData& data, const Scan& scan) {
  if (scan.nan) {
    auto at = find_first(data, [](double x) { return std::isnan(x); });
    return Fault{at.value_or(0), ", not a number",
                 "leave the row out, or model the missing value as a latent"};
  }
  if (scan.count == 0)
    return std::nullopt;
  bool whole = expected.kind != DataKind::real;
  if (whole && (scan.fractional || std::isinf(scan.low) || std::isinf(scan.high)))
    if (auto at = find_first(data, [](double x) { return x != std::nearbyint(x) || std::isinf(x); }))
      return Fault{*at, fmt::format(", but {} data must be whole numbers", kind_name(expected.kind)), ""};
  constexpr double largest_exact = 0x1p53;
  if (whole && is_float(data.values.element) && (scan.high >= largest_exact || scan.low <= -largest_exact))
    if (auto at = find_first(data, [](double x) { return std::abs(x) >= largest_exact; }))
      return Fault{*at, ", too large to be read exactly", "identifiers are better bound as text"};
  if (expected.kind == DataKind::bit && (scan.low < 0 || scan.high > 1)) {
    auto at = find_first(data, [](double x) { return x != 0 && x != 1; });
    bool two_values = !find_first(data, [&](double x) { return x != scan.low && x != scan.high; });
    return Fault{
        at.value_or(0), ", but bit data must be 0 or 1",
        two_values ? fmt::format("the data take the two values {} and {}; add ',threshold={}' to the --data "
                                 "argument to make them 0 and 1",
                                 scan.low, scan.high, scan.low)
                   : fmt::format("the data range from {} to {}; add ',threshold={}' to the --data argument "
                                 "to make them 0 and 1",
                                 scan.low, scan.high, std::floor((scan.low + scan.high) / 2))};
  }
  auto below = [&](double x) {
    return expected.lower &&
           (expected.lower->open ? !(x > expected.lower->value) : !(x >= expected.lower->value));
  };
  auto above = [&](double x) {
    return expected.upper &&
           (expected.upper->open ? !(x < expected.upper->value) : !(x <= expected.upper->value));
  };
  if (!below(scan.low) && !above(scan.high))
    return std::nullopt;
  auto at = find_first(data, [&](double x) { return below(x) || above(x); });
  if (!at)
    return std::nullopt;
  bool low = below(data.values.real_at(*at));
  const Limit& limit = low ? *expected.lower : *expected.upper;
  return Fault{
      *at,
      fmt::format(", but must be {} {}",
                  low ? (limit.open ? "greater than" : "at least") : (limit.open ? "less than" : "at most"),
                  number(limit.value)),
      ""};
}

std::optional<Fault> find_index_fault(const ExpectedData& expected, const BoundData& data, const Scan& scan,
                                      std::int64_t size) {
  auto first = static_cast<double>(data.index_base), last = static_cast<double>(data.index_base + size - 1);
  if (scan.count == 0 || (scan.low >= first && scan.high <= last))
    return std::nullopt;
  auto at = find_first(data, [&](double x) { return x < first || x > last; });
  if (!at)
    return std::nullopt;
  std::string label = expected.index_size.name.empty() ? std::to_string(size) : expected.index_size.name;
  std::string known = expected.index_size.name.empty() ? "" : fmt::format(" with {} = {}", label, size);
  bool from_one = data.index_base == 0 && scan.low >= 1 && scan.high <= static_cast<double>(size);
  bool from_zero = data.index_base == 1 && scan.low == 0;
  return Fault{*at,
               fmt::format(", but index<{}{}>{} must be from {} to {}", label,
                           data.index_base ? fmt::format(", base={}", data.index_base) : "", known, first,
                           last),
               from_one    ? fmt::format("the file seems to count from 1: declare index<{}, base=1>", label)
               : from_zero ? fmt::format("the file seems to count from 0: declare index<{}>", label)
                           : ""};
}

namespace {

std::string simplex_problem(std::span<const double> row, double tolerance) {
  for (double x : row)
    if (!(x >= 0))
      return fmt::format(" holds {}, but the entries of a simplex must be at least 0", x);
  double sum = std::accumulate(row.begin(), row.end(), 0.0);
  return std::abs(sum - 1) <= tolerance ? "" : fmt::format(" sums to {}, but a simplex must sum to 1", sum);
}

std::string ordered_problem(std::span<const double> row, bool positive) {
  if (positive && !row.empty() && !(row[0] > 0))
    return fmt::format(" begins with {}, but positive_ordered must begin above 0", row[0]);
  for (std::size_t k = 1; k < row.size(); ++k)
    if (!(row[k] > row[k - 1]))
      return fmt::format(" has {} after {}, but must be increasing", row[k], row[k - 1]);
  return "";
}

std::string unit_vector_problem(std::span<const double> row, double tolerance) {
  double sum = 0;
  for (double x : row)
    sum += x * x;
  return std::abs(sum - 1) <= tolerance
             ? ""
             : fmt::format(" has length {}, but must have length 1", std::sqrt(sum));
}

std::string factor_problem(std::span<const double> m, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    if (!(m[i * n + i] > 0))
      return fmt::format(" has {} at [{}, {}], but the diagonal of a Cholesky factor must be positive",
                         m[i * n + i], i, i);
    for (std::size_t j = i + 1; j < n; ++j)
      if (m[i * n + j] != 0)
        return fmt::format(" has {} at [{}, {}], but a Cholesky factor must be 0 above the diagonal",
                           m[i * n + j], i, j);
  }
  return "";
}

// Symmetry, then positive definiteness by the Cholesky decomposition.
std::string covariance_problem(std::span<const double> m, std::size_t n, double tolerance, bool correlation) {
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (!(std::abs(m[i * n + j] - m[j * n + i]) <= tolerance * (1 + std::abs(m[i * n + j]))))
        return fmt::format(" is not symmetric: [{}, {}] is {}, [{}, {}] is {}", i, j, m[i * n + j], j, i,
                           m[j * n + i]);
  if (correlation)
    for (std::size_t i = 0; i < n; ++i)
      if (!(std::abs(m[i * n + i] - 1) <= tolerance))
        return fmt::format(" has {} at [{}, {}], but the diagonal of a correlation matrix must be 1",
                           m[i * n + i], i, i);
  std::vector<double> factor(m.begin(), m.end());
  for (std::size_t j = 0; j < n; ++j) {
    double pivot = factor[j * n + j];
    for (std::size_t k = 0; k < j; ++k)
      pivot -= factor[j * n + k] * factor[j * n + k];
    if (!(pivot > 0))
      return " is not positive definite";
    factor[j * n + j] = std::sqrt(pivot);
    for (std::size_t i = j + 1; i < n; ++i) {
      double sum = factor[i * n + j];
      for (std::size_t k = 0; k < j; ++k)
        sum -= factor[i * n + k] * factor[j * n + k];
      factor[i * n + j] = sum / factor[j * n + j];
    }
  }
  return "";
}

} // namespace

std::optional<Fault> find_constraint_fault(const ExpectedData& expected, const BoundData& data) {
  if (expected.constraint == DataConstraint::none || data.values.shape.empty())
    return std::nullopt;
  bool matrix = expected.constraint == DataConstraint::cholesky_factor ||
                expected.constraint == DataConstraint::cov || expected.constraint == DataConstraint::corr;
  const std::vector<std::int64_t>& shape = data.values.shape;
  std::int64_t n = shape.back();
  if (matrix && (shape.size() < 2 || shape[shape.size() - 2] != n))
    return Fault{0, fmt::format(" has rows of {}, but must be a square matrix", n), ""};
  std::int64_t width = matrix ? n * n : n;
  if (width == 0)
    return std::nullopt;
  // As exact as the file's own precision allows.
  double tolerance = data.values.element == Element::f32 ? 1e-4 : 1e-8;
  std::vector<double> row(static_cast<std::size_t>(width));
  std::optional<Fault> fault;
  for_each_stretch(data, [&](std::int64_t begin, std::int64_t count) {
    for (std::int64_t at = begin; at + width <= begin + count && !fault; at += width) {
      data.values.read(at, width, row.data());
      std::string problem;
      auto order = static_cast<std::size_t>(n);
      switch (expected.constraint) {
      case DataConstraint::none:
        break;
      case DataConstraint::simplex:
        problem = simplex_problem(row, tolerance);
        break;
      case DataConstraint::ordered:
      case DataConstraint::positive_ordered:
        problem = ordered_problem(row, expected.constraint == DataConstraint::positive_ordered);
        break;
      case DataConstraint::unit_vector:
        problem = unit_vector_problem(row, tolerance);
        break;
      case DataConstraint::cholesky_factor:
        problem = factor_problem(row, order);
        break;
      case DataConstraint::cov:
      case DataConstraint::corr:
        problem = covariance_problem(row, order, tolerance, expected.constraint == DataConstraint::corr);
        break;
      }
      if (!problem.empty())
        fault = Fault{at, problem, ""};
    }
  });
  return fault;
}

} // namespace plait::runtime
