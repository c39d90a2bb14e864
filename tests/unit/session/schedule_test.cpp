// What changes from step to step, and what limits a step. Points move down a quadratic by plain gradient
// descent, so that every iterate is known in closed form.
#include "plait/plait.hpp"

#include <catch2/catch.hpp>

#include <cmath>

namespace {

// -ELBO = m^2 / 2 + (m - 1)^2 / 2 + constants.
const std::string program = R"(data x : real[N];
model { z ~ normal(0, 1); iarange i in N { x[i] ~ normal(z, 1); } }
guide { param m : real = 3; z ~ delta(m); }
)";

plait::Data data() {
  plait::Data result;
  result.set("x", {1}, {1});
  return result;
}

plait::FitOptions options() {
  plait::FitOptions result;
  result.steps = 8;
  result.threads = 1;
  result.optimizer = "sgd";
  result.learning_rate = 0.1;
  result.report_every = 1;
  result.compile.precision = plait::Precision::f64;
  return result;
}

double value_of(const plait::Fit& fit, const std::string& parameter) {
  return fit.summary(parameter).mean.at(0);
}

double bound(double m) {
  return -0.5 * m * m - 0.5 * (m - 1) * (m - 1) - std::log(2 * M_PI);
}

} // namespace

TEST_CASE("the learning rate falls geometrically and reaches its decay at the end of the run") {
  plait::FitOptions asked = options();
  asked.decay = 0.01;
  const plait::Fit fit = plait::fit(plait::Model::parse(program), data(), asked);
  double m = 3;
  for (int t = 0; t < 8; ++t)
    m -= 0.1 * std::pow(0.01, t / 8.0) * (m + (m - 1));
  CHECK(value_of(fit, "m") == Approx(m).epsilon(1e-12));
}

TEST_CASE("the weight of the latent terms grows in equal steps; the trace shows the true bound") {
  plait::FitOptions asked = options();
  asked.kl_start = 0.2;
  asked.kl_steps = 4;
  const plait::Fit fit = plait::fit(plait::Model::parse(program), data(), asked);
  double m = 3;
  for (int t = 0; t < 8; ++t) {
    INFO("step " << t);
    CHECK(fit.trace().at(static_cast<std::size_t>(t)).elbo == Approx(bound(m)).epsilon(1e-12));
    const double weight = t < 4 ? 0.2 + 0.8 * t / 4 : 1;
    m -= 0.1 * (weight * m + (m - 1));
  }
  CHECK(value_of(fit, "m") == Approx(m).epsilon(1e-12));
}

TEST_CASE("clipping shortens a gradient to the norm asked for and leaves a shorter one alone") {
  // The gradient of the loss is (a, b), of norm 5 at the start.
  const plait::Model model =
      plait::Model::parse("model { y ~ normal(0, 1); z ~ normal(0, 1); }\n"
                          "guide { param a : real = 3; param b : real = -4; y ~ delta(a); z ~ delta(b); }\n");
  const double limit = GENERATE(0.5, 4.4, 10.0);
  INFO("limit " << limit);
  plait::FitOptions asked = options();
  asked.clip_norm = limit;
  const plait::Fit fit = plait::fit(model, {}, asked);
  double norm = 5;
  for (int t = 0; t < 8; ++t)
    norm -= 0.1 * std::min(norm, limit);
  CHECK(value_of(fit, "a") == Approx(0.6 * norm).epsilon(1e-12));
  CHECK(value_of(fit, "b") == Approx(-0.8 * norm).epsilon(1e-12));
}

TEST_CASE("a step whose objective is not finite is not taken") {
  // -ELBO = z^2 / 2 - log z: from 2 the first step, 2 - 3 (2 - 1/2), lands where the logarithm is none, its
  // derivative -5/2 + 2/5.
  const plait::Model model = plait::Model::parse("model { z ~ normal(0, 1); factor(log(z)); }\n"
                                                 "guide { param m : real = 2; z ~ delta(m); }\n");
  plait::FitOptions asked = options();
  asked.learning_rate = 3;
  plait::Fit fit = plait::start(model, {}, asked);
  CHECK_THROWS_AS(fit.run(), plait::Error);
  CHECK(fit.step() == 1);
  CHECK(value_of(fit, "m") == Approx(-2.5).epsilon(1e-12));
}
