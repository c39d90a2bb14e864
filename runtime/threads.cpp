#include "runtime/threads.hpp"

#include "runtime/subnormals.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace plait::runtime {
namespace {

// Long enough to bridge the gap between two steps of a small model, short enough not to burn a processor
// between runs.
constexpr int spin_limit = 4000;

void pause_briefly() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

// Returns when `value` is no longer `old`: spins, then sleeps in the kernel.
std::uint64_t wait_for_change(const std::atomic<std::uint64_t>& value, std::uint64_t old, int limit) {
  for (int spin = 0; spin < limit; ++spin) {
    const std::uint64_t now = value.load(std::memory_order_acquire);
    if (now != old)
      return now;
    pause_briefly();
  }
  value.wait(old, std::memory_order_acquire);
  return value.load(std::memory_order_acquire);
}

} // namespace

struct ThreadPool::State {
  // A run is described by the fields below, published by `generation` and finished when `busy` reaches 0.
  Call call = nullptr;
  void* target = nullptr;
  std::size_t chunk_count = 0;
  Assignment assignment = Assignment::fixed;
  std::uint64_t float_mode = 0; ///< the caller's
  bool stopping = false;
  alignas(64) std::atomic<std::uint64_t> generation{0};
  alignas(64) std::atomic<std::uint64_t> busy{0};
  alignas(64) std::atomic<std::size_t> next_chunk{0};
  std::mutex failure_mutex;
  std::exception_ptr failure;
  int spins = spin_limit;
  std::size_t thread_count = 1;
  std::vector<std::thread> workers;

  // The pool whose chunk the current thread is running, and the thread's number in it.
  struct Active {
    State* state = nullptr;
    std::size_t thread = 0;
  };
  static thread_local Active active;

  void run_one(std::size_t chunk, std::size_t thread) {
    try {
      call(target, chunk, thread);
    } catch (...) {
      const std::lock_guard lock(failure_mutex);
      if (!failure)
        failure = std::current_exception();
    }
  }

  void run_share(std::size_t thread) {
    const Active outer = std::exchange(active, Active{this, thread});
    if (assignment == Assignment::fixed) {
      for (std::size_t chunk = thread; chunk < chunk_count; chunk += thread_count)
        run_one(chunk, thread);
    } else {
      for (std::size_t chunk = next_chunk.fetch_add(1, std::memory_order_relaxed); chunk < chunk_count;
           chunk = next_chunk.fetch_add(1, std::memory_order_relaxed))
        run_one(chunk, thread);
    }
    active = outer;
  }

  void work(std::size_t thread) {
    std::uint64_t seen = 0;
    while (true) {
      seen = wait_for_change(generation, seen, spins);
      if (stopping)
        return;
      set_float_mode(float_mode);
      run_share(thread);
      if (busy.fetch_sub(1, std::memory_order_acq_rel) == 1)
        busy.notify_one();
    }
  }
};

thread_local ThreadPool::State::Active ThreadPool::State::active;

ThreadPool::ThreadPool(std::size_t thread_count)
    : threads(thread_count != 0 ? thread_count
                                : std::max<std::size_t>(1, std::thread::hardware_concurrency())),
      state(std::make_unique<State>()) {
  // Spinning only helps if every thread has a processor of its own.
  if (threads > std::thread::hardware_concurrency())
    state->spins = 0;
  state->workers.reserve(threads - 1);
  try {
    for (std::size_t thread = 1; thread < threads; ++thread)
      state->workers.emplace_back([shared = state.get(), thread] { shared->work(thread); });
  } catch (const std::system_error&) {
    // The system grants no more threads: fewer do the same work.
    threads = state->workers.size() + 1;
  }
  state->thread_count = threads;
}

ThreadPool::~ThreadPool() {
  state->stopping = true;
  state->generation.fetch_add(1, std::memory_order_release);
  state->generation.notify_all();
  for (std::thread& worker : state->workers)
    worker.join();
}

void ThreadPool::run_chunks(std::size_t chunk_count, Assignment assignment, Call call, void* target) {
  const bool nested = State::active.state == state.get();
  if (threads == 1 || chunk_count <= 1 || nested) {
    const std::size_t thread = nested ? State::active.thread : 0;
    std::exception_ptr failure;
    for (std::size_t chunk = 0; chunk < chunk_count; ++chunk) {
      try {
        call(target, chunk, thread);
      } catch (...) {
        if (!failure)
          failure = std::current_exception();
      }
    }
    if (failure)
      std::rethrow_exception(failure);
    return;
  }
  State& shared = *state;
  shared.call = call;
  shared.target = target;
  shared.chunk_count = chunk_count;
  shared.assignment = assignment;
  shared.float_mode = float_mode();
  shared.next_chunk.store(0, std::memory_order_relaxed);
  shared.busy.store(threads - 1, std::memory_order_relaxed);
  shared.generation.fetch_add(1, std::memory_order_release);
  shared.generation.notify_all();
  shared.run_share(0);
  for (std::uint64_t left = shared.busy.load(std::memory_order_acquire); left != 0;)
    left = wait_for_change(shared.busy, left, shared.spins);
  if (shared.failure)
    std::rethrow_exception(std::exchange(shared.failure, nullptr));
}

} // namespace plait::runtime
