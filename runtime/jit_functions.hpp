#pragma once

// The C functions that generated code may call. Names and signatures are an ABI: generated code is cached on
// disk. Functions without suffix take and return double; `_f32` twins take and return float and compute in
// double, except the matrix functions, which compute in the type they name. No function throws. None
// allocates or keeps state but the matrix products, whose packed operands are memory of the thread.
//
// Draws: (seed, step, stream, row, element) as in rng.hpp. The same place gives the same draw in both
// precisions, up to rounding. Arguments outside a function's domain give NaN.

#include <cstddef>
#include <cstdint>

namespace plait::runtime {
inline constexpr std::int32_t gemm_transposed = 1, gemm_constant = 2;
} // namespace plait::runtime

extern "C" {

// ---- samplers
// ------------------------------------------------------------------------------------------------------

// A draw x of Gamma(shape alpha, rate 1), alpha > 0. May underflow to 0 for small alpha: see the logarithm
// below.
double plait_sample_gamma(double alpha, std::uint64_t seed, std::uint32_t step, std::uint32_t stream,
                          std::uint32_t row, std::uint32_t element);
float plait_sample_gamma_f32(float alpha, std::uint64_t seed, std::uint32_t step, std::uint32_t stream,
                             std::uint32_t row, std::uint32_t element);

// log x of the same draw; finite for every alpha > 0 for which log x fits the type.
double plait_log_gamma_sample(double alpha, std::uint64_t seed, std::uint32_t step, std::uint32_t stream,
                              std::uint32_t row, std::uint32_t element);
float plait_log_gamma_sample_f32(float alpha, std::uint64_t seed, std::uint32_t step, std::uint32_t stream,
                                 std::uint32_t row, std::uint32_t element);

// dx/dalpha of a standard gamma draw x at fixed P(alpha, x): -(dP/dalpha) / pdf(x).
double plait_gamma_sample_derivative(double alpha, double x);
float plait_gamma_sample_derivative_f32(float alpha, float x);

// d log x / dalpha at fixed P(alpha, x), from log x: the form that stays finite for small alpha.
double plait_log_gamma_sample_derivative(double alpha, double log_x);
float plait_log_gamma_sample_derivative_f32(float alpha, float log_x);

// A draw of Poisson(rate), rate >= 0, as a floating-point integer.
double plait_sample_poisson(double rate, std::uint64_t seed, std::uint32_t step, std::uint32_t stream,
                            std::uint32_t row, std::uint32_t element);
float plait_sample_poisson_f32(float rate, std::uint64_t seed, std::uint32_t step, std::uint32_t stream,
                               std::uint32_t row, std::uint32_t element);

// A draw of Binomial(n, p), n >= 0 an integer, 0 <= p <= 1, as a floating-point integer.
double plait_sample_binomial(double n, double p, std::uint64_t seed, std::uint32_t step, std::uint32_t stream,
                             std::uint32_t row, std::uint32_t element);
float plait_sample_binomial_f32(float n, float p, std::uint64_t seed, std::uint32_t step,
                                std::uint32_t stream, std::uint32_t row, std::uint32_t element);

// ---- special functions
// ---------------------------------------------------------------------------------------------

double plait_lgamma(double x); // log |Gamma(x)|
float plait_lgamma_f32(float x);
double plait_digamma(double x);
float plait_digamma_f32(float x);
double plait_trigamma(double x);
float plait_trigamma_f32(float x);
double plait_normal_cdf(double x);
float plait_normal_cdf_f32(float x);
double plait_normal_log_cdf(double x);
float plait_normal_log_cdf_f32(float x);
double plait_normal_quantile(double p);
float plait_normal_quantile_f32(float p);
double plait_gamma_p(double alpha, double x); // regularized lower incomplete gamma function P(alpha, x)
float plait_gamma_p_f32(float alpha, float x);
double plait_beta_i(double a, double b, double x); // regularized incomplete beta function I_x(a, b)
float plait_beta_i_f32(float a, float b, float x);

// ---- matrix product
// ------------------------------------------------------------------------------------------------

// c[m, n] = alpha * op(a)[m, k] @ op(b)[k, n], or c += that if accumulate != 0. Row-major; leading dimensions
// count elements between rows of the stored matrix. op(a) is the stored a[m, k], or with `gemm_transposed` in
// a_form the transpose of the stored a[k, m]; b likewise if transpose_b != 0. With `gemm_constant` in a_form,
// a keeps its values until the thread calls plait_gemm_begin. c must not overlap a or b. Single-threaded.
void plait_gemm_f32(std::int64_t m, std::int64_t n, std::int64_t k, float alpha, const float* a,
                    std::int64_t a_leading, std::int32_t a_form, const float* b, std::int64_t b_leading,
                    std::int32_t transpose_b, float* c, std::int64_t c_leading, std::int32_t accumulate);
void plait_gemm_f64(std::int64_t m, std::int64_t n, std::int64_t k, double alpha, const double* a,
                    std::int64_t a_leading, std::int32_t a_form, const double* b, std::int64_t b_leading,
                    std::int32_t transpose_b, double* c, std::int64_t c_leading, std::int32_t accumulate);
void plait_gemm_begin(); // see begin_constant_matrices in gemm.hpp

// ---- small dense linear algebra, row-major, leading dimension = number of columns
// ------------------------------------

// The lower Cholesky factor of a[n, n], of which only the lower triangle is read; the upper triangle of l is
// set to 0. l may be a. Returns 0, or 1 + the index of the first pivot that is not positive; l is then filled
// with NaN.
std::int32_t plait_cholesky_f32(std::int64_t n, const float* a, float* l);
std::int32_t plait_cholesky_f64(std::int64_t n, const double* a, double* l);

// Reverse derivative: given l and the adjoint of its lower triangle, writes a_adjoint[n, n]: d/da_ij for i >=
// j, where a_ij (i > j) is the one stored number that stands for both symmetric entries; 0 above the
// diagonal. a_adjoint may be l_adjoint.
void plait_cholesky_reverse_f32(std::int64_t n, const float* l, const float* l_adjoint, float* a_adjoint);
void plait_cholesky_reverse_f64(std::int64_t n, const double* l, const double* l_adjoint, double* a_adjoint);

// Solves l x = b, or transpose(l) x = b if transpose != 0, for x[n, columns]; only the lower triangle of l is
// read. x may be b. A zero pivot gives infinities or NaN.
void plait_triangular_solve_f32(std::int64_t n, std::int64_t columns, const float* l, std::int32_t transpose,
                                const float* b, float* x);
void plait_triangular_solve_f64(std::int64_t n, std::int64_t columns, const double* l, std::int32_t transpose,
                                const double* b, double* x);

// Reverse derivative of the solve: given l, x and x_adjoint, writes b_adjoint[n, columns] and, unless null,
// *adds* to the lower triangle of l_adjoint[n, n]. b_adjoint may be x_adjoint.
void plait_triangular_solve_reverse_f32(std::int64_t n, std::int64_t columns, const float* l,
                                        std::int32_t transpose, const float* x, const float* x_adjoint,
                                        float* b_adjoint, float* l_adjoint);
void plait_triangular_solve_reverse_f64(std::int64_t n, std::int64_t columns, const double* l,
                                        std::int32_t transpose, const double* x, const double* x_adjoint,
                                        double* b_adjoint, double* l_adjoint);

} // extern "C"

namespace plait::runtime {

struct JitFunction {
  const char* name;
  void* address;
};

struct JitFunctionList {
  const JitFunction* first;
  std::size_t count;
  const JitFunction* begin() const { return first; }
  const JitFunction* end() const { return first + count; }
};

// Every function above with its address, for the JIT's symbol table. (The host program does not export its
// symbols.)
JitFunctionList jit_functions();

} // namespace plait::runtime
