#include "runtime/jit_functions.hpp"
#include "runtime/samplers.hpp"
#include "runtime/special.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <vector>

using namespace plait::runtime;

namespace {

constexpr int draw_count = 20000;

DrawPlace place_of(int row, std::uint64_t seed) {
  return {.seed = seed, .step = 3, .stream = site_stream("x", 0), .row = std::uint32_t(row), .element = 1};
}

std::vector<double> draw_many(const std::function<double(const DrawPlace&)>& sampler, std::uint64_t seed) {
  std::vector<double> draws(draw_count);
  for (int row = 0; row < draw_count; ++row)
    draws[std::size_t(row)] = sampler(place_of(row, seed));
  return draws;
}

// sqrt(n) sup |F_n - F|; above 1.95 for one good sampler in a thousand (Kolmogorov).
double kolmogorov_distance(std::vector<double> draws, const std::function<double(double)>& cdf) {
  std::sort(draws.begin(), draws.end());
  const double count = static_cast<double>(draws.size());
  double distance = 0;
  for (std::size_t index = 0; index < draws.size(); ++index) {
    const double level = cdf(draws[index]);
    distance = std::max({distance, level - double(index) / count, double(index + 1) / count - level});
  }
  return distance * std::sqrt(count);
}

// The same for draws of integers: the distance at the jumps.
double kolmogorov_distance_of_counts(std::vector<double> draws, const std::function<double(double)>& cdf) {
  std::sort(draws.begin(), draws.end());
  const double count = static_cast<double>(draws.size());
  double distance = 0;
  for (std::size_t index = 0; index < draws.size(); ++index)
    if (index + 1 == draws.size() || draws[index + 1] != draws[index]) {
      distance = std::max(distance, std::fabs(double(index + 1) / count - cdf(draws[index])));
      if (draws[index] > 0)
        distance = std::max(
            distance,
            std::fabs(double(std::lower_bound(draws.begin(), draws.end(), draws[index]) - draws.begin()) /
                          count -
                      cdf(draws[index] - 1)));
    }
  return distance * std::sqrt(count);
}

} // namespace

TEST_CASE("Gamma draws follow the gamma distribution") {
  std::uint64_t seed = 100;
  for (const double alpha : {1e-3, 0.05, 0.3, 0.999, 1.0, 1.5, 4.0, 50.0, 1e4, 1e6}) {
    const auto logs =
        draw_many([&](const DrawPlace& place) { return sample_log_gamma(alpha, place); }, ++seed);
    CAPTURE(alpha);
    CHECK(std::all_of(logs.begin(), logs.end(), [](double value) { return std::isfinite(value); }));
    // For small x, P(alpha, x) = x^alpha / Gamma(alpha + 1), where x itself may underflow.
    const auto cdf = [&](double log_x) {
      return log_x < -300 ? std::exp(alpha * log_x - log_gamma(alpha + 1)) : gamma_p(alpha, std::exp(log_x));
    };
    CHECK(kolmogorov_distance(logs, cdf) < 1.95);
  }
}

TEST_CASE("The draw and its logarithm are the same draw") {
  for (const double alpha : {0.2, 0.9, 1.0, 3.0, 1e5})
    for (int row = 0; row < 50; ++row) {
      const double x = sample_gamma(alpha, place_of(row, 1));
      CHECK(std::log(x) == Approx(sample_log_gamma(alpha, place_of(row, 1))).epsilon(1e-13).margin(1e-13));
    }
  CHECK(sample_gamma(1e-4, place_of(2, 1)) >= 0);
}

TEST_CASE("Poisson draws follow the Poisson distribution") {
  std::uint64_t seed = 200;
  for (const double rate : {0.01, 0.7, 3.0, 9.99, 10.0, 11.5, 40.0, 1234.5, 1e6}) {
    const auto draws = draw_many([&](const DrawPlace& place) { return sample_poisson(rate, place); }, ++seed);
    CAPTURE(rate);
    CHECK(std::all_of(draws.begin(), draws.end(), [](double k) { return k >= 0 && k == std::floor(k); }));
    CHECK(kolmogorov_distance_of_counts(draws, [&](double k) { return gamma_q(k + 1, rate); }) < 1.95);
    double mean = 0, square = 0;
    for (const double k : draws) {
      mean += k / draw_count;
      square += (k - rate) * (k - rate) / draw_count;
    }
    CHECK(std::fabs(mean - rate) < 4.0 * std::sqrt(rate / draw_count));
    CHECK(std::fabs(square - rate) < 4.0 * std::sqrt((2 * rate * rate + rate) / draw_count));
  }
}

TEST_CASE("Binomial draws follow the binomial distribution") {
  struct Case {
    double n, p;
  };
  std::uint64_t seed = 300;
  for (const auto& [n, p] : std::vector<Case>{{1, 0.3},
                                              {10, 0.5},
                                              {19, 0.5},
                                              {20, 0.5},
                                              {30, 0.9},
                                              {1000, 0.005},
                                              {1000, 0.02},
                                              {1000, 0.98},
                                              {100, 0.4},
                                              {1e6, 0.3},
                                              {1e9, 1e-9}}) {
    const auto draws =
        draw_many([&](const DrawPlace& place) { return sample_binomial(n, p, place); }, ++seed);
    CAPTURE(n, p);
    CHECK(std::all_of(draws.begin(), draws.end(),
                      [&](double k) { return k >= 0 && k <= n && k == std::floor(k); }));
    // P(K <= k) = I_{1-p}(n - k, k + 1).
    CHECK(kolmogorov_distance_of_counts(
              draws, [&](double k) { return k >= n ? 1.0 : beta_i(n - k, k + 1, 1 - p); }) < 1.95);
    double mean = 0, square = 0;
    const double variance = n * p * (1 - p);
    for (const double k : draws) {
      mean += k / draw_count;
      square += (k - n * p) * (k - n * p) / draw_count;
    }
    const double fourth = variance + 3 * variance * variance; // an upper bound of the fourth central moment
    CHECK(std::fabs(mean - n * p) < 4.0 * std::sqrt(variance / draw_count));
    CHECK(std::fabs(square - variance) < 4.0 * std::sqrt(fourth / draw_count));
  }
}

TEST_CASE("Edges of the samplers' domains") {
  const DrawPlace place = place_of(0, 1);
  CHECK(std::isnan(sample_gamma(0.0, place)));
  CHECK(std::isnan(sample_log_gamma(-1.0, place)));
  CHECK(std::isnan(sample_gamma(std::nan(""), place)));
  CHECK(sample_poisson(0.0, place) == 0);
  CHECK(std::isnan(sample_poisson(-1.0, place)));
  CHECK(std::isnan(sample_poisson(INFINITY, place)));
  CHECK(sample_binomial(0.0, 0.5, place) == 0);
  CHECK(sample_binomial(50.0, 0.0, place) == 0);
  CHECK(sample_binomial(50.0, 1.0, place) == 50);
  CHECK(std::isnan(sample_binomial(2.5, 0.5, place)));
  CHECK(std::isnan(sample_binomial(5.0, 1.1, place)));
}

TEST_CASE("Every part of a draw's place changes the draw") {
  const DrawPlace base{.seed = 1, .step = 2, .stream = 3, .row = 4, .element = 5};
  for (const auto& sampler : std::vector<std::function<double(const DrawPlace&)>>{
           [](const DrawPlace& place) { return sample_gamma(0.7, place); },
           [](const DrawPlace& place) { return sample_gamma(3.0, place); },
           [](const DrawPlace& place) { return sample_poisson(1e9, place); },
           [](const DrawPlace& place) { return sample_binomial(1e12, 0.4, place); }}) {
    std::vector<double> draws{sampler(base)};
    for (int part = 0; part < 6; ++part) {
      DrawPlace other = base;
      part == 0   ? other.seed += 1
      : part == 1 ? other.seed += std::uint64_t{1} << 32
      : part == 2 ? other.step += 1
      : part == 3 ? other.stream += 1
      : part == 4 ? other.row += 1
                  : other.element += 1;
      draws.push_back(sampler(other));
    }
    CHECK(sampler(base) == draws[0]);
    std::sort(draws.begin(), draws.end());
    CHECK(std::adjacent_find(draws.begin(), draws.end()) == draws.end());
  }
}

TEST_CASE("The C functions give the library's values") {
  CHECK(plait_sample_gamma(0.7, 1, 2, 3, 4, 5) == sample_gamma(0.7, {1, 2, 3, 4, 5}));
  CHECK(plait_sample_gamma_f32(3.0f, 1, 2, 3, 4, 5) ==
        static_cast<float>(sample_gamma(3.0, {1, 2, 3, 4, 5})));
  CHECK(plait_log_gamma_sample(0.7, 1, 2, 3, 4, 5) == sample_log_gamma(0.7, {1, 2, 3, 4, 5}));
  CHECK(plait_sample_poisson(30, 1, 2, 3, 4, 5) == sample_poisson(30, {1, 2, 3, 4, 5}));
  CHECK(plait_sample_binomial(50, 0.4, 1, 2, 3, 4, 5) == sample_binomial(50, 0.4, {1, 2, 3, 4, 5}));
  CHECK(plait_digamma(0.3) == digamma(0.3));
  CHECK(plait_lgamma_f32(4.5f) == static_cast<float>(log_gamma(4.5)));
  CHECK(plait_log_gamma_sample_derivative(0.3, -9.0) == log_gamma_sample_derivative(0.3, -9.0));
}
