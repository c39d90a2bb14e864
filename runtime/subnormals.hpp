/** \file
 * Numbers too small for a normal floating-point number count as zero while a step runs.
 *
 * A result or operand among the subnormals (below 2.2e-308, in single precision below 1.2e-38) costs over a
 * hundred cycles on many processors, and a moving average that only decays stays there for ever: rounding to
 * nearest, the smallest subnormals times 0.9 are themselves again. No density or gradient has digits there.
 */
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace plait::runtime {

/** The calling thread's floating-point control word; 0 on processors that this file does not know. */
inline std::uint64_t float_mode() {
#if defined(__x86_64__)
  return _mm_getcsr();
#elif defined(__aarch64__)
  std::uint64_t mode = 0;
  asm volatile("mrs %0, fpcr" : "=r"(mode));
  return mode;
#else
  return 0;
#endif
}

inline void set_float_mode([[maybe_unused]] std::uint64_t mode) {
#if defined(__x86_64__)
  _mm_setcsr(static_cast<unsigned>(mode));
#elif defined(__aarch64__)
  asm volatile("msr fpcr, %0" : : "r"(mode));
#endif
}

/** Subnormals are zeros on the calling thread, read and written, for as long as this lives. */
class SubnormalsAreZero {
public:
  SubnormalsAreZero() : outer_(float_mode()) { set_float_mode(outer_ | bits); }
  ~SubnormalsAreZero() { set_float_mode(outer_); }
  SubnormalsAreZero(const SubnormalsAreZero&) = delete;
  SubnormalsAreZero& operator=(const SubnormalsAreZero&) = delete;

private:
#if defined(__x86_64__)
  static constexpr std::uint64_t bits = _MM_FLUSH_ZERO_ON | 0x0040; // and denormals-are-zero of MXCSR
#elif defined(__aarch64__)
  static constexpr std::uint64_t bits = std::uint64_t{1} << 24; // FZ of FPCR
#else
  static constexpr std::uint64_t bits = 0;
#endif
  std::uint64_t outer_;
};

} // namespace plait::runtime
