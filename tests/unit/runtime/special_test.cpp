#include "runtime/special.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <numbers>
#include <string>
#include <vector>

using namespace plait::runtime;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

const nlohmann::json& oracle() {
  static const nlohmann::json table = [] {
    std::ifstream file(PLAIT_SOURCE_DIR "/tests/oracles/special_functions.json");
    REQUIRE(file.good());
    return nlohmann::json::parse(file);
  }();
  return table;
}

// Every row of the oracle within `relative` of the value, or `absolute` where the function passes zero.
void check_rows(const std::string& name, const std::function<double(const std::vector<double>&)>& function,
                double relative, double absolute = 0) {
  const auto& rows = oracle().at(name);
  REQUIRE(rows.size() > 5);
  for (const auto& row : rows) {
    auto arguments = row.get<std::vector<double>>();
    const double expected = arguments.back();
    arguments.pop_back();
    const double value = function(arguments);
    CAPTURE(name, arguments, expected, value, (value - expected) / expected);
    // Below the normal range a double has fewer digits.
    CHECK(std::fabs(value - expected) <= relative * std::fabs(expected) + absolute + 1e-307);
  }
}

void check_unary(const std::string& name, double (*function)(double), double relative, double absolute = 0) {
  check_rows(name, [function](const std::vector<double>& x) { return function(x[0]); }, relative, absolute);
}

void check_binary(const std::string& name, double (*function)(double, double), double relative,
                  double absolute = 0) {
  check_rows(
      name, [function](const std::vector<double>& x) { return function(x[0], x[1]); }, relative, absolute);
}

} // namespace

TEST_CASE("Gamma family agrees with the oracle") {
  check_unary("digamma", digamma, 1e-14, 1e-15);
  check_unary("trigamma", trigamma, 1e-13);
  check_unary("log_gamma", log_gamma, 1e-14, 1e-15);
  check_unary("stirling_error", stirling_error, 1e-13, 1e-14);
  check_binary("log_beta", log_beta, 1e-14, 1e-14);
}

TEST_CASE("Logarithmic helpers agree with the oracle") {
  check_unary("minus_log1p", minus_log1p, 1e-14);
  check_unary("log1p_exp", log1p_exp, 1e-15);
  check_unary("log1m_exp", log1m_exp, 1e-15);
  const std::vector<double> values{1000.0, 1000.0 + std::numbers::ln2, 999.0};
  CHECK(log_sum_exp(values) == Approx(1000.0 + std::log(3.0 + std::exp(-1.0))).epsilon(1e-15));
  CHECK(log_sum_exp({}) == -infinity);
  CHECK(log_sum_exp(std::vector<double>{-infinity, -infinity}) == -infinity);
  CHECK(log_sum_exp(std::vector<double>{infinity, 1.0}) == infinity);
  CHECK(std::isnan(log_sum_exp(std::vector<double>{1.0, std::nan("")})));
}

TEST_CASE("Normal family agrees with the oracle") {
  check_unary("erfcx", erfcx, 1e-14);
  check_unary("normal_cdf", normal_cdf,
              1e-12); // the argument's own rounding is worth x^2 ulp in the far tail
  check_unary("normal_log_cdf", normal_log_cdf, 1e-14);
  check_unary("normal_quantile", normal_quantile, 1e-13);
  CHECK(normal_quantile(0.5) == 0.0);
  CHECK(normal_quantile(0.0) == -infinity);
  CHECK(normal_quantile(1.0) == infinity);
  CHECK(normal_log_cdf(-infinity) == -infinity);
}

TEST_CASE("Incomplete gamma and beta functions agree with the oracle") {
  check_binary("gamma_p", gamma_p, 2e-13);
  // Below x = a + 1, Q is 1 - P, with the absolute error of P.
  check_binary("gamma_q", gamma_q, 2e-13, 1e-15);
  check_rows("beta_i", [](const std::vector<double>& x) { return beta_i(x[0], x[1], x[2]); }, 3e-13);
}

TEST_CASE("Incomplete gamma for huge shapes follows the normal limit with its first correction") {
  // P(a, a) = 1/2 + 1/(3 sqrt(2 pi a)) + O(a^-3/2) (DLMF 8.11.12).
  for (const double a : {2e7, 1e9, 1e12}) {
    CHECK(gamma_p(a, a) - 0.5 == Approx(1.0 / (3.0 * std::sqrt(2.0 * std::numbers::pi * a))).epsilon(1e-6));
    CHECK(gamma_p(a, 1.05 * a) == 1.0);
    CHECK(gamma_q(a, 1.05 * a) < 1e-300);
  }
  // Both sides of the switch to the uniform expansion.
  for (const double z : {-5.0, -1.0, 0.1, 3.0}) {
    const double a = 1e7, x = a + z * std::sqrt(a);
    const double below = gamma_p(a * (1 - 1e-12), x * (1 - 1e-12));
    const double above = gamma_p(a * (1 + 1e-12), x * (1 + 1e-12));
    CHECK(above == Approx(below).epsilon(1e-9));
  }
}

TEST_CASE("Arguments outside the domain give NaN, and limits are met") {
  CHECK(std::isnan(digamma(0.0)));
  CHECK(std::isnan(digamma(-3.0)));
  CHECK(trigamma(-2.0) == infinity);
  CHECK(std::isnan(log1m_exp(1e-9)));
  CHECK(std::isnan(normal_quantile(1.5)));
  CHECK(std::isnan(gamma_p(-1.0, 1.0)));
  CHECK(std::isnan(gamma_p(1.0, -1.0)));
  CHECK(gamma_p(2.0, 0.0) == 0.0);
  CHECK(gamma_p(2.0, infinity) == 1.0);
  CHECK(gamma_q(2.0, infinity) == 0.0);
  CHECK(std::isnan(beta_i(1.0, 0.0, 0.5)));
  CHECK(beta_i(2.0, 3.0, 0.0) == 0.0);
  CHECK(beta_i(2.0, 3.0, 1.0) == 1.0);
  CHECK(std::isnan(gamma_sample_derivative(0.0, 1.0)));
  CHECK(std::isnan(gamma_sample_derivative(1.0, -1.0)));
  CHECK(gamma_sample_derivative(0.01, 0.0) == 0.0);
}

TEST_CASE("The gamma draw's derivative agrees with the oracle") {
  check_binary("gamma_sample_derivative", gamma_sample_derivative, 1e-8);
  check_rows(
      "gamma_sample_derivative",
      [](const std::vector<double>& x) { return x[1] * log_gamma_sample_derivative(x[0], std::log(x[1])); },
      1e-8);
}

TEST_CASE("The gamma draw's derivative meets the published values") {
  CHECK(gamma_sample_derivative(0.5, 0.2) == Approx(0.79405057).epsilon(1e-8));
  CHECK(gamma_sample_derivative(1.0, 1.0) == Approx(1.17356303).epsilon(1e-8));
  CHECK(gamma_sample_derivative(2.5, 1.7) == Approx(0.87504438).epsilon(1e-8));
  CHECK(gamma_sample_derivative(10.0, 8.0) == Approx(0.90754772).epsilon(1e-8));
}

TEST_CASE("The gamma draw's derivative equals the difference of quantiles") {
  // x(alpha + h) - x(alpha - h) at one level, each found by Newton's method on P.
  const auto quantile = [](double alpha, double level, double start) {
    double x = start;
    for (int iteration = 0; iteration < 60; ++iteration)
      x -= (gamma_p(alpha, x) - level) / std::exp((alpha - 1) * std::log(x) - x - log_gamma(alpha));
    return x;
  };
  for (const auto& [alpha, x] :
       std::vector<std::pair<double, double>>{{0.4, 0.3}, {1.7, 1.1}, {6.0, 9.0}, {40.0, 37.0}}) {
    const double level = gamma_p(alpha, x), h = 1e-4 * alpha;
    const double slope = (quantile(alpha + h, level, x) - quantile(alpha - h, level, x)) / (2 * h);
    CHECK(gamma_sample_derivative(alpha, x) == Approx(slope).epsilon(1e-6));
  }
}

TEST_CASE(
    "The expectation of the derivative is that of the draw: E dx/dalpha = 1, E dlog x/dalpha = trigamma") {
  // By the midpoint rule in t = log x; the integrands decay at both ends.
  for (const double alpha : {0.1, 0.5, 1.0, 2.5, 30.0, 999.5, 1000.5, 1e5}) {
    const double low = alpha < 30 ? -40.0 / alpha : std::log(alpha) - 12.0 / std::sqrt(alpha) - 2.0;
    const double high = std::log(alpha + 12.0 * std::sqrt(alpha) + 40.0);
    const int count = 40000;
    const double width = (high - low) / count;
    double mass = 0, mean = 0, log_mean = 0;
    for (int index = 0; index < count; ++index) {
      const double t = low + (index + 0.5) * width;
      const double weight = width * std::exp(alpha * t - std::exp(t) - log_gamma(alpha));
      if (weight == 0)
        continue;
      const double derivative = log_gamma_sample_derivative(alpha, t);
      mass += weight;
      mean += weight * derivative * std::exp(t);
      log_mean += weight * derivative;
    }
    CAPTURE(alpha);
    CHECK(mass == Approx(1.0).epsilon(1e-7));
    CHECK(mean == Approx(1.0).epsilon(1e-6));
    CHECK(log_mean == Approx(trigamma(alpha)).epsilon(1e-6));
  }
}

TEST_CASE("The gamma draw's derivative is finite for every draw that occurs") {
  for (double alpha = 1e-3; alpha <= 1.1e6; alpha *= 1.9)
    for (double level = -39; level <= 39; level += 0.5) {
      // Draws from far in the lower tail to far in the upper one.
      const double log_x = alpha < 1 ? (level < 0 ? level * 18 / alpha : std::log(1 + level))
                                     : std::log(std::fmax(1e-300, alpha + level / 4 * std::sqrt(alpha)));
      const double derivative = log_gamma_sample_derivative(alpha, log_x);
      CAPTURE(alpha, log_x);
      CHECK(std::isfinite(derivative));
      CHECK(derivative > 0);
      const double direct = gamma_sample_derivative(alpha, std::exp(log_x));
      CHECK(std::isfinite(direct));
      CHECK(direct >= 0);
    }
}
