/** \file
 * Types of tensor IR values. A value is a family of arrays: one array of event shape `shape` for every point
 * of the product of its named `axes` (plates, enumeration, particles). Axes are matched by identity and
 * broadcast freely; event dimensions are positional, and only a scalar broadcasts against them.
 */
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace plait::ir {

enum class Element : std::uint8_t {
  real,    ///< f32 or f64, chosen once for a compilation
  integer, ///< 32-bit signed
  boolean
};

/** The size of a dimension: a number known at compile time, or a name whose value arrives with every call of
 * the step (populations of plates, rows drawn, longest ragged row). Two extents are the same iff they compare
 * equal. */
struct Extent {
  std::int64_t value = -1; ///< >= 0 when known at compile time
  std::string name;        ///< set when value < 0

  static Extent known(std::int64_t n) { return {n, {}}; }
  static Extent runtime(std::string symbol) { return {-1, std::move(symbol)}; }
  bool is_known() const { return value >= 0; }
  friend bool operator==(const Extent&, const Extent&) = default;
};
std::string to_string(const Extent&);

using AxisId = std::int32_t;

enum class AxisKind : std::uint8_t {
  plate,            ///< iarange: lanes, tiles, threads
  sequential_plate, ///< irange: one index at a time
  enumerated,       ///< the values of a finite discrete site
  particle          ///< independent draws from the guide
};

/** A named index space. For a subsampled plate `extent` is the number of rows drawn this step and
 * `population` the size of the whole set; for a ragged subset `extent` is the most elements that a row draws
 * and `population` the longest row; otherwise both are the same. */
struct Axis {
  std::string name;
  AxisKind kind = AxisKind::plate;
  Extent extent;
  Extent population;
  bool subsampled = false;
  int minibatch = -1; ///< index of the row stream (Graph::minibatches) when subsampled
  /** Every row of an outer plate draws its own elements of this one: terms carry their scale themselves. */
  bool ragged_subset = false;
};

struct Type {
  Element element = Element::real;
  std::vector<AxisId> axes; ///< ascending, no repetition
  std::vector<Extent> shape;

  bool is_scalar() const { return shape.empty(); }
  bool has_axis(AxisId axis) const;
  friend bool operator==(const Type&, const Type&) = default;
};

/** Set operations on ascending axis lists. */
std::vector<AxisId> unite(const std::vector<AxisId>& a, const std::vector<AxisId>& b);
std::vector<AxisId> subtract(const std::vector<AxisId>& a, const std::vector<AxisId>& b);
bool contains(const std::vector<AxisId>& set, AxisId axis);
bool is_subset(const std::vector<AxisId>& inner, const std::vector<AxisId>& outer);

} // namespace plait::ir
