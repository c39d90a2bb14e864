// Divergences and entropies in closed form: taken where they hold, on programs whose ELBO is known.
#include "tests/unit/elbo/gradients.hpp"

#include <cmath>

using namespace plait::test;

namespace {

constexpr double log_two_pi = 1.8378770664093455;

/** E log N(x | ., s) where the expected square of the difference is `square`. */
double expected_log_normal(double square, double s) {
  return -0.5 * log_two_pi - std::log(s) - 0.5 * square / (s * s);
}
double entropy(double s) {
  return 0.5 * (log_two_pi + 1) + std::log(s);
}
/** KL(N(m, s) || N(a, r)). */
double divergence(double m, double s, double a, double r) {
  return std::log(r / s) + (s * s + (m - a) * (m - a)) / (2 * r * r) - 0.5;
}

void check_mean(Objective& fit, int draws, double exact) {
  const auto mean = fit.average(draws);
  INFO("exact " << exact << ", estimate " << mean.elbo << " +- " << mean.elbo_error);
  CHECK(std::fabs(mean.elbo - exact) < 4.5 * mean.elbo_error + 1e-9 * std::fabs(exact));
  // An error of one percent of the value would be seen.
  CHECK(mean.elbo_error < 0.003 * std::fabs(exact));
}

} // namespace

TEST_CASE("a guide that draws the parent from the child keeps the density of the child", "[elbo][closed]") {
  // KL(q(b) || p(b | a)) at the drawn a is wrong here: a is drawn from b.
  const double m = 0.5, s = 0.7, k = 2, t = 0.3, y = 1;
  for (const char* const objective : {"elbo", "sampled_elbo"}) {
    Setting setting;
    setting.data["y"] = {y};
    setting.options.objective = objective;
    Objective fit(R"(
data y : real;
model { a ~ normal(0, 1); b ~ normal(a, 1); y ~ normal(b, 1); }
guide { b ~ normal(0.5, 0.7); a ~ normal(2 * b, 0.3); }
)",
                  setting);
    const double square = m * m + s * s;
    check_mean(fit, 60000,
               expected_log_normal(k * k * square + t * t, 1) +
                   expected_log_normal((1 - k) * (1 - k) * square + t * t, 1) +
                   expected_log_normal((y - m) * (y - m) + s * s, 1) + entropy(s) + entropy(t));
  }
}

TEST_CASE("a prior inside a sum over a finite latent keeps its density", "[elbo][closed]") {
  // log sum_c p(c) p(z | c) by the trapezoid rule.
  const double y[] = {1.0, 2.0, -1.0};
  double exact = 0;
  for (const double here : y) {
    const double m = 0.5 * here, s = 0.7;
    const int points = 4000;
    for (int i = 0; i <= points; ++i) {
      const double u = -9 + 18.0 * i / points, z = m + s * u;
      const double weight = std::exp(-0.5 * (u * u + log_two_pi)) * 18.0 / points;
      const auto normal = [](double x, double a, double r) {
        return std::exp(-0.5 * (x - a) * (x - a) / (r * r) - 0.5 * log_two_pi) / r;
      };
      exact += weight * (std::log(0.6 * normal(z, -1, 0.5) + 0.4 * normal(z, 2, 0.5)) +
                         expected_log_normal((here - z) * (here - z), 1));
    }
    exact += entropy(s);
  }
  Setting setting;
  setting.sizes["N"] = 3;
  setting.data["y"] = {y[0], y[1], y[2]};
  Objective fit(R"(
data y : real[N];
model {
  iarange i in N {
    c ~ bernoulli(0.4) using enumerate;
    z ~ normal(3 * c - 1, 0.5);
    y[i] ~ normal(z, 1);
  }
}
guide { iarange i in N { z ~ normal(0.5 * y[i], 0.7); } }
)",
                setting);
  check_mean(fit, 40000, exact);
}

TEST_CASE("divergences in a for, whatever loop their parameters come from", "[elbo][closed]") {
  // No data: with every divergence in closed form the estimate is exact on every draw.
  Setting setting;
  Objective fit(R"(
const N = 2;
const T = 3;
const K = 2;
model {
  iarange n in N {
    for t in 0..T {
      for k in 0..K { z[t, k] ~ normal(0.1 * k, 1 + 0.5 * t); }
    }
  }
}
guide {
  iarange n in N {
    for t in 0..T {
      m = 0.3 * t + n;
      for k in 0..K { z[t, k] ~ normal(m, 0.2 + 0.1 * k); }
    }
  }
}
)",
                setting);
  double exact = 0;
  for (int n = 0; n < 2; ++n)
    for (int t = 0; t < 3; ++t)
      for (int k = 0; k < 2; ++k)
        exact -= divergence(0.3 * t + n, 0.2 + 0.1 * k, 0.1 * k, 1 + 0.5 * t);
  for (std::uint32_t step = 0; step < 3; ++step) {
    fit.inputs.step = step;
    CHECK(fit.evaluate().elbo == Approx(exact).epsilon(1e-12));
  }
}

TEST_CASE("divergences along a chain count the iterations that exist", "[elbo][closed]") {
  // q(z_t | z_{t-1}) = N(b z_{t-1} + m, s), p = N(a z_{t-1}, r): KL is quadratic in z_{t-1}.
  Setting setting;
  setting.sizes = {{"N", 2}, {"max(T)", 3}};
  setting.ragged["x"] = ragged_input<double>({{0.3, -0.2, 0.9}, {0.5}});
  const char* const text = R"(
data x : ragged real[N, T];
model {
  iarange n in N {
    prev = 0;
    for t in 0..T[n] { z[t] ~ normal(0.8 * prev, 1.5); x[n, t] ~ normal(z[t], 1); prev = z[t]; }
  }
}
guide {
  param m : real;
  iarange n in N {
    prev = 0;
    for t in 0..T[n] { z[t] ~ normal(0.4 * prev + m + 0.1 * x[n, t], 0.6); prev = z[t]; }
  }
}
)";
  double exact = 0;
  for (const std::vector<double>& row : {std::vector<double>{0.3, -0.2, 0.9}, {0.5}}) {
    double mean = 0, variance = 0;
    for (const double x : row) {
      const double shift = 0.25 + 0.1 * x, gap = 0.4 - 0.8;
      const double away = (gap * mean + shift) * (gap * mean + shift) + gap * gap * variance;
      exact -= std::log(1.5 / 0.6) + (0.36 + away) / (2 * 1.5 * 1.5) - 0.5;
      mean = 0.4 * mean + shift;
      variance = 0.16 * variance + 0.36;
      exact += expected_log_normal((x - mean) * (x - mean) + variance, 1);
    }
  }
  for (const bool sampled : {false, true}) {
    setting.options.objective = sampled ? "sampled_elbo" : "elbo";
    Objective fit(text, setting);
    fit.set_parameter("m", {0.25});
    check_gradients(fit);
    check_mean(fit, 20000, exact);
  }
}

TEST_CASE("a guide that runs against the model's loop keeps densities", "[elbo][closed]") {
  // q draws z_2, then z_1 = N(0.7 z_2, .4), then z_0; the model goes forward.
  Setting setting;
  Objective fit(R"(
const T = 3;
model {
  prev = 0;
  for t in 0..T { z[t] ~ normal(0.9 * prev, 1); prev = z[t]; }
}
guide {
  next = 1;
  for t in reverse 0..T { z[t] ~ normal(0.7 * next, 0.4); next = z[t]; }
}
)",
                setting);
  // Moments of z_2, z_1, z_0 in that order.
  double mean = 1, variance = 0, exact = 0;
  for (int t = 2; t >= 0; --t) {
    const double m = 0.7 * mean, v = 0.49 * variance + 0.16;
    exact += entropy(0.4);
    if (t < 2) // log p(z_{t+1} | z_t), z_t = 0.7 z_{t+1} + e: z_{t+1} - 0.9 z_t = 0.37 z_{t+1} - 0.9 e
      exact += expected_log_normal(0.37 * 0.37 * (variance + mean * mean) + 0.81 * 0.16, 1);
    mean = m;
    variance = v;
  }
  exact += expected_log_normal(mean * mean + variance, 1);
  check_mean(fit, 80000, exact);
}
