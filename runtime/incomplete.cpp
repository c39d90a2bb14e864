// The incomplete gamma and beta functions, and the derivative of a gamma draw with respect to its shape.

#include "runtime/special.hpp"

#include <array>
#include <cmath>
#include <limits>

namespace plait::runtime {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr double sqrt_two_pi = 2.5066282746310005024157652848110;
constexpr double half_log_two_pi = 0.91893853320467274178032973640562;

// A value and its derivative with respect to the shape parameter a.
struct Dual {
  double value;
  double slope;
};

// r - 1 - log r with r = 1 + e, each form where it keeps its digits.
double deviance(double r, double e) {
  return std::fabs(e) < 0.5 ? minus_log1p(e) : e - std::log(r);
}

// x^a e^-x / Gamma(a + 1) for x > 0, the largest terms cancelled first: with x = a r,
// log = -a (r - 1 - log r) - log(2 pi a) / 2 - stirling_error(a).
double gamma_power(double a, double x) {
  if (a < 10.0)
    return std::exp(a * std::log(x) - x - log_gamma(a + 1.0));
  return std::exp(-a * deviance(x / a, (x - a) / a) - stirling_error(a)) / (sqrt_two_pi * std::sqrt(a));
}

// S(a, x) = sum_n x^n / ((a + 1) … (a + n)), for which P(a, x) = x^a e^-x / Gamma(a + 1) * S (DLMF 8.7.1).
Dual series_sum(double a, double x) {
  double term = 1, logarithmic_slope = 0;
  Dual sum{1, 0};
  for (double n = 1;; ++n) {
    const double inverse = 1.0 / (a + n);
    term *= x * inverse;
    logarithmic_slope -= inverse;
    sum.value += term;
    sum.slope += term * logarithmic_slope;
    // Terms fall geometrically once x < a + n; the slope's terms carry a factor that grows like log n.
    if (x < a + n && term * (1.0 - logarithmic_slope) < 0.1 * epsilon * sum.value * (1.0 - x / (a + n + 1)))
      return sum;
  }
}

// G(a, x) with Gamma(a, x) = x^a e^-x G, by the continued fraction
// 1/(x + 1 - a - 1 (1 - a)/(x + 3 - a - 2 (2 - a)/(x + 5 - a - …))) (DLMF 8.9.2), evaluated by the modified
// Lentz method (Thompson & Barnett 1986) together with its derivative.
Dual fraction_value(double a, double x) {
  const double tiny = 1e-300;
  Dual b{x + 1.0 - a, -1.0};
  // C and D of Lentz's method; the value is the product of their ratios.
  Dual c{1.0 / tiny, 0};
  Dual d{1.0 / b.value, -b.slope / (b.value * b.value)};
  Dual h = d;
  for (double n = 1; n < 100000; ++n) {
    const Dual numerator{-n * (n - a), n};
    b.value += 2.0;
    Dual below{numerator.value * d.value + b.value,
               numerator.slope * d.value + numerator.value * d.slope + b.slope};
    if (std::fabs(below.value) < tiny)
      below.value = tiny;
    d = {1.0 / below.value, -below.slope / (below.value * below.value)};
    c = {b.value + numerator.value / c.value,
         b.slope + (numerator.slope - numerator.value * c.slope / c.value) / c.value};
    if (std::fabs(c.value) < tiny)
      c.value = tiny;
    const Dual ratio{c.value * d.value, c.slope * d.value + c.value * d.slope};
    h = {h.value * ratio.value, h.slope * ratio.value + h.value * ratio.slope};
    if (std::fabs(ratio.value - 1.0) < epsilon &&
        std::fabs(ratio.slope * h.value) <= epsilon * std::fabs(h.slope))
      break;
  }
  return h;
}

// For the derivative the series serves left of the mode and for all small x, where the fraction is slow;
// further right its sum would grow like 1/Q.
bool prefers_series(double a, double x) {
  return x < std::fmax(a + 1.0, 3.0);
}

// Temme's uniform expansion, cut after c_1, for a so large that this is exact to rounding
// (DLMF 8.12.3-8.12.10): Q(a, x) = erfc(eta sqrt(a/2)) / 2 + exp(-a eta^2 / 2) / sqrt(2 pi a) (c_0 + c_1 /
// a), eta^2 / 2 = e - log(1 + e).
constexpr double uniform_from = 1e7;

double uniform_q(double a, double e, double sign) {
  const double half_square = minus_log1p(e);
  const double eta = std::copysign(std::sqrt(2.0 * half_square), e);
  double c_0 = -1.0 / 3, c_1 = -1.0 / 540;
  if (std::fabs(e) > 1e-5) {
    c_0 = 1.0 / e - 1.0 / eta;
    if (std::fabs(e) > 1e-3)
      c_1 = 1.0 / (eta * eta * eta) - 1.0 / (e * e * e) - 1.0 / (e * e) - 1.0 / (12.0 * e);
  }
  return 0.5 * std::erfc(sign * eta * std::sqrt(0.5 * a)) +
         sign * std::exp(-a * half_square) / (sqrt_two_pi * std::sqrt(a)) * (c_0 + c_1 / a);
}

// The distribution functions' tails: P if `lower`, else Q.
double gamma_tail(double a, double x, bool lower) {
  if (!(a > 0) || !(x >= 0) || a == infinity)
    return nan;
  if (x == 0)
    return lower ? 0.0 : 1.0;
  if (x == infinity)
    return lower ? 1.0 : 0.0;
  const double e = (x - a) / a;
  if (a > uniform_from && std::fabs(e) < 0.1)
    return uniform_q(a, e, lower ? -1.0 : 1.0);
  if (x < a + 1.0) {
    const double p = gamma_power(a, x) * series_sum(a, x).value;
    return lower ? p : 1.0 - p;
  }
  const double q = gamma_power(a, x) * a * fraction_value(a, x).value;
  return lower ? 1.0 - q : q;
}

// The derivative h(x) = dx/da of a draw at fixed level solves h' = (1 - (a - 1)/x) h + psi(a) - log x:
// differentiate dP/da + pdf h = 0 by x. With x = a (1 + e) and h = sum_k h_k(e) a^-k, and log a - psi(a) =
// sum_k d_k a^-k, the solution that stays bounded has
//   e h_0 = (1 + e) log(1 + e),   e h_k = (1 + e) h'_{k-1} - h_{k-1} + (1 + e) d_k.
// The powers of e of these h_k:
constexpr int expansion_orders = 5;
constexpr int expansion_degree = 24;
using Expansion = std::array<std::array<double, expansion_degree + expansion_orders>, expansion_orders>;

constexpr Expansion expand_derivative() {
  constexpr std::array<double, expansion_orders> d{0, 1.0 / 2, 1.0 / 12, 0, -1.0 / 120};
  Expansion h{};
  constexpr int length = expansion_degree + expansion_orders;
  h[0][0] = 1;
  for (int j = 1; j < length; ++j)
    h[0][j] = (j % 2 == 1 ? 1.0 : -1.0) / (j * (j + 1.0));
  for (int k = 1; k < expansion_orders; ++k)
    for (int j = 0; j + 1 + k < length; ++j) {
      const int i = j + 1;
      h[k][j] = (i - 1) * h[k - 1][i] + (i + 1) * h[k - 1][i + 1] + (i <= 1 ? d[k] : 0.0);
    }
  return h;
}

constexpr Expansion derivative_expansion = expand_derivative();
constexpr double expansion_from = 1000.0; // shape from which five orders reach 1e-12
constexpr double expansion_reach = 0.3;   // |e| up to which 24 powers do

double expanded_derivative(double a, double e) {
  double sum = 0;
  for (int k = expansion_orders; k-- > 0;) {
    double order = 0;
    for (int j = expansion_degree; j-- > 0;)
      order = order * e + derivative_expansion[k][j];
    sum = sum / a + order;
  }
  return sum;
}

// d log x / da, with x = exp(log_x) given as well.
// From the series: P = pdf(x) x S / a gives -(log x - psi(a + 1)) S / a - S_a / a.
// From the fraction: Q = pdf(x) x G gives (log x - psi(a)) G + G_a.
double relative_derivative(double a, double x, double log_x) {
  const double e = (x - a) / a;
  if (a >= expansion_from && std::fabs(e) <= expansion_reach)
    return expanded_derivative(a, e) / x;
  if (prefers_series(a, x)) {
    const Dual sum = series_sum(a, x);
    return -((log_x - digamma(a + 1.0)) * sum.value + sum.slope) / a;
  }
  const Dual fraction = fraction_value(a, x);
  return (log_x - digamma(a)) * fraction.value + fraction.slope;
}

// x^a (1 - x)^b / B(a, b) for 0 < x < 1, the largest terms cancelled first where both are large.
double beta_power(double a, double b, double x) {
  if (a < 10.0 || b < 10.0)
    return std::exp(a * std::log(x) + b * std::log1p(-x) - log_beta(a, b));
  const double excess = b * x - a * (1.0 - x);
  const double exponent =
      a * deviance(x * ((a + b) / a), excess / a) + b * deviance((1.0 - x) * ((a + b) / b), -excess / b);
  const double correction = stirling_error(a + b) - stirling_error(a) - stirling_error(b);
  return std::exp(correction - exponent - half_log_two_pi) * std::sqrt(a * (b / (a + b)));
}

// I_x(a, b) by its continued fraction (DLMF 8.17.22) and the modified Lentz method; x below the mean.
double beta_fraction(double a, double b, double x) {
  const double tiny = 1e-300;
  const auto guard = [&](double value) { return std::fabs(value) < tiny ? tiny : value; };
  double c = 1.0;
  double d = 1.0 / guard(1.0 - (a + b) * x / (a + 1.0));
  double h = d;
  for (double m = 1; m < 1000000; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m));
    d = 1.0 / guard(1.0 + even * d);
    c = guard(1.0 + even / c);
    h *= c * d;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0));
    d = 1.0 / guard(1.0 + odd * d);
    c = guard(1.0 + odd / c);
    const double ratio = c * d;
    h *= ratio;
    if (std::fabs(ratio - 1.0) < epsilon)
      break;
  }
  return h;
}

} // namespace

double gamma_p(double a, double x) {
  return gamma_tail(a, x, true);
}
double gamma_q(double a, double x) {
  return gamma_tail(a, x, false);
}

double beta_i(double a, double b, double x) {
  if (!(a > 0) || !(b > 0) || a == infinity || b == infinity || !(x >= 0 && x <= 1))
    return nan;
  if (x == 0 || x == 1)
    return x;
  const double power = beta_power(a, b, x);
  if (x <= (a + 1.0) / (a + b + 2.0))
    return power * beta_fraction(a, b, x) / a;
  return 1.0 - power * beta_fraction(b, a, 1.0 - x) / b;
}

double gamma_sample_derivative(double alpha, double x) {
  if (!(alpha > 0) || !(x >= 0) || alpha == infinity || x == infinity)
    return nan;
  if (x == 0)
    return 0;
  return x * relative_derivative(alpha, x, std::log(x));
}

double log_gamma_sample_derivative(double alpha, double log_x) {
  if (!(alpha > 0) || std::isnan(log_x) || alpha == infinity || log_x == infinity)
    return nan;
  return relative_derivative(alpha, std::exp(log_x), log_x);
}

} // namespace plait::runtime
