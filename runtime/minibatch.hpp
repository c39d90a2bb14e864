// Which rows of a plate a step sees.
#pragma once

#include "runtime/permutation.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace plait::runtime {

enum class MinibatchPolicy {
  uniform, ///< every step draws its subset anew, without replacement
  epoch,   ///< every pass visits each row once, in shuffled order; the last batch of a pass may be shorter
};

/// The minibatches of one plate: a pure function of (seed, plate name, step), so that a resumed run goes on
/// with the same rows and plates do not influence each other. Memory does not grow with the number of rows.
class Minibatch {
public:
  /// 0 < batch_size, 0 < row_count <= 2^32; a batch larger than the plate is the plate.
  Minibatch(std::string_view plate, std::int64_t row_count, std::int64_t batch_size, std::uint64_t seed,
            MinibatchPolicy policy);

  /// Sets `out` to the rows of a step, ascending so that reading them walks through memory in one direction.
  /// Their number, not batch_size, is what the plate's scale N/B divides by.
  void rows(std::uint32_t step, std::vector<std::uint32_t>& out);

  std::int64_t row_count() const { return row_count_; }
  std::int64_t batch_size() const { return batch_size_; }
  /// Steps of one pass over the plate, the last shorter batch included.
  std::int64_t steps_per_epoch() const { return (row_count_ + batch_size_ - 1) / batch_size_; }

private:
  std::int64_t row_count_, batch_size_;
  std::uint64_t seed_;
  std::uint32_t stream_;
  MinibatchPolicy policy_;
  SubsetSampler sampler_;
  std::vector<std::uint32_t> scratch_;
};

} // namespace plait::runtime
