#pragma once

// Which rows a step sees: uniform subsets without replacement, and shuffled epochs. Both are pure functions
// of their keys, cost nothing that grows with the number of rows, and need no state to resume.

#include "runtime/rng.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace plait::runtime {

// Draws subsets; the object only keeps scratch memory, so that repeated draws do not allocate.
class SubsetSampler {
public:
  // Fills `rows` with distinct members of [0, row_count), every subset of that size equally likely,
  // determined by (seed, step, stream) with stream = plate_stream(plate name). The order within `rows` is
  // neither sorted nor exchangeable. Expected time and memory proportional to rows.size(). Requires
  // rows.size() <= row_count <= 2^32; if they are equal, rows are 0, 1, 2, ….
  void draw(std::uint64_t row_count, std::span<std::uint32_t> rows, std::uint64_t seed, std::uint32_t step,
            std::uint32_t stream);

private:
  std::vector<std::uint64_t> table; // open addressing; row + 1, 0 = free
};

// A pseudo-random permutation of [0, row_count), one per (seed, epoch, stream), evaluated at any position in
// constant expected time: row k of an epoch is permutation(k).
class RowPermutation {
public:
  // 0 < row_count <= 2^32.
  RowPermutation(std::uint64_t row_count, std::uint64_t seed, std::uint32_t epoch, std::uint32_t stream);

  // The row at `position` < row_count.
  std::uint64_t operator()(std::uint64_t position) const;

private:
  static constexpr int most_rounds = 32;
  std::uint64_t row_count;
  int low_bits, rounds;
  std::uint32_t low_mask, high_mask;
  std::array<std::uint32_t, most_rounds> keys;
};

} // namespace plait::runtime
