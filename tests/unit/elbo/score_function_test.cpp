// The score function with each of its baselines: exact means by enumerating all draws, exact variances, the
// state of the averages, and the fits that depend on them.
#include "tests/unit/elbo/outcomes.hpp"

using namespace plait;
using namespace plait::test;

namespace {

/// Two bits, the second given the first; `strategy` is the text after `using` for both.
std::string two_bits(const std::string& first, const std::string& second) {
  return R"(
data x : real[N];
model {
  a ~ bernoulli(0.3);
  b ~ bernoulli_logit(1.5 * a - 0.4);
  iarange i in N { x[i] ~ normal(a + 2 * b, 1.3); }
}
guide {
  param p : real = 0;
  param q : real = 0;
  param r : real = 0;
  param v : real = 0;
  param u : real = 0;
  a ~ bernoulli_logit(p) using )" +
         first + R"(;
  b ~ bernoulli_logit(q + r * a) using )" +
         second + ";\n}\n";
}

const std::vector<double> observed{0.4, 1.2, -0.3, 2.2};

Objective two_bits_fit(const std::string& first, const std::string& second, int particles) {
  Setting setting;
  setting.sizes = {{"N", 4}};
  setting.data["x"] = observed;
  setting.options.particles = particles;
  Objective fit(two_bits(first, second), setting);
  fit.set_parameter("p", {0.4});
  fit.set_parameter("q", {-0.3});
  fit.set_parameter("r", {0.8});
  fit.set_parameter("v", {-6.0});
  fit.set_parameter("u", {0.5});
  return fit;
}

double two_bits_probability(const Draws& draws) {
  double probability = 1;
  for (std::size_t k = 0; k < draws.at("a").size(); ++k)
    probability *= bit(draws.at("a")[k], 0.4) * bit(draws.at("b")[k], -0.3 + 0.8 * draws.at("a")[k]);
  return probability;
}

/// The gradient with both bits summed out.
Objective::Value two_bits_exact() {
  return two_bits_fit("enumerate", "enumerate", 1).evaluate();
}

const std::string coin = R"(
data x : real[N];
model { k ~ bernoulli(0.3); iarange i in N { x[i] ~ normal(k, 4); } }
)";

} // namespace

TEST_CASE("every baseline leaves the mean of the score function exact") {
  struct Row {
    std::string first, second;
    int particles;
  };
  const Row row = GENERATE(
      Row{"score(baseline = none)", "score(baseline = none)", 1}, Row{"score", "score", 1},
      Row{"score(baseline = average, decay = 0.5)", "score(baseline = v + u * a)", 1},
      Row{"score(baseline = v)", "score(baseline = v + u * a)", 1},
      Row{"score(baseline = none)", "score(baseline = average)", 2}, Row{"score", "score", 2},
      Row{"score(baseline = leave_one_out)", "score(baseline = v + u * a)", 2}, Row{"score", "score", 3});
  CAPTURE(row.first, row.second, row.particles);
  Objective fit = two_bits_fit(row.first, row.second, row.particles);
  // Averages that have seen something: v = sum / weight = -4, -7.
  for (const char* name : {"a.average", "b.average"})
    if (fit.elbo().parameters->find(name) >= 0)
      fit.set_parameter(name, name[0] == 'a' ? std::vector<double>{-2.0, 0.5} : std::vector<double>{-7, 1});
  const auto mean = exact_mean(fit, std::size_t{1} << (2 * row.particles), two_bits_probability);
  const auto exact = two_bits_exact();
  CHECK(mean.elbo == Approx(exact.elbo).epsilon(1e-11));
  for (const char* name : {"p", "q", "r"})
    CHECK(mean.gradient.at(name)[0] == Approx(exact.gradient.at(name)[0]).epsilon(1e-9).margin(1e-11));
}

TEST_CASE("averages at the mean cost and nets near it lower the variance; none leaves it") {
  const auto variance = [](const std::string& first, const std::string& second, int particles,
                           std::vector<double> a, std::vector<double> b) {
    Objective fit = two_bits_fit(first, second, particles);
    if (fit.elbo().parameters->find("a.average") >= 0)
      fit.set_parameter("a.average", std::move(a));
    if (fit.elbo().parameters->find("b.average") >= 0)
      fit.set_parameter("b.average", std::move(b));
    return exact_mean(fit, std::size_t{1} << (2 * particles), two_bits_probability).variance.at("p")[0];
  };
  const double none = variance("score(baseline = none)", "score(baseline = none)", 1, {}, {});
  const double average = variance("score", "score", 1, {-9.5, 1}, {-9.5, 1});
  const double expression = variance("score(baseline = v)", "score(baseline = v)", 1, {-3.5, 1}, {-3.5, 1});
  CHECK(average < none / 10);
  CHECK(expression == Approx(average).epsilon(1e-9)); // -3.5 + v = -9.5
  // With two particles the expression and the average are the same for both and cancel: leave-one-out is
  // left.
  const double two = variance("score", "score", 2, {}, {});
  const double two_with_net = variance("score(baseline = v)", "score(baseline = v)", 2, {-3, 1}, {-3, 1});
  CHECK(two_with_net == Approx(two).epsilon(1e-9));
  CHECK(two < none / 10);
}

TEST_CASE("golden fixture: an average at the mean of the cost has the closed-form variance") {
  // vi.md's fixture: score function with mean baseline 16.5070; with the optimal constant c0 + 3 c2 12.2162.
  Setting setting;
  setting.sizes = {{"N", 4}};
  setting.data["x"] = {1.0, 2.0, 0.5, -0.3};
  setting.options.objective = "sampled_elbo";
  Objective fit(R"(
data x : real[N];
model { z ~ normal(0, 1); iarange i in N { x[i] ~ normal(z, 1); } }
guide { param m : real = 0.3; param s : real = 0.7; z ~ normal(m, s) using score; }
)",
                setting);
  fit.set_parameter("m", {0.3});
  fit.set_parameter("s", {0.7});
  struct Row {
    double baseline, variance;
  };
  // f = c0 + c1 e + c2 e^2, E f = c0 + c2 = -6.6924290768, c2 = 1/2 - 0.7 * 3.5 / 2.
  const double mean_cost = -6.6924290768, c2 = 0.5 - 0.7 * 3.5 / 2;
  const Row row = GENERATE_COPY(Row{mean_cost, 16.5070}, Row{mean_cost + 2 * c2, 12.2162});
  fit.set_parameter("z.average", {0.25 * row.baseline, 0.25});
  const auto mean = fit.average(150'000);
  CHECK(std::abs(mean.gradient.at("m")[0] - 1.7) < 4 * mean.error.at("m")[0]);
  CHECK(mean.variance.at("m")[0] / row.variance == Approx(1).margin(0.03));
}

TEST_CASE("one particle without a word about baselines learns by the average") {
  // Posterior of k by Bayes: 0.1605.
  Setting setting;
  setting.sizes = {{"N", 10}};
  setting.data["x"] = {1.7, -4.1, 2.2, 0.4, -6.3, 3.0, -1.9, 0.8, 5.2, -9.7};
  double log_odds = std::log(0.3 / 0.7);
  for (double x : setting.data["x"])
    log_odds += log_normal(x, 1, 4) - log_normal(x, 0, 4);
  Trainer fit(coin + "guide { param q : unit = 0.5; k ~ bernoulli(q); }", setting, {});
  for (int step = 0; step < 4000; ++step)
    fit.step(0.01 * std::pow(0.01, step / 4000.0));
  CHECK(sigmoid(fit.parameter("q")[0]) == Approx(sigmoid(log_odds)).margin(0.02));
  // The same fit without any baseline is nowhere near: what is tested is the baseline.
  Trainer without(coin + "guide { param q : unit = 0.5; k ~ bernoulli(q) using score(baseline = none); }",
                  setting, {});
  CHECK(!without.has_parameter("k.average"));
  for (int step = 0; step < 4000; ++step)
    without.step(0.01 * std::pow(0.01, step / 4000.0));
  CHECK(std::abs(sigmoid(without.parameter("q")[0]) - sigmoid(log_odds)) > 0.1);
}

TEST_CASE("the average is the decaying mean of the costs before the step, and a row moves when it is drawn") {
  Setting setting;
  setting.sizes = {{"N", 3}};
  setting.data["x"] = {0.4, 1.2, -0.3};
  setting.options.objective = "sampled_elbo"; // every term at the draw: the costs add up to the bound
  Trainer fit(R"(
data x : real[N];
model { iarange i in N subsample 2 { h ~ bernoulli(0.3); x[i] ~ normal(h, 1); } }
guide { param l : real = 0; iarange i in N { h ~ bernoulli_logit(l * x[i]) using score(decay = 0.75); } }
)",
              setting, {});
  REQUIRE(fit.parameter("h.average").size() == 2);
  REQUIRE(fit.parameter("h.average.of_element").size() == 3);
  // A step whose reported ELBO is (3/2) (c_0 + c_2): the sum of the costs of the rows drawn.
  fit.set_rows({0, 2});
  const double first = fit.step(0) * 2 / 3;
  CHECK(fit.parameter("h.average")[0] == Approx(0.25 * first / 2));
  CHECK(fit.parameter("h.average")[1] == Approx(0.25));
  const std::vector<double> after_first = fit.parameter("h.average.of_element");
  CHECK(after_first[1] == 0);
  CHECK(after_first[0] + after_first[2] == Approx(0.25 * first));
  fit.set_rows({1, 2});
  const double second = fit.step(0) * 2 / 3;
  CHECK(fit.parameter("h.average")[0] == Approx(0.75 * 0.25 * first / 2 + 0.25 * second / 2));
  CHECK(fit.parameter("h.average")[1] == Approx(0.4375));
  const std::vector<double> after_second = fit.parameter("h.average.of_element");
  CHECK(after_second[0] == after_first[0]);
  // Deviations are from the average before the step: first / 2.
  CHECK(after_second[1] + after_second[2] - 0.75 * after_first[2] == Approx(0.25 * (second - first)));
}

TEST_CASE("the average is that of the elements that are drawn") {
  // Row 1 has a value instead of a draw. Its density of x is there, and is the cost of no draw.
  Setting setting;
  setting.sizes = {{"N", 3}};
  setting.data["x"] = {0.4, 1.2, -0.3};
  setting.data["open"] = {1, 0, 1};
  setting.options.objective = "sampled_elbo";
  Trainer fit(R"(
data x : real[N];
data open : bit[N];
model { iarange i in N { if (open[i] == 1) { h ~ bernoulli(0.3); } else { h = 0; } x[i] ~ normal(h, 1); } }
guide { param l : real = 0; iarange i in N {
  if (open[i] == 1) { h ~ bernoulli_logit(l * x[i]) using score(decay = 0.75); } } }
)",
              setting, {});
  const double costs = fit.step(0) - log_normal(1.2, 0, 1);
  CHECK(fit.parameter("h.average")[0] == Approx(0.25 * costs / 2));
  const std::vector<double> deviations = fit.parameter("h.average.of_element");
  CHECK(deviations[0] + deviations[2] == Approx(0.25 * costs));
  CHECK(deviations[1] == 0);
}

TEST_CASE("the baseline of an element is the common average and its own") {
  Setting setting;
  setting.sizes = {{"N", 3}};
  setting.data["x"] = {0.4, 1.2, -0.3};
  Objective fit(R"(
data x : real[N];
model { iarange i in N { h ~ bernoulli(0.3); x[i] ~ normal(h, 1); } }
guide { iarange i in N { param l : real; h ~ bernoulli_logit(l) using score(baseline = average); } }
)",
                setting);
  const std::vector<double> logits{0.2, -0.4, 0.7}, own{0.3, -0.2, 0.5};
  fit.set_parameter("l", logits);
  const Objective::Value without = fit.evaluate();
  fit.set_parameter("h.average", {-0.5, 0.25});
  fit.set_parameter("h.average.of_element", own);
  const Objective::Value with = fit.evaluate();
  REQUIRE(with.draws == without.draws);
  for (std::size_t i = 0; i < 3; ++i) {
    const double score = with.draws.at("h")[i] - sigmoid(logits[i]);
    CHECK(with.gradient.at("l")[i] - without.gradient.at("l")[i] == Approx(-(-2 + own[i]) * score));
  }
}

TEST_CASE("an expression learns by the squared error of its prediction") {
  Setting setting;
  setting.sizes = {{"N", 4}};
  setting.data["x"] = observed;
  setting.options.objective = "sampled_elbo"; // one draw that every term reads: its cost is the bound
  Objective fit(R"(
data x : real[N];
model { z ~ normal(0, 1); iarange i in N { x[i] ~ normal(z, 1); } }
guide { param m : real = 0; param v : real = 0; z ~ normal(m, 0.7) using score(baseline = v); }
)",
                setting);
  fit.set_parameter("m", {0.3});
  fit.set_parameter("v", {-2.5});
  const Objective::Value value = fit.evaluate();
  CHECK(value.gradient.at("v")[0] == Approx(2 * (value.elbo + 2.5)));
}

TEST_CASE("a baseline predicts the cost of one element whatever part of the rows is drawn") {
  // The error has its minimum where the baseline is the mean of c_i, with or without a subsample.
  Setting setting;
  setting.sizes = {{"N", 4}};
  setting.data["x"] = observed;
  const auto gradient_of_baseline = [&](bool subsample, double v) {
    Setting own = setting;
    own.options.subsample = subsample;
    Objective fit(R"(
data x : real[N];
model { iarange i in N subsample 2 { h ~ bernoulli(0.3); x[i] ~ normal(h, 1); } }
guide {
  param l : real = 0;
  param v : real = 0;
  iarange i in N { h ~ bernoulli_logit(l) using score(baseline = v * x[i]); }
}
)",
                  own);
    fit.set_parameter("l", {0.7});
    fit.set_parameter("v", {v});
    fit.inputs.step = 5;
    if (!subsample)
      return fit.evaluate().gradient;
    std::map<std::string, std::vector<double>> mean;
    for (std::uint32_t i = 0; i < 4; ++i)
      for (std::uint32_t j = i + 1; j < 4; ++j) {
        fit.set_rows(0, {i, j});
        for (const auto& [name, gradient] : fit.evaluate().gradient)
          if (name == "l" || name == "v")
            (mean.try_emplace(name, 1).first->second)[0] += gradient[0] / 6;
      }
    return mean;
  };
  for (double v : {-1.0, 0.3}) {
    const auto all = gradient_of_baseline(false, v);
    const auto part = gradient_of_baseline(true, v);
    CHECK(part.at("v")[0] == Approx(all.at("v")[0]).epsilon(1e-11));
    CHECK(part.at("l")[0] == Approx(all.at("l")[0]).epsilon(1e-11));
    CHECK(std::abs(all.at("v")[0]) > 0.1);
  }
}

namespace {

/// Steps until both parameters of the coin's posterior are within 0.8 of Beta(16, 14), from Beta(15, 15): the
/// stopping rule of Pyro's tutorial on baselines, with its optimizer.
int steps_to_posterior(const std::string& strategy, std::uint64_t seed) {
  Setting setting;
  setting.sizes = {{"N", 10}};
  setting.data["flips"] = {1, 1, 1, 1, 1, 1, 0, 0, 0, 0};
  setting.options.objective = "sampled_elbo";
  elbo::StepOptions options;
  options.optimizer = "adam";
  options.optimizer_options = {{"beta1", 0.93}, {"beta2", 0.999}};
  Trainer fit(R"(
data flips : bit[N];
model {
  fairness ~ beta(10, 10);
  iarange i in N { flips[i] ~ bernoulli(fairness); }
}
guide {
  param a : positive = 15;
  param b : positive = 15;
  fairness ~ beta(a, b) using )" +
                  strategy + ";\n}\n",
              setting, options);
  fit.inputs.seed = seed;
  fit.parameter("a") = fit.parameter("b") = {std::log(15.0)};
  for (int step = 1; step <= 20'000; ++step) {
    fit.step(5e-4);
    if (std::abs(std::exp(fit.parameter("a")[0]) - 16) < 0.8 &&
        std::abs(std::exp(fit.parameter("b")[0]) - 14) < 0.8)
      return step;
  }
  return 20'000;
}

} // namespace

// The tutorial's own runs took 1932 steps with the decaying average and 4908 without, with an average that
// starts at 0. One run of each says little, so that the steps of several are added up.
TEST_CASE("the coin of the tutorial on baselines needs fewer steps with the decaying average") {
  int with = 0, without = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const int steps = steps_to_posterior("score(baseline = average)", seed);
    INFO("seed " << seed << ", " << steps << " steps");
    CHECK(steps < 1932);
    with += steps;
    without += steps_to_posterior("score(baseline = none)", seed);
  }
  INFO(with << " steps with, " << without << " without");
  CHECK(with < without / 3);
}
