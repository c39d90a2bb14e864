// Prints GFLOP/s of the matrix product on the tile shapes of a variational autoencoder, for every instruction
// set this processor has. Built as benchmark_gemm; not part of ctest.

#include "runtime/gemm.hpp"

#include <chrono>
#include <cstdio>
#include <vector>

namespace {

using plait::runtime::GemmCall;
using plait::runtime::GemmTarget;

struct Shape {
  std::int64_t m, n, k;
  bool transpose_a, transpose_b, accumulate;
};

// The best of five timings of about 50 ms each.
template <typename Scalar>
double measure(const Shape& shape) {
  std::vector<Scalar> a(shape.m * shape.k), b(shape.k * shape.n), c(shape.m * shape.n);
  for (std::size_t index = 0; index < a.size(); ++index)
    a[index] = Scalar(0.001) * Scalar(index % 97) - Scalar(0.05);
  for (std::size_t index = 0; index < b.size(); ++index)
    b[index] = Scalar(0.001) * Scalar(index % 89) - Scalar(0.04);
  GemmCall<Scalar> call{.m = shape.m,
                        .n = shape.n,
                        .k = shape.k,
                        .a = a.data(),
                        .a_leading = shape.transpose_a ? shape.m : shape.k,
                        .transpose_a = shape.transpose_a,
                        .b = b.data(),
                        .b_leading = shape.transpose_b ? shape.k : shape.n,
                        .transpose_b = shape.transpose_b,
                        .c = c.data(),
                        .c_leading = shape.n,
                        .accumulate = shape.accumulate};
  const double operations = 2.0 * shape.m * shape.n * shape.k;
  const int repeats = 1 + static_cast<int>(2e9 / operations);
  double best = 0;
  for (int trial = 0; trial < 5; ++trial) {
    const auto begin = std::chrono::steady_clock::now();
    for (int repeat = 0; repeat < repeats; ++repeat)
      plait::runtime::gemm(call);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    best = std::max(best, operations * repeats / seconds.count() * 1e-9);
  }
  return best;
}

} // namespace

int main() {
  // Forward products are [rows, in] @ [in, out]; backward ones transpose the weights or the activations.
  const Shape shapes[] = {{400, 128, 784, false, false, false}, {784, 128, 400, false, false, false},
                          {50, 128, 400, false, false, false},  {400, 784, 128, false, false, true},
                          {128, 400, 784, false, false, false}, {128, 784, 400, false, true, false},
                          {784, 400, 128, true, false, true},   {128, 50, 400, false, true, false},
                          {64, 64, 64, false, false, false},    {1, 400, 784, false, false, false},
                          {400, 1, 784, false, false, false}};
  for (const GemmTarget target : {GemmTarget::baseline, GemmTarget::avx2, GemmTarget::avx512}) {
    if (!plait::runtime::select_gemm_target(target))
      continue;
    std::printf("%s\n     m     n     k  ta tb acc      f32      f64   GFLOP/s\n",
                plait::runtime::gemm_target_name().data());
    for (const Shape& shape : shapes)
      std::printf("%6ld%6ld%6ld  %d  %d  %d  %9.1f%9.1f\n", long(shape.m), long(shape.n), long(shape.k),
                  shape.transpose_a, shape.transpose_b, shape.accumulate, measure<float>(shape),
                  measure<double>(shape));
  }
}
