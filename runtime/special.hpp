#pragma once

// Special functions of double arguments, to about 1e-13 relative (absolute near a zero of the function)
// unless said otherwise. Arguments outside the domain give NaN. All are thread-safe.

#include <span>

namespace plait::runtime {

double digamma(double x);            // d log Gamma(x) / dx; poles at 0, -1, -2, … give NaN
double trigamma(double x);           // d digamma(x) / dx; poles give infinity
double log_gamma(double x);          // log |Gamma(x)|; poles give infinity
double log_beta(double a, double b); // log(Gamma(a) Gamma(b) / Gamma(a + b)), a, b > 0

// log Gamma(x) = (x - 1/2) log x - x + log(2 pi)/2 + stirling_error(x), x > 0.
double stirling_error(double x);

// e - log(1 + e), e > -1, without cancellation near 0.
double minus_log1p(double e);

double log1p_exp(double x);                         // log(1 + exp x), the softplus
double log1m_exp(double x);                         // log(1 - exp x), x < 0
double log_sum_exp(std::span<const double> values); // log sum exp; -infinity for no values

double erfcx(double x);           // exp(x^2) erfc(x)
double normal_cdf(double x);      // P(Z <= x) for a standard normal Z
double normal_log_cdf(double x);  // its logarithm, finite far into the lower tail
double normal_quantile(double p); // inverse of normal_cdf; 0 and 1 give -infinity and infinity

double gamma_p(double a, double x); // P(a, x) = integral_0^x t^(a-1) e^-t dt / Gamma(a), a > 0, x >= 0
double gamma_q(double a, double x); // 1 - P(a, x); below x = a + 1 only to 1e-15 absolute
double beta_i(double a, double b, double x); // I_x(a, b), a, b > 0, 0 <= x <= 1

// Implicit reparameterization (Figurnov, Mohamed & Mnih 2018): how a draw x of Gamma(alpha, 1) moves with
// alpha at a fixed level of its distribution function, dx/dalpha = -(dP(alpha, x)/dalpha) / pdf(x), to 1e-8
// relative or better.
double gamma_sample_derivative(double alpha, double x);

// d log x / dalpha in terms of log x: stays finite where x underflows, as it does for small alpha.
double log_gamma_sample_derivative(double alpha, double log_x);

} // namespace plait::runtime
