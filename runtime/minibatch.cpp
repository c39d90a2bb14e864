#include "runtime/minibatch.hpp"

#include "runtime/rng.hpp"

#include <algorithm>
#include <numeric>

namespace plait::runtime {

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
  std::sort(out.begin(), out.end());
}

} // namespace plait::runtime
