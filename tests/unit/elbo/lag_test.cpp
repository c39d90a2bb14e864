// Reads of earlier elements of an array inside the `for` that fills it.
#include "tests/unit/elbo/build.hpp"

#include <cmath>
#include <numbers>

using namespace plait;
using test::Objective;
using test::Setting;

namespace {

Setting series(std::vector<double> y) {
  Setting setting;
  setting.sizes = {{"N", static_cast<std::int64_t>(y.size())}};
  setting.data["y"] = std::move(y);
  return setting;
}

double log_normal(double x, double mean, double scale) {
  const double u = (x - mean) / scale;
  return -0.5 * u * u - std::log(scale) - 0.5 * std::log(2 * std::numbers::pi);
}

/// ELBO of a model that consists of factors.
double factors(const std::string& body, std::vector<double> y) {
  return Objective("data y : real[N];\nmodel {\n" + body + "}\n", series(std::move(y))).evaluate().elbo;
}

} // namespace

TEST_CASE("an element before the one being set can be read", "[lag]") {
  CHECK(factors("for t in 0..N { h[t] = t == 0 ? y[t] : 0.5 * h[t - 1] + y[t]; factor(h[t]); }", {1, 2, 4}) ==
        Approx(1 + 2.5 + 5.25));
  // Two steps back, and integers stay integers.
  CHECK(factors("for t in 0..N { f[t] = t < 2 ? 1 : f[t - 1] + f[t - 2]; factor(y[t] * f[t]); }",
                {1, 1, 1, 1, 10}) == Approx(1 + 1 + 2 + 3 + 50));
  // After the statement that sets the element.
  CHECK(factors("for t in 0..N { h[t] = y[t]; if (t > 0) { factor(h[t] * h[t - 1]); } }", {1, 2, 4}) ==
        Approx(2 + 8));
  // In reverse.
  CHECK(factors("for t in reverse 0..N { h[t] = t == N - 1 ? y[t] : 2 * h[t + 1] + y[t]; } factor(h[0]);",
                {1, 2, 4}) == Approx(1 + 2 * (2 + 2 * 4)));
  // Vectors take their shape from what they are computed with.
  CHECK(factors("A = [[1, 2], [0, 1]]; for t in 0..N { h[t] = t == 0 ? [1, 1] : A @ h[t - 1]; "
                "factor(y[t] * sum(h[t])); }",
                {1, 10, 100}) == Approx(2 + 40 + 600));
}

TEST_CASE("an element takes its shape from the function it is handed to", "[lag]") {
  Objective objective("data y : real[N]; fun next(h : real[2]) -> real[2] { return 2 * h + [1, 2]; }\n"
                      "model { for t in 1..N { h[t] = next(h[t - 1]); factor(y[t] * h[t, 1]); } }\n",
                      series({1, 1, 10}));
  CHECK(objective.evaluate().elbo == Approx(2 + 60));
}

TEST_CASE("numbers of a plate's element can be joined into an array", "[lag]") {
  CHECK(factors("iarange i in N { a = concat(y[i], [1, 2]); factor(a[0] * a[2]); }", {1, 2, 4}) ==
        Approx(14));
}

TEST_CASE("an element before the first one is 0", "[lag]") {
  CHECK(factors("for t in 1..N { h[t] = h[t - 1] + y[t]; factor(h[t]); }", {100, 2, 4}) == Approx(2 + 6));
}

TEST_CASE("a lag inside an inner loop and over the rows of an outer one", "[lag]") {
  CHECK(factors("for t in 0..N { for s in 0..2 { h[t, s] = t == 0 ? y[t] : h[t - 1, s] + s; } "
                "factor(h[t, 1]); }",
                {1, 0, 0}) == Approx(1 + 2 + 3));
}

TEST_CASE("a latent chain is scored at the guide's values", "[lag]") {
  Objective objective("data y : real[N];\n"
                      "model { for t in 0..N {\n"
                      "  z[t] ~ normal(t == 0 ? 0 : 0.9 * z[t - 1], 0.5);\n"
                      "  y[t] ~ normal(z[t], 1); } }\n"
                      "guide { param m : real[N];\n for t in 0..N { z[t] ~ delta(m[t]); } }\n",
                      series({1, 2, -1}));
  const std::vector<double> m{0.3, 0.7, -0.2};
  const auto expected = [](const std::vector<double>& z) {
    const double y[] = {1, 2, -1};
    double total = 0;
    for (std::size_t t = 0; t < 3; ++t)
      total += log_normal(z[t], t == 0 ? 0 : 0.9 * z[t - 1], 0.5) + log_normal(y[t], z[t], 1);
    return total;
  };
  objective.set_parameter("m", m);
  const auto value = objective.evaluate();
  CHECK(value.elbo == Approx(expected(m)).epsilon(1e-12));
  for (std::size_t k = 0; k < 3; ++k) {
    std::vector<double> up = m, down = m;
    up[k] += 1e-5;
    down[k] -= 1e-5;
    CHECK(value.gradient.at("m")[k] == Approx((expected(up) - expected(down)) / 2e-5).epsilon(1e-7));
  }
}

TEST_CASE("a guide that reads its own earlier draws", "[lag]") {
  // q(z_t | z_{t-1}) is the prior, so log p - log q leaves the likelihood of a deterministic chain.
  Objective objective("data y : real[N];\n"
                      "model { for t in 0..N {\n"
                      "  z[t] ~ normal(t == 0 ? 0 : z[t - 1], 0.5);\n"
                      "  y[t] ~ normal(z[t], 1); } }\n"
                      "guide { for t in 0..N { z[t] ~ normal(t == 0 ? 0 : z[t - 1], 0.5); } }\n",
                      series({1, 2, -1}));
  // E log N(y_t; z_t, 1) with Var z_t = 0.25 (t + 1).
  double expected = 0;
  const double y[] = {1, 2, -1};
  for (int t = 0; t < 3; ++t)
    expected += log_normal(y[t], 0, 1) - 0.5 * 0.25 * (t + 1);
  const auto mean = objective.average(4000);
  CHECK(std::abs(mean.elbo - expected) < 4 * mean.elbo_error);
  CHECK(mean.elbo_error < 0.05);
}

TEST_CASE("what cannot be read ahead is an error", "[lag]") {
  const auto refused = [](const std::string& body) {
    const Source source{"test.ppl", "data y : real[N];\nmodel {\n" + body + "}\n"};
    Diagnostics diagnostics;
    const ast::Program file = parse(source, diagnostics);
    REQUIRE_FALSE(diagnostics.has_errors());
    (void)program::check(file, {{}, {{"N", 3}}}, diagnostics);
    return diagnostics.has_errors() ? render(source, diagnostics) : std::string();
  };
  CHECK_THAT(refused("for t in 0..N { h[t] = h[t] + 1; }"), Catch::Contains("already set"));
  CHECK_THAT(refused("for t in 0..N { h[t] = t < N - 1 ? h[t + 1] : 1; }"), Catch::Contains("already set"));
  CHECK_THAT(refused("for t in 0..N { h[t] = h[t - 1]; }"), Catch::Contains("-1"));
  CHECK_THAT(refused("for t in 1..N { h[t] = concat(h[t - 1], 1.0); }"), Catch::Contains("one type"));
  CHECK_THAT(refused("for t in 0..N { h[t] = k[t - 1]; }"), Catch::Contains("unknown name"));
  CHECK_THAT(refused("for t in 0..N { x = t == 0 ? 0 : h[t - 1]; iarange i in 2 { h[t] = x + i; } }"),
             Catch::Contains("plate"));
}

TEST_CASE("the score function of a chain of discrete draws", "[lag]") {
  Objective objective("data y : real[N];\n"
                      "model { for t in 0..N { z[t] ~ bernoulli(t == 0 ? 0.5 : 0.2 + 0.5 * z[t - 1]);\n"
                      "  y[t] ~ normal(z[t], 1); } }\n"
                      "guide { param a : unit; param b : unit;\n"
                      "  for t in 0..N { z[t] ~ bernoulli(t == 0 ? a : b * (1 - 0.6 * z[t - 1])); } }\n",
                      series({1, 2, -1}));
  const auto expected = [](double u, double v) {
    const double y[] = {1, 2, -1};
    const double a = 1 / (1 + std::exp(-u)), b = 1 / (1 + std::exp(-v));
    double total = 0;
    for (unsigned path = 0; path < 8; ++path) {
      double q = 1, difference = 0;
      for (unsigned t = 0; t < 3; ++t) {
        const unsigned z = path >> t & 1, before = t ? path >> (t - 1) & 1 : 0;
        const double one_q = t == 0 ? a : b * (1 - 0.6 * before), one_p = t == 0 ? 0.5 : 0.2 + 0.5 * before;
        q *= z ? one_q : 1 - one_q;
        difference +=
            std::log(z ? one_p : 1 - one_p) + log_normal(y[t], z, 1) - std::log(z ? one_q : 1 - one_q);
      }
      total += q * difference;
    }
    return total;
  };
  const double u = -0.4, v = 0.8, step = 1e-5;
  objective.set_parameter("a", {u});
  objective.set_parameter("b", {v});
  const auto mean = objective.average(20000);
  CHECK(std::abs(mean.elbo - expected(u, v)) < 4 * mean.elbo_error);
  const double by_a = (expected(u + step, v) - expected(u - step, v)) / (2 * step);
  const double by_b = (expected(u, v + step) - expected(u, v - step)) / (2 * step);
  CHECK(std::abs(mean.gradient.at("a")[0] - by_a) < 4 * mean.error.at("a")[0]);
  CHECK(std::abs(mean.gradient.at("b")[0] - by_b) < 4 * mean.error.at("b")[0]);
  CHECK(mean.error.at("b")[0] < 0.02);
}
