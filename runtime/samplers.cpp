#include "runtime/samplers.hpp"

#include "runtime/special.hpp"

#include <cmath>
#include <limits>

namespace plait::runtime {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double half_log_two_pi = 0.91893853320467274178032973640562;
constexpr double largest_count = 0x1p52;

// Every rejection sampler below accepts with probability above 0.6: running out of this many attempts does
// not happen, but a loop that ends is easier to reason about.
constexpr std::uint32_t attempt_limit = 1000;

struct GammaParts {
  double scale;      // d
  double log_factor; // log v: the draw is d v
};

// Marsaglia & Tsang, "A simple method for generating gamma variables", ACM TOMS 26, 2000, for alpha >= 1:
// d = alpha - 1/3, c = 1/sqrt(9 d), v = (1 + c z)^3; accept d v if log u < z^2/2 + d - d v + d log v.
GammaParts marsaglia_tsang(double alpha, const DrawPlace& place) {
  const double d = alpha - 1.0 / 3;
  const double c = 1.0 / std::sqrt(9.0 * d);
  for (std::uint32_t attempt = 0; attempt < attempt_limit; ++attempt) {
    const PhiloxBlock block = draw_block(place, attempt);
    const double z = standard_normal(block, DrawPrecision::f64);
    const double t = c * z;
    if (t <= -1.0)
      continue;
    // d (1 - v + log v) with v = (1 + t)^3, arranged so that nothing large cancels:
    // 1 - v = -3 t - 3 t^2 - t^3 and log v = 3 t - 3 (t - log(1 + t)).
    const double excess = 0.5 * z * z - d * (3.0 * minus_log1p(t) + t * t * (3.0 + t));
    if (std::log(uniform_open(block[2], block[3])) < excess)
      return {d, 3.0 * std::log1p(t)};
  }
  return {d, 0.0};
}

// log of k! less its Stirling approximation (k + 1/2) log(k + 1) - (k + 1) + log(2 pi)/2.
double factorial_error(double k) {
  return stirling_error(k + 1.0);
}

// log of the Poisson probability of k: -rate + k log rate - log k!, the large terms cancelled first.
double poisson_log_probability(double k, double rate) {
  if (k < 10.0)
    return k * std::log(rate) - rate - log_gamma(k + 1.0);
  return -k * minus_log1p((rate - k) / k) - stirling_error(k) - 0.5 * std::log(k) - half_log_two_pi;
}

double uniform_at(const DrawPlace& place) {
  const PhiloxBlock block = draw_block(place);
  return uniform_open(block[0], block[1]);
}

// Inversion: the first k at which the distribution function passes u. Stops where further terms are lost to
// rounding.
double invert_poisson(double rate, double u) {
  double probability = std::exp(-rate);
  double k = 0;
  while (u > probability && k < 200.0) {
    u -= probability;
    k += 1.0;
    probability *= rate / k;
  }
  return k;
}

double invert_binomial(double n, double p, double u) {
  const double odds = p / (1.0 - p);
  double probability = std::exp(n * std::log1p(-p));
  double k = 0;
  while (u > probability && k < n && k < 200.0) {
    u -= probability;
    probability *= odds * (n - k) / (k + 1.0);
    k += 1.0;
  }
  return k;
}

// Hörmann, "The transformed rejection method for generating Poisson random variables", Insurance: Mathematics
// and Economics 12, 1993 (PTRS), for rate >= 10.
double reject_poisson(double rate, const DrawPlace& place) {
  const double b = 0.931 + 2.53 * std::sqrt(rate);
  const double a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
  const double squeeze = 0.9277 - 3.6224 / (b - 2.0);
  for (std::uint32_t attempt = 0; attempt < attempt_limit; ++attempt) {
    const PhiloxBlock block = draw_block(place, attempt);
    const double u = uniform_open(block[0], block[1]) - 0.5;
    const double v = uniform_open(block[2], block[3]);
    const double us = 0.5 - std::fabs(u);
    const double k = std::floor((2.0 * a / us + b) * u + rate + 0.43);
    if (us >= 0.07 && v <= squeeze)
      return k;
    if (k < 0 || (us < 0.013 && v > us))
      continue;
    if (std::log(v * inverse_alpha / (a / (us * us) + b)) <= poisson_log_probability(k, rate))
      return k;
  }
  return std::floor(rate);
}

// Hörmann, "The generation of binomial random variates", J. Statistical Computation and Simulation 46, 1993
// (BTRS), for p <= 1/2 and n p >= 10.
double reject_binomial(double n, double p, const DrawPlace& place) {
  const double deviation = std::sqrt(n * p * (1.0 - p));
  const double b = 1.15 + 2.53 * deviation;
  const double a = -0.0873 + 0.0248 * b + 0.01 * p;
  const double center = n * p + 0.5;
  const double squeeze = 0.92 - 4.2 / b;
  const double alpha = (2.83 + 5.1 / b) * deviation;
  const double odds = p / (1.0 - p);
  const double mode = std::floor((n + 1.0) * p);
  const double at_mode = (mode + 0.5) * std::log((mode + 1.0) / (odds * (n - mode + 1.0))) +
                         factorial_error(mode) + factorial_error(n - mode);
  for (std::uint32_t attempt = 0; attempt < attempt_limit; ++attempt) {
    const PhiloxBlock block = draw_block(place, attempt);
    const double u = uniform_open(block[0], block[1]) - 0.5;
    const double v = uniform_open(block[2], block[3]);
    const double us = 0.5 - std::fabs(u);
    const double k = std::floor((2.0 * a / us + b) * u + center);
    if (us >= 0.07 && v <= squeeze)
      return k;
    if (k < 0 || k > n)
      continue;
    const double bound = at_mode + (n + 1.0) * std::log((n - mode + 1.0) / (n - k + 1.0)) +
                         (k + 0.5) * std::log(odds * (n - k + 1.0) / (k + 1.0)) - factorial_error(k) -
                         factorial_error(n - k);
    if (std::log(v * alpha / (a / (us * us) + b)) <= bound)
      return k;
  }
  return mode;
}

} // namespace

// Below 1: Gamma(alpha) = Gamma(alpha + 1) u^(1/alpha), in logarithms; u from the block without attempt.
double sample_log_gamma(double alpha, const DrawPlace& place) {
  if (!(alpha > 0) || std::isinf(alpha))
    return nan;
  if (alpha < 1.0) {
    const GammaParts parts = marsaglia_tsang(alpha + 1.0, place);
    return std::log(parts.scale) + parts.log_factor + std::log(uniform_at(place)) / alpha;
  }
  const GammaParts parts = marsaglia_tsang(alpha, place);
  return std::log(parts.scale) + parts.log_factor;
}

double sample_gamma(double alpha, const DrawPlace& place) {
  if (!(alpha >= 1.0) || std::isinf(alpha))
    return std::exp(sample_log_gamma(alpha, place));
  const GammaParts parts = marsaglia_tsang(alpha, place);
  return parts.scale * std::exp(parts.log_factor);
}

double sample_poisson(double rate, const DrawPlace& place) {
  if (!(rate >= 0 && rate <= largest_count))
    return nan;
  return rate < 10.0 ? invert_poisson(rate, uniform_at(place)) : reject_poisson(rate, place);
}

double sample_binomial(double n, double p, const DrawPlace& place) {
  if (!(n >= 0 && n <= largest_count) || n != std::floor(n) || !(p >= 0 && p <= 1))
    return nan;
  if (p > 0.5)
    return n - sample_binomial(n, 1.0 - p, place);
  if (n * p < 10.0)
    return invert_binomial(n, p, uniform_at(place));
  return reject_binomial(n, p, place);
}

} // namespace plait::runtime
