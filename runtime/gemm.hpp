#pragma once

// Matrix products for the tiles of generated code and for the interpreter. Single-threaded by design: the
// tiles of a step are what runs in parallel. The instruction set (baseline, AVX2+FMA, AVX-512) is chosen
// once, from the processor.

#include <cstdint>
#include <string_view>

namespace plait::runtime {

// c[m, n] = alpha * op(a)[m, k] @ op(b)[k, n], added to c if `accumulate`. Row-major; a leading dimension
// counts the elements between two rows of the matrix as stored. op(a) is the stored a[m, k], or, if
// `transpose_a`, the transpose of the stored a[k, m]; b likewise. c must not overlap a or b. Any extent may
// be 0: k = 0 gives c = 0 (or leaves it).
template <typename Scalar>
struct GemmCall {
  std::int64_t m = 0, n = 0, k = 0;
  Scalar alpha = 1;
  const Scalar* a = nullptr;
  std::int64_t a_leading = 0;
  bool transpose_a = false;
  const Scalar* b = nullptr;
  std::int64_t b_leading = 0;
  bool transpose_b = false;
  Scalar* c = nullptr;
  std::int64_t c_leading = 0;
  bool accumulate = false;
  bool a_is_constant = false; // between two calls of begin_constant_matrices
};

// Computes the product. Packing buffers belong to the thread, grow to the largest product seen and are kept.
// The same call gives the same bits on the same processor.
void gemm(const GemmCall<float>& call);
void gemm(const GemmCall<double>& call);

// From here on, matrices that the calling thread declares constant may have other values than before. Packing
// a matrix for the processor takes as long as a product with a few dozen columns; a constant one is packed at
// its first product and used again, in memory that the thread keeps.
void begin_constant_matrices();

enum class GemmTarget { automatic, baseline, avx2, avx512 };

// Makes later calls use one instruction set, for tests and measurements. False, without effect, if the
// processor or the build lacks it. Not to be called while products run.
bool select_gemm_target(GemmTarget target);

// The instruction set in use: "baseline", "avx2" or "avx512".
std::string_view gemm_target_name();

} // namespace plait::runtime
