// What a fit says about itself: numbers of draws, of the trace, and of estimates of the bound.
#include "plait/plait.hpp"
#include "runtime/checkpoint.hpp"
#include "tests/support/files.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace plait::test;

namespace {

const std::string program = R"(model { z ~ normal(0, 1); w ~ normal(z, 1)[2]; }
guide { param m : real = 2; param s : positive = 0.5; z ~ normal(m, s); w ~ normal([m, -m], [s, 3 * s]); }
)";

plait::FitOptions options(std::int64_t steps) {
  plait::FitOptions result;
  result.steps = steps;
  result.threads = 1;
  result.report_every = 1;
  result.compile.objective = "sampled_elbo";
  result.compile.precision = plait::Precision::f64;
  return result;
}

double mean_of(const std::vector<double>& numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), 0.0) / static_cast<double>(numbers.size());
}

/** Standard deviation, estimated without bias of its square. */
double deviation_of(const std::vector<double>& numbers) {
  const double mean = mean_of(numbers);
  double squares = 0;
  for (double number : numbers)
    squares += (number - mean) * (number - mean);
  return std::sqrt(squares / static_cast<double>(numbers.size() - 1));
}

/** Linear between the order statistics, of which the first is at 0 and the last at 1. */
double quantile_of(std::vector<double> numbers, double p) {
  std::sort(numbers.begin(), numbers.end());
  const double place = p * static_cast<double>(numbers.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const double above = numbers.at(std::min(below + 1, numbers.size() - 1));
  return numbers.at(below) + (place - static_cast<double>(below)) * (above - numbers.at(below));
}

} // namespace

TEST_CASE("a summary is mean, deviation and quantiles of the draws") {
  const plait::Fit fit = plait::fit(plait::Model::parse(program), {}, options(0));
  for (const plait::DrawnArray& draws : fit.sample(4000)) {
    const plait::Summary summary = fit.summary(draws.name);
    REQUIRE(summary.mean.size() == draws.values.front().size());
    for (std::size_t k = 0; k < summary.mean.size(); ++k) {
      INFO(draws.name << "[" << k << "]");
      std::vector<double> numbers;
      for (const std::vector<double>& values : draws.values)
        numbers.push_back(values.at(k));
      CHECK(summary.mean[k] == Approx(mean_of(numbers)).epsilon(1e-12));
      CHECK(summary.sd[k] == Approx(deviation_of(numbers)).epsilon(1e-12));
      CHECK(summary.q05[k] == Approx(quantile_of(numbers, 0.05)).epsilon(1e-12));
      CHECK(summary.q50[k] == Approx(quantile_of(numbers, 0.5)).epsilon(1e-12));
      CHECK(summary.q95[k] == Approx(quantile_of(numbers, 0.95)).epsilon(1e-12));
      const double mean = draws.name == "w" && k == 1 ? -2 : 2, sd = draws.name == "w" && k == 1 ? 1.5 : 0.5;
      CHECK(std::abs(summary.mean[k] - mean) < 4 * sd / std::sqrt(4000.0));
      CHECK(std::abs(summary.sd[k] - sd) < 4 * sd / std::sqrt(2 * 4000.0));
    }
  }
}

TEST_CASE("the final bound is the mean of the last tenth of the trace, with the error of that mean") {
  const TemporaryFolder work;
  const std::string run = (work.path() / "a.run").string();
  const plait::Fit fit = plait::fit(plait::Model::parse(program), {}, options(60));
  fit.save(run);
  REQUIRE(fit.trace().size() == 60);
  std::vector<double> last;
  for (std::size_t k = 54; k < 60; ++k)
    last.push_back(fit.trace()[k].elbo);
  const plait::runtime::Summary saved = plait::runtime::read_summary({run});
  CHECK(saved.elbo == Approx(mean_of(last)).epsilon(1e-12));
  CHECK(saved.elbo_error == Approx(deviation_of(last) / std::sqrt(6.0)).epsilon(1e-12));
}

TEST_CASE("an evaluation is the mean of its estimates, with their error, at noise of its own") {
  plait::FitOptions asked = options(1);
  asked.learning_rate = 1e-12; // the parameters stay where they are
  const plait::Fit fit = plait::fit(plait::Model::parse(program), {}, asked);
  const double first = fit.evaluate(1).elbo;
  const plait::Evaluation both = fit.evaluate(2);
  const double second = 2 * both.elbo - first;
  CHECK(std::abs(first - second) > 1e-3);
  CHECK(both.error == Approx(std::abs(first - second) / 2).epsilon(1e-9));
  // The noise that the parameters were fitted to would make the bound look better than it is.
  CHECK(std::abs(first - fit.trace().front().elbo) > 1e-3);
}
