#include "runtime/jit_functions.hpp"

#include "runtime/dense.hpp"
#include "runtime/samplers.hpp"
#include "runtime/special.hpp"

using namespace plait::runtime;

extern "C" {

double plait_sample_gamma(double alpha, std::uint64_t seed, std::uint32_t step, std::uint32_t stream,
                          std::uint32_t row, std::uint32_t element) {
  return sample_gamma(alpha, {seed, step, stream, row, element});
}

float plait_sample_gamma_f32(float alpha, std::uint64_t seed, std::uint32_t step, std::uint32_t stream,
                             std::uint32_t row, std::uint32_t element) {
  return static_cast<float>(sample_gamma(alpha, {seed, step, stream, row, element}));
}

double plait_log_gamma_sample(double alpha, std::uint64_t seed, std::uint32_t step, std::uint32_t stream,
                              std::uint32_t row, std::uint32_t element) {
  return sample_log_gamma(alpha, {seed, step, stream, row, element});
}

float plait_log_gamma_sample_f32(float alpha, std::uint64_t seed, std::uint32_t step, std::uint32_t stream,
                                 std::uint32_t row, std::uint32_t element) {
  return static_cast<float>(sample_log_gamma(alpha, {seed, step, stream, row, element}));
}

double plait_sample_poisson(double rate, std::uint64_t seed, std::uint32_t step, std::uint32_t stream,
                            std::uint32_t row, std::uint32_t element) {
  return sample_poisson(rate, {seed, step, stream, row, element});
}

float plait_sample_poisson_f32(float rate, std::uint64_t seed, std::uint32_t step, std::uint32_t stream,
                               std::uint32_t row, std::uint32_t element) {
  return static_cast<float>(sample_poisson(rate, {seed, step, stream, row, element}));
}

double plait_sample_binomial(double n, double p, std::uint64_t seed, std::uint32_t step, std::uint32_t stream,
                             std::uint32_t row, std::uint32_t element) {
  return sample_binomial(n, p, {seed, step, stream, row, element});
}

float plait_sample_binomial_f32(float n, float p, std::uint64_t seed, std::uint32_t step,
                                std::uint32_t stream, std::uint32_t row, std::uint32_t element) {
  return static_cast<float>(sample_binomial(n, p, {seed, step, stream, row, element}));
}

double plait_gamma_sample_derivative(double alpha, double x) {
  return gamma_sample_derivative(alpha, x);
}

float plait_gamma_sample_derivative_f32(float alpha, float x) {
  return static_cast<float>(gamma_sample_derivative(alpha, x));
}

double plait_log_gamma_sample_derivative(double alpha, double log_x) {
  return log_gamma_sample_derivative(alpha, log_x);
}

float plait_log_gamma_sample_derivative_f32(float alpha, float log_x) {
  return static_cast<float>(log_gamma_sample_derivative(alpha, log_x));
}

double plait_lgamma(double x) {
  return log_gamma(x);
}

float plait_lgamma_f32(float x) {
  return static_cast<float>(log_gamma(x));
}

double plait_digamma(double x) {
  return digamma(x);
}

float plait_digamma_f32(float x) {
  return static_cast<float>(digamma(x));
}

double plait_trigamma(double x) {
  return trigamma(x);
}

float plait_trigamma_f32(float x) {
  return static_cast<float>(trigamma(x));
}

double plait_normal_cdf(double x) {
  return normal_cdf(x);
}

float plait_normal_cdf_f32(float x) {
  return static_cast<float>(normal_cdf(x));
}

double plait_normal_log_cdf(double x) {
  return normal_log_cdf(x);
}

float plait_normal_log_cdf_f32(float x) {
  return static_cast<float>(normal_log_cdf(x));
}

double plait_normal_quantile(double p) {
  return normal_quantile(p);
}

float plait_normal_quantile_f32(float p) {
  return static_cast<float>(normal_quantile(p));
}

double plait_gamma_p(double alpha, double x) {
  return gamma_p(alpha, x);
}

float plait_gamma_p_f32(float alpha, float x) {
  return static_cast<float>(gamma_p(alpha, x));
}

double plait_beta_i(double a, double b, double x) {
  return beta_i(a, b, x);
}

float plait_beta_i_f32(float a, float b, float x) {
  return static_cast<float>(beta_i(a, b, x));
}

std::int32_t plait_cholesky_f32(std::int64_t n, const float* a, float* l) {
  return cholesky(n, a, l);
}

void plait_cholesky_reverse_f32(std::int64_t n, const float* l, const float* l_adjoint, float* a_adjoint) {
  cholesky_reverse(n, l, l_adjoint, a_adjoint);
}

void plait_triangular_solve_f32(std::int64_t n, std::int64_t columns, const float* l, std::int32_t transpose,
                                const float* b, float* x) {
  triangular_solve(n, columns, l, transpose != 0, b, x);
}

void plait_triangular_solve_reverse_f32(std::int64_t n, std::int64_t columns, const float* l,
                                        std::int32_t transpose, const float* x, const float* x_adjoint,
                                        float* b_adjoint, float* l_adjoint) {
  triangular_solve_reverse(n, columns, l, transpose != 0, x, x_adjoint, b_adjoint, l_adjoint);
}

std::int32_t plait_cholesky_f64(std::int64_t n, const double* a, double* l) {
  return cholesky(n, a, l);
}

void plait_cholesky_reverse_f64(std::int64_t n, const double* l, const double* l_adjoint, double* a_adjoint) {
  cholesky_reverse(n, l, l_adjoint, a_adjoint);
}

void plait_triangular_solve_f64(std::int64_t n, std::int64_t columns, const double* l, std::int32_t transpose,
                                const double* b, double* x) {
  triangular_solve(n, columns, l, transpose != 0, b, x);
}

void plait_triangular_solve_reverse_f64(std::int64_t n, std::int64_t columns, const double* l,
                                        std::int32_t transpose, const double* x, const double* x_adjoint,
                                        double* b_adjoint, double* l_adjoint) {
  triangular_solve_reverse(n, columns, l, transpose != 0, x, x_adjoint, b_adjoint, l_adjoint);
}

} // extern "C"

namespace plait::runtime {

JitFunctionList jit_functions() {
#define PLAIT_JIT_FUNCTION(name) {#name, reinterpret_cast<void*>(&name)}
  static const JitFunction functions[] = {
      PLAIT_JIT_FUNCTION(plait_sample_gamma),
      PLAIT_JIT_FUNCTION(plait_sample_gamma_f32),
      PLAIT_JIT_FUNCTION(plait_log_gamma_sample),
      PLAIT_JIT_FUNCTION(plait_log_gamma_sample_f32),
      PLAIT_JIT_FUNCTION(plait_gamma_sample_derivative),
      PLAIT_JIT_FUNCTION(plait_gamma_sample_derivative_f32),
      PLAIT_JIT_FUNCTION(plait_log_gamma_sample_derivative),
      PLAIT_JIT_FUNCTION(plait_log_gamma_sample_derivative_f32),
      PLAIT_JIT_FUNCTION(plait_sample_poisson),
      PLAIT_JIT_FUNCTION(plait_sample_poisson_f32),
      PLAIT_JIT_FUNCTION(plait_sample_binomial),
      PLAIT_JIT_FUNCTION(plait_sample_binomial_f32),
      PLAIT_JIT_FUNCTION(plait_lgamma),
      PLAIT_JIT_FUNCTION(plait_lgamma_f32),
      PLAIT_JIT_FUNCTION(plait_digamma),
      PLAIT_JIT_FUNCTION(plait_digamma_f32),
      PLAIT_JIT_FUNCTION(plait_trigamma),
      PLAIT_JIT_FUNCTION(plait_trigamma_f32),
      PLAIT_JIT_FUNCTION(plait_normal_cdf),
      PLAIT_JIT_FUNCTION(plait_normal_cdf_f32),
      PLAIT_JIT_FUNCTION(plait_normal_log_cdf),
      PLAIT_JIT_FUNCTION(plait_normal_log_cdf_f32),
      PLAIT_JIT_FUNCTION(plait_normal_quantile),
      PLAIT_JIT_FUNCTION(plait_normal_quantile_f32),
      PLAIT_JIT_FUNCTION(plait_gamma_p),
      PLAIT_JIT_FUNCTION(plait_gamma_p_f32),
      PLAIT_JIT_FUNCTION(plait_beta_i),
      PLAIT_JIT_FUNCTION(plait_beta_i_f32),
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
#undef PLAIT_JIT_FUNCTION
  return {functions, sizeof functions / sizeof functions[0]};
}

} // namespace plait::runtime
