// z ~ N(0, 1), x_i | z ~ N(z, 1), x = (1, 2, .5, -.3), q = N(.3, .7^2). Exact:
//   ELBO = -6.6924290768, dELBO/dm = 1.7, dELBO/ds = -2.0714285714.
// With a = sum x - 5 m = 1.7, b = 5 s = 3.5, single-draw variances of the gradient in m: closed-form entropy
// b^2 = 12.25, sticking the landing (b - 1/s)^2 = 4.2908, score function 147.5206.
#include "build.hpp"

using plait::test::Objective;
using plait::test::Setting;

namespace {

const std::string model = R"(
data x : real[N];
model { z ~ normal(0, 1); iarange i in N { x[i] ~ normal(z, 1); } }
guide { param m : real = 0.3; param s : real = 0.7; z ~ normal(m, s); }
)";

const std::string score_model = R"(
data x : real[N];
model { z ~ normal(0, 1); iarange i in N { x[i] ~ normal(z, 1); } }
guide { param m : real = 0.3; param s : real = 0.7; z ~ normal(m, s) using score; }
)";

Objective fixture(const std::string& text, const std::string& objective, int particles, double m = 0.3,
                  double s = 0.7) {
  Setting setting;
  setting.sizes = {{"N", 4}};
  setting.data["x"] = {1.0, 2.0, 0.5, -0.3};
  setting.options.objective = objective;
  setting.options.particles = particles;
  Objective result(text, setting);
  result.set_parameter("m", {m});
  result.set_parameter("s", {s});
  return result;
}

constexpr double exact_elbo = -6.6924290768;
constexpr double exact_m = 1.7;
constexpr double exact_s = -2.0714285714;

} // namespace

TEST_CASE("golden fixture: value and both gradients are unbiased under every pathwise objective") {
  const std::string objective = GENERATE("elbo", "sampled_elbo", "stl");
  Objective fit = fixture(model, objective, 64);
  const auto mean = fit.average(4000);
  INFO(objective);
  CHECK(std::abs(mean.elbo - exact_elbo) < 4 * mean.elbo_error);
  CHECK(std::abs(mean.gradient.at("m")[0] - exact_m) < 4 * mean.error.at("m")[0]);
  CHECK(std::abs(mean.gradient.at("s")[0] - exact_s) < 4 * mean.error.at("s")[0]);
  // The same check told of a wrong answer: twice the gradient is far outside the error.
  CHECK(std::abs(2 * mean.gradient.at("m")[0] - exact_m) > 4 * mean.error.at("m")[0]);
}

TEST_CASE("golden fixture: the variance of each estimator is its closed form") {
  struct Row {
    std::string text, objective;
    double variance;
  };
  const Row row = GENERATE(Row{model, "sampled_elbo", 12.25}, Row{model, "stl", 4.2908},
                           Row{score_model, "sampled_elbo", 147.5206});
  Objective fit = fixture(row.text, row.objective, 1);
  const auto mean = fit.average(150'000);
  INFO(row.objective);
  CHECK(std::abs(mean.gradient.at("m")[0] - exact_m) < 4 * mean.error.at("m")[0]);
  CHECK(mean.variance.at("m")[0] / row.variance == Approx(1).margin(0.03));
}

TEST_CASE("golden fixture: leave-one-out baselines have the closed-form variance") {
  struct Row {
    int particles;
    double variance;
  };
  const Row row = GENERATE(Row{2, 12.2162}, Row{4, 4.7872}, Row{16, 1.0647});
  Objective fit = fixture(score_model, "sampled_elbo", row.particles);
  const auto mean = fit.average(60'000);
  CHECK(std::abs(mean.gradient.at("m")[0] - exact_m) < 4 * mean.error.at("m")[0]);
  CHECK(mean.variance.at("m")[0] / row.variance == Approx(1).margin(0.05));
}

TEST_CASE("at the exact posterior the gradient is zero on every draw") {
  // q = N(0.64, 1/5)
  const double m = 3.2 / 5;
  const double s = std::sqrt(0.2);
  struct Row {
    std::string text, objective;
    int particles;
  };
  const Row row = GENERATE(Row{model, "stl", 1}, Row{model, "iwae", 8}, Row{score_model, "sampled_elbo", 5});
  Objective fit = fixture(row.text, row.objective, row.particles, m, s);
  INFO(row.objective);
  for (std::uint32_t step = 0; step < 20; ++step) {
    fit.inputs.step = step;
    const auto value = fit.evaluate();
    CHECK(std::abs(value.gradient.at("m")[0]) < 1e-10);
    CHECK(std::abs(value.gradient.at("s")[0]) < 1e-10);
  }
}

TEST_CASE("importance-weighted bound: one observation, bound and doubly reparameterized gradient") {
  // x = 1.2, q = N(.3, .7^2): K = 4: bound -1.6502, gradient in m 0.17415; K = 16: -1.6317, 0.0461.
  struct Row {
    int particles;
    double bound, gradient;
  };
  const Row row = GENERATE(Row{4, -1.6502, 0.17415}, Row{16, -1.6317, 0.0461});
  Setting setting;
  setting.sizes = {{"N", 1}};
  setting.data["x"] = {1.2};
  setting.options.objective = "iwae";
  setting.options.particles = row.particles;
  Objective fit(model, setting);
  fit.set_parameter("m", {0.3});
  fit.set_parameter("s", {0.7});
  const auto mean = fit.average(60'000);
  CHECK(std::abs(mean.elbo - row.bound) < 4 * mean.elbo_error + 5e-5);
  CHECK(std::abs(mean.gradient.at("m")[0] - row.gradient) < 4 * mean.error.at("m")[0] + 5e-5);
}
