/** \file
 * Time for benchmarks.
 */
#pragma once

#include <chrono>
#include <ctime>

namespace plait::performance {

/** `wall`: the time that passed. `processor`: what the process used, all threads together; steadier on a
 * shared machine, and the same as wall time on a quiet one when one thread runs. */
enum class Clock { wall, processor };

inline double seconds(Clock clock) {
  if (clock == Clock::wall)
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  std::timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

} // namespace plait::performance
