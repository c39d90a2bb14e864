// Runs a compiled program step after step: draws rows, sets the run-time extents and named scalars, owns the
// workspace. Training, evaluation and posterior draws differ only in the program they hand over.
#pragma once

#include "runtime/abi.hpp"
#include "runtime/minibatch.hpp"
#include "runtime/threads.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace plait::runtime {

/// The rows of one subsampled plate.
struct RowStream {
  std::string plate; ///< keys the random stream
  std::int64_t population = 0;
  std::int64_t batch = 0; ///< rows per step, at least 1; more than the population means all
  std::string extent;     ///< name of the run-time extent that receives the number of rows drawn
  /// Of every row of the population, for ragged data: the longest row drawn comes first, so that the rows
  /// that an iteration of a loop over them concerns lie side by side. Null: ascending rows.
  const std::int32_t* lengths = nullptr;
};

/// A compiled program with everything that does not change from step to step. Arrays are owned by the caller
/// and outlive the runner.
struct RunnerSetup {
  StepFunction function = nullptr;
  std::vector<std::string> extents; ///< run-time extents in ABI order
  std::vector<std::string> inputs;  ///< named scalars in ABI order
  std::size_t scalar_count = 0;
  std::function<std::int64_t(const std::vector<std::int64_t>& extents)> workspace_bytes;
  std::map<std::string, std::int64_t> sizes; ///< values of the extents that are not drawn
  std::vector<RowStream> streams;            ///< one per minibatch of the program
  MinibatchPolicy policy = MinibatchPolicy::uniform;
  std::vector<DataView> data;
  std::vector<void*> parameters, slots, gradients, values;
  std::uint64_t seed = 0;
  ThreadPool* pool = nullptr; ///< null: everything on the calling thread
};

class StepRunner {
public:
  /// Throws std::invalid_argument when an extent has no value.
  explicit StepRunner(RunnerSetup setup);
  StepRunner(const StepRunner&) = delete;
  StepRunner& operator=(const StepRunner&) = delete;

  /// Runs the program as step number `step` (the counter of its random numbers), with the named scalars.
  void run(std::uint32_t step, const std::map<std::string, double>& inputs);
  /// The same with the scalars already in ABI order: no look-ups on the hot path.
  void run(std::uint32_t step);
  void set_input(const std::string& name, double value);
  /// Position of a named scalar, -1 when the program does not read it.
  int input_index(const std::string& name) const;
  void set_input(int index, double value) {
    if (index >= 0)
      inputs_[static_cast<std::size_t>(index)] = value;
  }
  /// Chooses the rows of a stream for the following steps, instead of drawing them. For tests and evaluation.
  void fix_rows(std::size_t stream, std::vector<std::uint32_t> rows);

  double scalar(std::size_t index) const { return scalars_[index]; }
  const std::vector<double>& scalars() const { return scalars_; }
  const std::vector<std::uint32_t>& rows(std::size_t stream) const { return rows_[stream]; }
  const RunnerSetup& setup() const { return setup_; }

private:
  void draw_rows(std::uint32_t step);
  void call();
  void call_and_time();

  RunnerSetup setup_;
  std::vector<std::int64_t> extents_;
  std::vector<int> stream_extent_; ///< position of each stream's extent, -1 when the program does not use it
  std::vector<std::vector<std::uint32_t>> rows_;
  std::vector<bool> fixed_;
  std::vector<const std::uint32_t*> row_pointers_;
  std::vector<double> inputs_, scalars_;
  std::vector<Minibatch> batches_;
  std::unique_ptr<void, void (*)(void*)> workspace_;
  std::int64_t workspace_size_ = 0;
  StepArguments arguments_;
  int trials_ = 0;                  ///< calls timed so far; trial_count: the choice is made
  double alone_ = 0, together_ = 0; ///< seconds of the timed calls on one thread, and on all
};

} // namespace plait::runtime
