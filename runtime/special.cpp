#include "runtime/special.hpp"

#include <cmath>
#include <limits>
#include <numbers>

namespace plait::runtime {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double pi = std::numbers::pi;
constexpr double half_log_two_pi = 0.91893853320467274178032973640562;

// From here on the asymptotic series below, cut where they are, are exact to rounding.
constexpr double asymptotic_from = 10.0;

// coefficients[0] + coefficients[1] x + …
template <std::size_t count>
double polynomial(const double (&coefficients)[count], double x) {
  double sum = 0;
  for (std::size_t index = count; index-- > 0;)
    sum = sum * x + coefficients[index];
  return sum;
}

// sin(pi x) and cos(pi x) with the argument reduced exactly.
double sin_pi(double x) {
  const double rest = x - 2.0 * std::round(0.5 * x);
  return std::fabs(rest) == 1.0 ? 0.0 : std::sin(pi * rest);
}

double cos_pi(double x) {
  const double rest = x - 2.0 * std::round(0.5 * x);
  return std::fabs(rest) == 0.5 ? 0.0 : std::cos(pi * rest);
}

// The Mills ratio (1 - Phi(t)) / phi(t) = 1/(t + 1/(t + 2/(t + 3/(t + …)))), t >= 2.8 (Laplace; DLMF 7.9).
double mills_ratio(double t) {
  double tail = t;
  for (int term = static_cast<int>(30.0 + 900.0 / (t * t)); term > 0; --term)
    tail = t + term / tail;
  return 1.0 / tail;
}

} // namespace

// Recurrence psi(x) = psi(x + 1) - 1/x up to the asymptotic series log x - 1/(2x) - sum B_2k / (2k x^2k)
// (DLMF 5.11.2), reflection psi(1 - x) - psi(x) = pi cot(pi x) below 0 (DLMF 5.5.4).
double digamma(double x) {
  if (std::isnan(x) || x == -infinity)
    return nan;
  if (x <= 0) {
    if (x == std::floor(x))
      return nan;
    return digamma(1.0 - x) - pi * cos_pi(x) / sin_pi(x);
  }
  double shift = 0;
  while (x < asymptotic_from) {
    shift += 1.0 / x;
    x += 1.0;
  }
  static constexpr double series[] = {1.0 / 12,  -1.0 / 120,     1.0 / 252, -1.0 / 240,
                                      1.0 / 132, -691.0 / 32760, 1.0 / 12,  -3617.0 / 8160};
  const double inverse_square = 1.0 / (x * x);
  return std::log(x) - 0.5 / x - inverse_square * polynomial(series, inverse_square) - shift;
}

// As digamma: 1/x + 1/(2x^2) + sum B_2k / x^(2k+1) (DLMF 5.15.8); psi'(1 - x) + psi'(x) = pi^2 / sin^2(pi x).
double trigamma(double x) {
  if (std::isnan(x) || x == -infinity)
    return nan;
  if (x <= 0) {
    if (x == std::floor(x))
      return infinity;
    const double ratio = pi / sin_pi(x);
    return ratio * ratio - trigamma(1.0 - x);
  }
  double shift = 0;
  while (x < asymptotic_from) {
    shift += 1.0 / (x * x);
    x += 1.0;
  }
  static constexpr double series[] = {1.0 / 6,  -1.0 / 30,     1.0 / 42, -1.0 / 30,
                                      5.0 / 66, -691.0 / 2730, 7.0 / 6,  -3617.0 / 510};
  const double inverse = 1.0 / x;
  const double inverse_square = inverse * inverse;
  return inverse + 0.5 * inverse_square + inverse * inverse_square * polynomial(series, inverse_square) +
         shift;
}

// The reentrant form of the C function: the plain one writes a global.
double log_gamma(double x) {
  int sign = 0;
  return ::lgamma_r(x, &sign);
}

// sum B_2k / (2k (2k - 1) x^(2k-1)) (DLMF 5.11.1).
double stirling_error(double x) {
  if (!(x > 0))
    return nan;
  if (x < asymptotic_from)
    return log_gamma(x) - ((x - 0.5) * std::log(x) - x + half_log_two_pi);
  static constexpr double series[] = {1.0 / 12,   -1.0 / 360,      1.0 / 1260, -1.0 / 1680,
                                      1.0 / 1188, -691.0 / 360360, 1.0 / 156,  -3617.0 / 122400};
  const double inverse = 1.0 / x;
  return inverse * polynomial(series, inverse * inverse);
}

// Large arguments through their Stirling errors, so that the large terms cancel before they are formed.
double log_beta(double a, double b) {
  if (!(a > 0) || !(b > 0))
    return nan;
  const double small = std::fmin(a, b);
  const double large = std::fmax(a, b);
  if (large == infinity)
    return -infinity;
  if (large < asymptotic_from)
    return log_gamma(small) + (log_gamma(large) - log_gamma(small + large));
  const double sum = small + large;
  const double correction = stirling_error(large) - stirling_error(sum);
  if (small < asymptotic_from)
    return log_gamma(small) + correction + small - small * std::log(sum) +
           (large - 0.5) * std::log1p(-small / sum);
  return half_log_two_pi - 0.5 * std::log(large) + stirling_error(small) + correction +
         (small - 0.5) * std::log(small / sum) + large * std::log1p(-small / sum);
}

// With r = e / (2 + e): log(1 + e) = 2 (r + r^3/3 + r^5/5 + …) and e - 2 r = e r.
double minus_log1p(double e) {
  if (std::fabs(e) > 0.1)
    return e - std::log1p(e);
  static constexpr double series[] = {1.0 / 3, 1.0 / 5, 1.0 / 7, 1.0 / 9, 1.0 / 11, 1.0 / 13};
  const double r = e / (2.0 + e);
  return r * (e - 2.0 * r * r * polynomial(series, r * r));
}

double log1p_exp(double x) {
  return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}

// The two forms lose least on either side of log(1/2) (Maechler 2012).
double log1m_exp(double x) {
  if (x > 0)
    return nan;
  return x > -std::numbers::ln2 ? std::log(-std::expm1(x)) : std::log1p(-std::exp(x));
}

double log_sum_exp(std::span<const double> values) {
  double largest = -infinity;
  for (const double value : values) {
    if (std::isnan(value))
      return nan;
    largest = std::fmax(largest, value);
  }
  if (std::isinf(largest))
    return largest;
  double sum = 0;
  for (const double value : values)
    sum += std::exp(value - largest);
  return largest + std::log(sum);
}

double erfcx(double x) {
  if (x < 2.0)
    return std::exp(x * x) * std::erfc(x);
  // sqrt(2 / pi) times the Mills ratio at x sqrt 2.
  return 0.79788456080286535587989211986876 * mills_ratio(x * std::numbers::sqrt2);
}

double normal_cdf(double x) {
  return 0.5 * std::erfc(-x / std::numbers::sqrt2);
}

double normal_log_cdf(double x) {
  if (x < -5.0)
    return x == -infinity ? x : -0.5 * x * x - half_log_two_pi + std::log(mills_ratio(-x));
  if (x < 0)
    return std::log(normal_cdf(x));
  return std::log1p(-0.5 * std::erfc(x / std::numbers::sqrt2));
}

// Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37, 1988
// (PPND16).
double normal_quantile(double p) {
  static constexpr double central[] = {
      3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
      4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3};
  static constexpr double central_below[] = {1.0,
                                             4.2313330701600911252e1,
                                             6.8718700749205790830e2,
                                             5.3941960214247511077e3,
                                             2.1213794301586595867e4,
                                             3.9307895800092710610e4,
                                             2.8729085735721942674e4,
                                             5.2264952788528545610e3};
  static constexpr double middle[] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                      5.76949722146069140550e0,  3.64784832476320460504e0,
                                      1.27045825245236838258e0,  2.41780725177450611770e-1,
                                      2.27238449892691845833e-2, 7.74545014278341407640e-4};
  static constexpr double middle_below[] = {1.0,
                                            2.05319162663775882187e0,
                                            1.67638483018380384940e0,
                                            6.89767334985100004550e-1,
                                            1.48103976427480074590e-1,
                                            1.51986665636164571966e-2,
                                            5.47593808499534494600e-4,
                                            1.05075007164441684324e-9};
  static constexpr double outer[] = {6.65790464350110377720e0,  5.46378491116411436990e0,
                                     1.78482653991729133580e0,  2.96560571828504891230e-1,
                                     2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                     2.71155556874348757815e-5, 2.01033439929228813265e-7};
  static constexpr double outer_below[] = {1.0,
                                           5.99832206555887937690e-1,
                                           1.36929880922735805310e-1,
                                           1.48753612908506148525e-2,
                                           7.86869131145613259100e-4,
                                           1.84631831751005468180e-5,
                                           1.42151175831644588870e-7,
                                           2.04426310338993978564e-15};
  if (!(p >= 0 && p <= 1))
    return nan;
  const double q = p - 0.5;
  if (std::fabs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * polynomial(central, r) / polynomial(central_below, r);
  }
  const double tail = q < 0 ? p : 1.0 - p;
  if (tail == 0)
    return std::copysign(infinity, q);
  const double r = std::sqrt(-std::log(tail));
  const double magnitude = r <= 5.0 ? polynomial(middle, r - 1.6) / polynomial(middle_below, r - 1.6)
                                    : polynomial(outer, r - 5.0) / polynomial(outer_below, r - 5.0);
  return std::copysign(magnitude, q);
}

} // namespace plait::runtime
