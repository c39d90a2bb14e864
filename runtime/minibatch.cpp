#include "runtime/minibatch.hpp"

#include "runtime/rng.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>

namespace plait::runtime {
namespace {

// Sorts numbers below 2^bits, least significant digit first: a comparison sort of a few hundred random rows
// would cost more than the rest of a small model's step. `scratch` keeps its memory between calls.
void sort_rows(std::vector<std::uint32_t>& rows, int bits, std::vector<std::uint32_t>& scratch) {
  constexpr int most_digit_bits = 10;
  if (rows.size() < 48) {
    std::sort(rows.begin(), rows.end());
    return;
  }
  scratch.resize(rows.size());
  const int passes = std::max(1, (bits + most_digit_bits - 1) / most_digit_bits);
  const int digit_bits = (bits + passes - 1) / passes;
  const std::uint32_t mask = (1u << digit_bits) - 1;
  for (int shift = 0; shift < bits; shift += digit_bits) {
    std::array<std::uint32_t, 1u << most_digit_bits> place;
    std::fill_n(place.begin(), mask + 1, 0u);
    for (const std::uint32_t row : rows)
      ++place[row >> shift & mask];
    std::exclusive_scan(place.begin(), place.begin() + mask + 1, place.begin(), 0u);
    for (const std::uint32_t row : rows)
      scratch[place[row >> shift & mask]++] = row;
    rows.swap(scratch);
  }
}

} // namespace

Minibatch::Minibatch(std::string_view plate, std::int64_t row_count, std::int64_t batch_size,
                     std::uint64_t seed, MinibatchPolicy policy)
    : row_count_(row_count), batch_size_(std::min(batch_size, row_count)), seed_(seed),
      stream_(plate_stream(plate)), policy_(policy) {}

void Minibatch::rows(std::uint32_t step, std::vector<std::uint32_t>& out) {
  if (batch_size_ == row_count_) {
    out.resize(static_cast<std::size_t>(row_count_));
    std::iota(out.begin(), out.end(), 0u);
    return;
  }
  if (policy_ == MinibatchPolicy::uniform) {
    out.resize(static_cast<std::size_t>(batch_size_));
    sampler_.draw(static_cast<std::uint64_t>(row_count_), out, seed_, step, stream_);
  } else {
    std::int64_t epoch = step / steps_per_epoch();
    std::int64_t first = step % steps_per_epoch() * batch_size_;
    std::int64_t count = std::min(batch_size_, row_count_ - first);
    RowPermutation permutation(static_cast<std::uint64_t>(row_count_), seed_,
                               static_cast<std::uint32_t>(epoch), stream_);
    out.resize(static_cast<std::size_t>(count));
    for (std::int64_t k = 0; k < count; ++k)
      out[static_cast<std::size_t>(k)] =
          static_cast<std::uint32_t>(permutation(static_cast<std::uint64_t>(first + k)));
  }
  sort_rows(out, std::bit_width(static_cast<std::uint64_t>(row_count_ - 1)), scratch_);
}

} // namespace plait::runtime
