#pragma once

// A fixed set of threads that runs one loop at a time.

#include <cstddef>
#include <functional>
#include <memory>
#include <type_traits>

namespace plait::runtime {

enum class Assignment {
  fixed,   // chunk c runs on thread c mod thread_count: the same thread sees the same chunks at every call
  dynamic, // threads take the next chunk as they become free
};

// Which thread runs a chunk never changes what the chunk computes; callers that reduce over chunks do so
// afterwards, in the order of the chunks. Chunks run in the caller's floating-point mode.
class ThreadPool {
public:
  // `thread_count` counts the calling thread; 0 means one per processor. With 1, run() calls the function
  // inline.
  explicit ThreadPool(std::size_t thread_count);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  std::size_t thread_count() const { return threads; }

  // Calls function(chunk) or function(chunk, thread) once for every chunk in [0, chunk_count), thread <
  // thread_count(), and returns when all are done; their effects are then visible to the caller. Does not
  // allocate. If calls throw, the remaining chunks still run and one of the exceptions is rethrown. Only one
  // run at a time; a run from inside a chunk of the same pool is executed inline.
  template <typename Function>
  void run(std::size_t chunk_count, Function&& function, Assignment assignment = Assignment::fixed) {
    using Target = std::remove_reference_t<Function>;
    run_chunks(
        chunk_count, assignment,
        [](void* target, std::size_t chunk, [[maybe_unused]] std::size_t thread) {
          if constexpr (std::is_invocable_v<Target&, std::size_t, std::size_t>)
            (*static_cast<Target*>(target))(chunk, thread);
          else
            (*static_cast<Target*>(target))(chunk);
        },
        const_cast<void*>(static_cast<const void*>(std::addressof(function))));
  }

private:
  using Call = void (*)(void* target, std::size_t chunk, std::size_t thread);
  struct State;

  void run_chunks(std::size_t chunk_count, Assignment assignment, Call call, void* target);

  std::size_t threads;
  std::unique_ptr<State> state;
};

} // namespace plait::runtime
