#include "runtime/jit_functions.hpp"

#include "runtime/dense.hpp"
#include "runtime/samplers.hpp"
#include "runtime/special.hpp"

using namespace plait::runtime;

extern "C" {

// Every function of numbers exists in both precisions and computes in double.
#define PLAIT_PLACE                                                                                          \
  std::uint64_t seed, std::uint32_t step, std::uint32_t stream, std::uint32_t row, std::uint32_t element
#define PLAIT_DRAW_1(name, function)                                                                         \
  double name(double a, PLAIT_PLACE) {                                                                       \
    return function(a, {seed, step, stream, row, element});                                                  \
  }                                                                                                          \
  float name##_f32(float a, PLAIT_PLACE) {                                                                   \
    return static_cast<float>(function(a, {seed, step, stream, row, element}));                              \
  }
#define PLAIT_DRAW_2(name, function)                                                                         \
  double name(double a, double b, PLAIT_PLACE) {                                                             \
    return function(a, b, {seed, step, stream, row, element});                                               \
  }                                                                                                          \
  float name##_f32(float a, float b, PLAIT_PLACE) {                                                          \
    return static_cast<float>(function(a, b, {seed, step, stream, row, element}));                           \
  }
#define PLAIT_FUNCTION_1(name, function)                                                                     \
  double name(double x) {                                                                                    \
    return function(x);                                                                                      \
  }                                                                                                          \
  float name##_f32(float x) {                                                                                \
    return static_cast<float>(function(x));                                                                  \
  }
#define PLAIT_FUNCTION_2(name, function)                                                                     \
  double name(double a, double x) {                                                                          \
    return function(a, x);                                                                                   \
  }                                                                                                          \
  float name##_f32(float a, float x) {                                                                       \
    return static_cast<float>(function(a, x));                                                               \
  }
#define PLAIT_FUNCTION_3(name, function)                                                                     \
  double name(double a, double b, double x) {                                                                \
    return function(a, b, x);                                                                                \
  }                                                                                                          \
  float name##_f32(float a, float b, float x) {                                                              \
    return static_cast<float>(function(a, b, x));                                                            \
  }

PLAIT_DRAW_1(plait_sample_gamma, sample_gamma)
PLAIT_DRAW_1(plait_log_gamma_sample, sample_log_gamma)
PLAIT_DRAW_1(plait_sample_poisson, sample_poisson)
PLAIT_DRAW_2(plait_sample_binomial, sample_binomial)
PLAIT_FUNCTION_2(plait_gamma_sample_derivative, gamma_sample_derivative)
PLAIT_FUNCTION_2(plait_log_gamma_sample_derivative, log_gamma_sample_derivative)
PLAIT_FUNCTION_1(plait_lgamma, log_gamma)
PLAIT_FUNCTION_1(plait_digamma, digamma)
PLAIT_FUNCTION_1(plait_trigamma, trigamma)
PLAIT_FUNCTION_1(plait_normal_cdf, normal_cdf)
PLAIT_FUNCTION_1(plait_normal_log_cdf, normal_log_cdf)
PLAIT_FUNCTION_1(plait_normal_quantile, normal_quantile)
PLAIT_FUNCTION_2(plait_gamma_p, gamma_p)
PLAIT_FUNCTION_3(plait_beta_i, beta_i)

// Matrix functions compute in the type of their suffix.
#define PLAIT_MATRIX_FUNCTIONS(suffix, Scalar)                                                               \
  std::int32_t plait_cholesky_##suffix(std::int64_t n, const Scalar* a, Scalar* l) {                         \
    return cholesky(n, a, l);                                                                                \
  }                                                                                                          \
  void plait_cholesky_reverse_##suffix(std::int64_t n, const Scalar* l, const Scalar* l_adjoint,             \
                                       Scalar* a_adjoint) {                                                  \
    cholesky_reverse(n, l, l_adjoint, a_adjoint);                                                            \
  }                                                                                                          \
  void plait_triangular_solve_##suffix(std::int64_t n, std::int64_t columns, const Scalar* l,                \
                                       std::int32_t transpose, const Scalar* b, Scalar* x) {                 \
    triangular_solve(n, columns, l, transpose != 0, b, x);                                                   \
  }                                                                                                          \
  void plait_triangular_solve_reverse_##suffix(                                                              \
      std::int64_t n, std::int64_t columns, const Scalar* l, std::int32_t transpose, const Scalar* x,        \
      const Scalar* x_adjoint, Scalar* b_adjoint, Scalar* l_adjoint) {                                       \
    triangular_solve_reverse(n, columns, l, transpose != 0, x, x_adjoint, b_adjoint, l_adjoint);             \
  }
PLAIT_MATRIX_FUNCTIONS(f32, float)
PLAIT_MATRIX_FUNCTIONS(f64, double)

} // extern "C"

namespace plait::runtime {

JitFunctionList jit_functions() {
#define PLAIT_JIT_FUNCTION(name) {#name, reinterpret_cast<void*>(&name)}
#define PLAIT_JIT_FUNCTIONS(name) PLAIT_JIT_FUNCTION(name), PLAIT_JIT_FUNCTION(name##_f32)
  static const JitFunction functions[] = {
      PLAIT_JIT_FUNCTIONS(plait_sample_gamma),
      PLAIT_JIT_FUNCTIONS(plait_log_gamma_sample),
      PLAIT_JIT_FUNCTIONS(plait_gamma_sample_derivative),
      PLAIT_JIT_FUNCTIONS(plait_log_gamma_sample_derivative),
      PLAIT_JIT_FUNCTIONS(plait_sample_poisson),
      PLAIT_JIT_FUNCTIONS(plait_sample_binomial),
      PLAIT_JIT_FUNCTIONS(plait_lgamma),
      PLAIT_JIT_FUNCTIONS(plait_digamma),
      PLAIT_JIT_FUNCTIONS(plait_trigamma),
      PLAIT_JIT_FUNCTIONS(plait_normal_cdf),
      PLAIT_JIT_FUNCTIONS(plait_normal_log_cdf),
      PLAIT_JIT_FUNCTIONS(plait_normal_quantile),
      PLAIT_JIT_FUNCTIONS(plait_gamma_p),
      PLAIT_JIT_FUNCTIONS(plait_beta_i),
      PLAIT_JIT_FUNCTION(plait_gemm_f32),
      PLAIT_JIT_FUNCTION(plait_gemm_f64),
      PLAIT_JIT_FUNCTION(plait_gemm_begin),
      PLAIT_JIT_FUNCTION(plait_cholesky_f32),
      PLAIT_JIT_FUNCTION(plait_cholesky_f64),
      PLAIT_JIT_FUNCTION(plait_cholesky_reverse_f32),
      PLAIT_JIT_FUNCTION(plait_cholesky_reverse_f64),
      PLAIT_JIT_FUNCTION(plait_triangular_solve_f32),
      PLAIT_JIT_FUNCTION(plait_triangular_solve_f64),
      PLAIT_JIT_FUNCTION(plait_triangular_solve_reverse_f32),
      PLAIT_JIT_FUNCTION(plait_triangular_solve_reverse_f64),
  };
#undef PLAIT_JIT_FUNCTIONS
#undef PLAIT_JIT_FUNCTION
  return {functions, sizeof functions / sizeof functions[0]};
}

} // namespace plait::runtime
