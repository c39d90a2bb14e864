#include "runtime/permutation.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

namespace plait::runtime {
namespace {

// The key's high word for each use, so that subsets, epochs and sites draw from disjoint sequences.
constexpr std::uint32_t subset_domain = 0x53554253u;
constexpr std::uint32_t epoch_domain = 0x45504F43u;

PhiloxBlock domain_block(std::uint32_t index, std::uint32_t step, std::uint32_t stream, std::uint64_t seed,
                         std::uint32_t domain) {
  PhiloxKey key = philox_key(seed);
  key[1] ^= domain;
  return philox({index, 0, step, stream}, key);
}

} // namespace

// Floyd's algorithm (Bentley & Floyd, "A sample of brilliance", CACM 30, 1987): for j = N - B, …, N - 1 take
// a uniform t in [0, j]; add t, or j if t is already taken.
void SubsetSampler::draw(std::uint64_t row_count, std::span<std::uint32_t> rows, std::uint64_t seed,
                         std::uint32_t step, std::uint32_t stream) {
  const std::uint64_t count = rows.size();
  if (count == row_count) {
    std::iota(rows.begin(), rows.end(), 0u);
    return;
  }
  const std::uint64_t capacity = std::bit_ceil(2 * count + 1);
  table.assign(capacity, 0);
  // True if `row` was not yet in the table; it is then.
  const auto insert = [&](std::uint64_t row) {
    std::uint64_t slot = mix_word(static_cast<std::uint32_t>(row)) & (capacity - 1);
    while (table[slot] != 0) {
      if (table[slot] == row + 1)
        return false;
      slot = (slot + 1) & (capacity - 1);
    }
    table[slot] = row + 1;
    return true;
  };
  // First all candidates, which depend on nothing but their index, then the set.
  for (std::uint64_t index = 0; index < count; index += 2) {
    const PhiloxBlock block =
        domain_block(static_cast<std::uint32_t>(index / 2), step, stream, seed, subset_domain);
    const std::uint64_t bound = row_count - count + index + 1;
    rows[index] =
        static_cast<std::uint32_t>(bounded_integer((std::uint64_t{block[0]} << 32) | block[1], bound));
    if (index + 1 < count)
      rows[index + 1] =
          static_cast<std::uint32_t>(bounded_integer((std::uint64_t{block[2]} << 32) | block[3], bound + 1));
  }
  for (std::uint64_t index = 0; index < count; ++index) {
    if (!insert(rows[index])) {
      rows[index] = static_cast<std::uint32_t>(row_count - count + index);
      insert(rows[index]);
    }
  }
}

// A Feistel network on the smallest power of two that holds [0, N), its halves as equal as the bits allow,
// with cycle walking (Black & Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002): apply it again
// until the value falls below N. Fewer than two applications on average.
RowPermutation::RowPermutation(std::uint64_t row_count, std::uint64_t seed, std::uint32_t epoch,
                               std::uint32_t stream)
    : row_count(row_count) {
  const int bits = row_count > 1 ? std::bit_width(row_count - 1) : 0;
  low_bits = bits / 2;
  low_mask = static_cast<std::uint32_t>((std::uint64_t{1} << low_bits) - 1);
  high_mask = static_cast<std::uint32_t>((std::uint64_t{1} << (bits - low_bits)) - 1);
  // Rounds on a few bits mix little: a small domain takes more of them to come near a uniform permutation.
  rounds = bits <= 8 ? most_rounds : 12;
  for (int round = 0; round < rounds; round += 4) {
    const PhiloxBlock block =
        domain_block(static_cast<std::uint32_t>(round / 4), epoch, stream, seed, epoch_domain);
    std::copy(block.begin(), block.end(), keys.begin() + round);
  }
}

std::uint64_t RowPermutation::operator()(std::uint64_t position) const {
  std::uint64_t value = position;
  do {
    std::uint32_t low = static_cast<std::uint32_t>(value) & low_mask;
    std::uint32_t high = static_cast<std::uint32_t>(value >> low_bits) & high_mask;
    for (int round = 0; round < rounds; round += 2) {
      high ^= mix_word(keys[round] ^ (low * 0x9E3779B9u)) & high_mask;
      low ^= mix_word(keys[round + 1] ^ (high * 0x85EBCA77u)) & low_mask;
    }
    value = (std::uint64_t{high} << low_bits) | low;
  } while (value >= row_count);
  return value;
}

} // namespace plait::runtime
