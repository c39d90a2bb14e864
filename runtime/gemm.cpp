#include "runtime/gemm.hpp"
#include "runtime/gemm_kernels.hpp"
#include "runtime/jit_functions.hpp"

#include <cstdlib>
#include <memory>
#include <new>
#include <tuple>
#include <vector>

namespace plait::runtime {
namespace {

struct Kernels {
  const char* name;
  void (*f32)(const GemmCall<float>&);
  void (*f64)(const GemmCall<double>&);
};

constexpr Kernels baseline_kernels{"baseline", gemm_baseline::gemm_f32, gemm_baseline::gemm_f64};
#if defined(__x86_64__)
constexpr Kernels avx2_kernels{"avx2", gemm_avx2::gemm_f32, gemm_avx2::gemm_f64};
constexpr Kernels avx512_kernels{"avx512", gemm_avx512::gemm_f32, gemm_avx512::gemm_f64};

bool has_avx2() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
}
#endif

// The kernels of `target`, or null if the processor lacks it.
const Kernels* find_kernels(GemmTarget target) {
  switch (target) {
  case GemmTarget::baseline:
    return &baseline_kernels;
#if defined(__x86_64__)
  case GemmTarget::avx2:
    return has_avx2() ? &avx2_kernels : nullptr;
  case GemmTarget::avx512:
    return has_avx512() ? &avx512_kernels : nullptr;
  case GemmTarget::automatic:
    if (has_avx512())
      return &avx512_kernels;
    return has_avx2() ? &avx2_kernels : &baseline_kernels;
#else
  case GemmTarget::automatic:
    return &baseline_kernels;
  default:
    break;
#endif
  }
  return nullptr;
}

const Kernels*& current_kernels() {
  static const Kernels* kernels = find_kernels(GemmTarget::automatic);
  return kernels;
}

struct Release {
  void operator()(void* memory) const { std::free(memory); }
};

struct Buffer {
  std::unique_ptr<void, Release> memory;
  std::size_t bytes = 0;

  // At least `wanted` bytes; what was in them is lost when they grow.
  void* grow(std::size_t wanted) {
    if (bytes < wanted) {
      const std::size_t rounded = (wanted + 63) / 64 * 64;
      memory.reset();
      bytes = 0;
      memory.reset(std::aligned_alloc(64, rounded));
      if (!memory)
        throw std::bad_alloc();
      bytes = rounded;
    }
    return memory.get();
  }
};

// The packed constant matrices of a thread; those after `used` are memory to use again.
struct PackedMatrices {
  struct Entry {
    std::tuple<const void*, std::int64_t, bool, std::int64_t, std::int64_t, std::size_t> key;
    Buffer buffer;
  };
  std::vector<Entry> entries;
  std::size_t used = 0;
};

PackedMatrices& packed_matrices() {
  thread_local PackedMatrices matrices;
  return matrices;
}

template <typename Scalar>
GemmCall<Scalar> make_call(std::int64_t m, std::int64_t n, std::int64_t k, Scalar alpha, const Scalar* a,
                           std::int64_t a_leading, std::int32_t a_form, const Scalar* b,
                           std::int64_t b_leading, std::int32_t transpose_b, Scalar* c,
                           std::int64_t c_leading, std::int32_t accumulate) {
  return {m,
          n,
          k,
          alpha,
          a,
          a_leading,
          (a_form & gemm_transposed) != 0,
          b,
          b_leading,
          transpose_b != 0,
          c,
          c_leading,
          accumulate != 0,
          (a_form & gemm_constant) != 0};
}

} // namespace

void* gemm_buffer(int slot, std::size_t bytes) {
  thread_local Buffer buffers[3];
  return buffers[slot].grow(bytes);
}

void begin_constant_matrices() {
  packed_matrices().used = 0;
}

PackedMatrix packed_matrix(const void* matrix, std::int64_t leading, bool transposed, std::int64_t rows,
                           std::int64_t columns, std::size_t bytes) {
  PackedMatrices& all = packed_matrices();
  const auto key = std::make_tuple(matrix, leading, transposed, rows, columns, bytes);
  for (std::size_t k = 0; k < all.used; ++k)
    if (all.entries[k].key == key)
      return {all.entries[k].buffer.memory.get(), true};
  if (all.used == all.entries.size())
    all.entries.emplace_back();
  PackedMatrices::Entry& entry = all.entries[all.used];
  void* memory = entry.buffer.grow(bytes);
  entry.key = key;
  ++all.used;
  return {memory, false};
}

void gemm(const GemmCall<float>& call) {
  current_kernels()->f32(call);
}
void gemm(const GemmCall<double>& call) {
  current_kernels()->f64(call);
}

bool select_gemm_target(GemmTarget target) {
  const Kernels* kernels = find_kernels(target);
  if (kernels)
    current_kernels() = kernels;
  return kernels != nullptr;
}

std::string_view gemm_target_name() {
  return current_kernels()->name;
}

} // namespace plait::runtime

extern "C" void plait_gemm_f32(std::int64_t m, std::int64_t n, std::int64_t k, float alpha, const float* a,
                               std::int64_t a_leading, std::int32_t a_form, const float* b,
                               std::int64_t b_leading, std::int32_t transpose_b, float* c,
                               std::int64_t c_leading, std::int32_t accumulate) {
  plait::runtime::gemm(plait::runtime::make_call(m, n, k, alpha, a, a_leading, a_form, b, b_leading,
                                                 transpose_b, c, c_leading, accumulate));
}

extern "C" void plait_gemm_f64(std::int64_t m, std::int64_t n, std::int64_t k, double alpha, const double* a,
                               std::int64_t a_leading, std::int32_t a_form, const double* b,
                               std::int64_t b_leading, std::int32_t transpose_b, double* c,
                               std::int64_t c_leading, std::int32_t accumulate) {
  plait::runtime::gemm(plait::runtime::make_call(m, n, k, alpha, a, a_leading, a_form, b, b_leading,
                                                 transpose_b, c, c_leading, accumulate));
}

extern "C" void plait_gemm_begin() {
  plait::runtime::begin_constant_matrices();
}
