#pragma once

// The products as compiled for each instruction set; gemm.cpp chooses. Private to gemm*.cpp.

#include "runtime/gemm.hpp"

#include <cstddef>

namespace plait::runtime {

#define PLAIT_DECLARE_GEMM_KERNELS(target)                                                                   \
  namespace gemm_##target {                                                                                  \
    void gemm_f32(const GemmCall<float>& call);                                                              \
    void gemm_f64(const GemmCall<double>& call);                                                             \
  }

PLAIT_DECLARE_GEMM_KERNELS(baseline)
#if defined(__x86_64__)
PLAIT_DECLARE_GEMM_KERNELS(avx2)
PLAIT_DECLARE_GEMM_KERNELS(avx512)
#endif
#undef PLAIT_DECLARE_GEMM_KERNELS

// At least `bytes` bytes, aligned to 64, that stay the calling thread's until its next call for the same slot
// (0 to 2).
void* gemm_buffer(int slot, std::size_t bytes);

// Memory for the packed form of a constant matrix, and whether it holds that form already.
struct PackedMatrix {
  void* memory = nullptr;
  bool is_packed = false;
};
PackedMatrix packed_matrix(const void* matrix, std::int64_t leading, bool transposed, std::int64_t rows,
                           std::int64_t columns, std::size_t bytes);

} // namespace plait::runtime
