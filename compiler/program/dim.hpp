#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace plait::program {

using PlateId = std::int32_t;

/// One symbolic size inside a Dim: `N`, or the length `T[n]` of one row of ragged data.
struct SizeTerm {
  enum class Row : std::uint8_t {
    none,  ///< a plain size: `N`
    open,  ///< a length whose row is not chosen yet: the `T` of `ragged real[N, T]` before an index is given
    plate, ///< the length at the index of the plate `plate`: `T[n]`
    other  ///< the length at another index, told apart by its text: `T[0]`, `T[county[i]]`
  };

  std::string name;
  Row row = Row::none;
  PlateId plate = -1;   ///< set when row is `plate`
  std::string row_text; ///< the index as written; identifies the row when row is `other`
  std::int64_t factor = 1;
};

/// Whether two terms are the same size, whatever their factors.
bool same_size(const SizeTerm& a, const SizeTerm& b);

/// The size of a dimension: `constant + sum of factor * size`. Almost always a single number or a single
/// name. Dims compare symbolically, so two sizes that happen to have the same value are still different.
struct Dim {
  std::int64_t constant = 0;
  std::vector<SizeTerm> terms; ///< sorted, no zero factors, no two of the same size

  static Dim known(std::int64_t value) { return {value, {}}; }
  static Dim named(std::string name);
  static Dim ragged(std::string name);

  bool is_known() const { return terms.empty(); }
  std::optional<std::int64_t> value() const;
  /// The only term when the Dim is exactly one size with nothing added, else null.
  const SizeTerm* single() const;
  bool is_ragged() const; ///< some term is a length of a ragged row
};

bool operator==(const Dim& a, const Dim& b);
Dim operator+(const Dim& a, const Dim& b);
Dim operator-(const Dim& a, const Dim& b);
Dim scale(const Dim& a, std::int64_t factor);

/// The value under given sizes; empty when a size is missing or a row's length is involved.
std::optional<std::int64_t> evaluate(const Dim& dim, const std::map<std::string, std::int64_t>& sizes);

/// As a user writes it: `8`, `N`, `T[n]`, `2*N - 1`.
std::string to_string(const Dim& dim);
/// `[N, 8]`, or `` for a scalar.
std::string to_string(const std::vector<Dim>& dims);

} // namespace plait::program
