#include "runtime/step_runner.hpp"

#include "runtime/subnormals.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>

namespace plait::runtime {

namespace {

constexpr int trial_count = 12;
constexpr double too_short = 50e-6; // seconds: little more than waking a thread takes

void parallel_for(void* pool, std::int64_t chunks, void (*body)(void*, std::int64_t), void* context) {
  if (pool == nullptr) {
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk)
      body(context, chunk);
    return;
  }
  static_cast<ThreadPool*>(pool)->run(static_cast<std::size_t>(chunks), [&](std::size_t chunk) {
    body(context, static_cast<std::int64_t>(chunk));
  });
}

} // namespace

StepRunner::StepRunner(RunnerSetup setup)
    : setup_(std::move(setup)), rows_(setup_.streams.size()), fixed_(setup_.streams.size(), false),
      row_pointers_(setup_.streams.size(), nullptr), inputs_(setup_.inputs.size(), 0.0),
      scalars_(setup_.scalar_count, 0.0), workspace_(nullptr, std::free) {
  std::vector<std::int64_t> largest;
  for (const std::string& name : setup_.extents) {
    const auto stream = std::find_if(setup_.streams.begin(), setup_.streams.end(),
                                     [&](const RowStream& candidate) { return candidate.extent == name; });
    if (stream != setup_.streams.end()) {
      largest.push_back(std::min(stream->batch, stream->population));
    } else {
      const auto size = setup_.sizes.find(name);
      if (size == setup_.sizes.end())
        throw std::invalid_argument("the size " + name + " has no value");
      largest.push_back(size->second);
    }
  }
  extents_ = largest;
  for (std::size_t k = 0; k < setup_.streams.size(); ++k) {
    const auto place = std::find(setup_.extents.begin(), setup_.extents.end(), setup_.streams[k].extent);
    stream_extent_.push_back(
        place == setup_.extents.end() ? -1 : static_cast<int>(place - setup_.extents.begin()));
    rows_[k].resize(
        static_cast<std::size_t>(std::min(setup_.streams[k].batch, setup_.streams[k].population)));
    batches_.emplace_back(setup_.streams[k].plate, setup_.streams[k].population, setup_.streams[k].batch,
                          setup_.seed, setup_.policy);
  }
  workspace_size_ = std::max<std::int64_t>(setup_.workspace_bytes ? setup_.workspace_bytes(largest) : 0, 64);
  const auto padded = static_cast<std::size_t>((workspace_size_ + 63) / 64 * 64);
  workspace_.reset(std::aligned_alloc(64, padded));
  if (!workspace_)
    throw std::bad_alloc();
  std::memset(workspace_.get(), 0, padded);

  arguments_.parameters = setup_.parameters.data();
  arguments_.slots = setup_.slots.data();
  arguments_.gradients = setup_.gradients.data();
  arguments_.values = setup_.values.data();
  arguments_.data = setup_.data.data();
  arguments_.rows = row_pointers_.data();
  arguments_.extents = extents_.data();
  arguments_.inputs = inputs_.data();
  arguments_.scalars = scalars_.data();
  arguments_.workspace = workspace_.get();
  arguments_.parallel_for = parallel_for;
  arguments_.pool = setup_.pool;
  arguments_.seed = setup_.seed;
}

void StepRunner::draw_rows(std::uint32_t step) {
  for (std::size_t k = 0; k < setup_.streams.size(); ++k) {
    std::vector<std::uint32_t>& rows = rows_[k];
    if (!fixed_[k]) {
      batches_[k].rows(step, rows);
      if (const std::int32_t* lengths = setup_.streams[k].lengths)
        std::stable_sort(rows.begin(), rows.end(),
                         [&](std::uint32_t a, std::uint32_t b) { return lengths[a] > lengths[b]; });
    }
    row_pointers_[k] = rows.data();
    if (stream_extent_[k] >= 0)
      extents_[static_cast<std::size_t>(stream_extent_[k])] = static_cast<std::int64_t>(rows.size());
  }
}

int StepRunner::input_index(const std::string& name) const {
  const auto place = std::find(setup_.inputs.begin(), setup_.inputs.end(), name);
  return place == setup_.inputs.end() ? -1 : static_cast<int>(place - setup_.inputs.begin());
}

void StepRunner::set_input(const std::string& name, double value) {
  set_input(input_index(name), value);
}

void StepRunner::fix_rows(std::size_t stream, std::vector<std::uint32_t> rows) {
  rows_.at(stream) = std::move(rows);
  fixed_.at(stream) = true;
}

void StepRunner::run(std::uint32_t step) {
  draw_rows(step);
  arguments_.step = step;
  call();
}

// A small step is over before another thread has woken up. Results do not depend on the threads, so the first
// steps try both ways and the rest go the faster one.
void StepRunner::call() {
  const SubnormalsAreZero mode;
  if (setup_.pool == nullptr || trials_ == trial_count)
    setup_.function(&arguments_);
  else
    call_and_time();
}

void StepRunner::call_and_time() {
  using Clock = std::chrono::steady_clock;
  const bool alone = trials_ % 2 == 0;
  arguments_.pool = alone ? nullptr : setup_.pool;
  const Clock::time_point begin = Clock::now();
  setup_.function(&arguments_);
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  if (trials_ >= 4) // the first two of each fill the caches
    (alone ? alone_ : together_) += seconds;
  if (++trials_ == trial_count || (trials_ > 4 && alone && seconds < too_short)) {
    arguments_.pool = trials_ == trial_count && together_ < alone_ ? setup_.pool : nullptr;
    trials_ = trial_count;
  }
}

void StepRunner::run(std::uint32_t step, const std::map<std::string, double>& inputs) {
  for (const auto& [name, value] : inputs)
    set_input(name, value);
  run(step);
}

} // namespace plait::runtime
