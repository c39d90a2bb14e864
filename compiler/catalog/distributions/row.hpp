/** \file
 * The words in which the files of this folder write a row. Every file states the density (or mass) function
 * above its row. Where a reference manual is named, the parameters mean the same there: "Stan" is the Stan
 * Functions Reference, "Pyro" the reference of pyro.distributions.
 */
#pragma once

#include "compiler/catalog/array_math.hpp"
#include "compiler/catalog/distribution.hpp"
#include "compiler/catalog/distributions/rows.hpp"

#include <optional>
#include <span>
#include <vector>

namespace plait::catalog {

using ir::Builder;
using ir::Extent;
using ir::Value;

using Values = std::span<const Value>;
using Parameters = std::vector<DistributionParameter>;

inline constexpr double log_2 = 0.69314718055994530942;
inline constexpr double log_pi = 1.14472988584940017414;
inline constexpr double half_log_2pi = 0.91893853320467274178;
inline constexpr double pi = 3.14159265358979323846;
inline constexpr double euler_gamma = 0.57721566490153286061;

/** trials + 1 when the number of trials, the first parameter, is written in the program. */
std::optional<Extent> size_of_counts(Values parameters);

/** A draw of a category by inversion: the number of entries k < K - 1 whose running sum of weights does not
 * exceed u times their total. `weights` is [K] or batch + [K]; the result has shape `batch`. */
Value draw_category(Draws& draws, Value weights, const Shape& batch);

/** Counts of `trials` draws over the categories of the last dimension of `weights` (batch + [K], not
 * negative). Halves the categories again and again: a binomial draw splits the count of every block between
 * its two halves, which takes log2(K) vector draws instead of K dependent ones. `shape` is batch + [K]. */
Value draw_multinomial(Draws& draws, Value trials, Value weights, const Shape& shape);

} // namespace plait::catalog
