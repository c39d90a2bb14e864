// Checks of bound values. One pass over the memory decides; only data at fault are walked again, to find the
// place.
#pragma once

#include "runtime/array.hpp"
#include "runtime/dataset.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace plait::runtime {

/// What one pass over numbers found. With `count` 0, `low` and `high` mean nothing. NaN takes no part in
/// them.
struct Scan {
  std::int64_t count = 0;
  double low = 0, high = 0;
  bool nan = false;
  bool fractional = false; ///< perhaps some number is not whole; certain only after a search
};

/// Scans `count` elements from `begin`.
Scan scan_values(const Array& array, std::int64_t begin, std::int64_t count);
/// Scans all that a bound declaration holds (padding after ragged rows excluded).
Scan scan_values(const BoundData& data);

/// A value outside its support: its position in `values` and why it is outside ("but …").
struct Fault {
  std::int64_t flat = 0;
  std::string problem; ///< continues "x[3] is 2.5", e.g. ", but int data must be whole numbers"
  std::string hint;
};

/// The first value that is NaN, not whole (int, bit, index), not 0 or 1 (bit), or outside the limits.
std::optional<Fault> find_fault(const ExpectedData& expected, const BoundData& data, const Scan& scan);

/// The first index outside [base, base + size).
std::optional<Fault> find_index_fault(const ExpectedData& expected, const BoundData& data, const Scan& scan,
                                      std::int64_t size);

/// The first row of the trailing dimensions that breaks `expected.constraint`; `flat` is where it begins and
/// `problem` continues the row's name: " sums to 0.9, but a simplex must sum to 1".
std::optional<Fault> find_constraint_fault(const ExpectedData& expected, const BoundData& data);

} // namespace plait::runtime
