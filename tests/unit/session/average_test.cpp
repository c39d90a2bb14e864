// The average of iterates: beside the weighted mean of the iterates themselves, and for what it is there.
#include "plait/plait.hpp"
#include "runtime/checkpoint.hpp"
#include "tests/support/files.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <map>

using namespace plait::test;
using Numbers = std::vector<double>;

namespace {

// m and s move in every step, l of a row when the row is drawn.
const std::string program = R"(data x : real[N];
model { mu ~ normal(0, 10); iarange i in N subsample 2 { z ~ normal(mu, 1); x[i] ~ normal(z, 1); } }
guide {
  param m : real = 3;
  param s : positive = 2;
  mu ~ normal(m, s);
  iarange i in N subsample 2 { param l : real = 1; z ~ normal(l, 0.5); }
}
)";

plait::Data data() {
  plait::Data result;
  result.set("x", {7}, {1, 2, 4, -1, 0, 3, 2});
  return result;
}

plait::FitOptions options(double average) {
  plait::FitOptions result;
  result.steps = 40;
  result.threads = 1;
  result.learning_rate = 0.1;
  result.average = average;
  result.compile.precision = plait::Precision::f64;
  return result;
}

/** The unconstrained numbers of a state's tensors. */
std::map<std::string, Numbers> numbers_of(const std::vector<plait::runtime::Tensor>& tensors) {
  std::map<std::string, Numbers> result;
  for (const plait::runtime::Tensor& tensor : tensors)
    for (std::int64_t k = 0; k < tensor.values.size(); ++k)
      result[tensor.name].push_back(tensor.values.real_at(k));
  return result;
}

} // namespace

TEST_CASE("the average is the weighted mean of the iterates, also of rows that are drawn now and then") {
  const std::string optimizer = GENERATE("adam", "sgd");
  const double decay = GENERATE(0.5, 0.9, 0.999);
  INFO(optimizer << ", decay " << decay);
  const TemporaryFolder work;
  const std::string run = (work.path() / "a.run").string();
  plait::FitOptions asked = options(decay);
  asked.optimizer = optimizer;
  asked.learning_rate = optimizer == "sgd" ? 0.01 : 0.1;
  plait::Fit averaged = plait::start(plait::Model::parse(program), data(), asked);
  asked.average = 0;
  plait::Fit plain = plait::start(plait::Model::parse(program), data(), asked);
  std::vector<std::map<std::string, Numbers>> iterates;
  int rows_left_alone = 0;
  for (int step = 1; step <= 40; ++step) {
    averaged.run(1);
    plain.run(1);
    plain.checkpoint(run);
    iterates.push_back(numbers_of(plait::runtime::read_state({run}).parameters));
    averaged.checkpoint(run);
    const plait::runtime::FitState state = plait::runtime::read_state({run});
    CHECK(numbers_of(state.parameters) == iterates.back()); // they do not know of the average
    const auto found = numbers_of(state.averages);
    REQUIRE(found.size() == 3);
    for (const auto& [name, average] : found) {
      INFO(name << " after step " << step);
      for (std::size_t k = 0; k < average.size(); ++k) {
        double sum = 0, weights = 0;
        for (int s = 1; s <= step; ++s) {
          const double weight = std::pow(decay, step - s);
          sum += weight * iterates[static_cast<std::size_t>(s - 1)].at(name)[k];
          weights += weight;
        }
        CHECK(average[k] == Approx(sum / weights).epsilon(1e-11).margin(1e-12));
        if (step > 1 && iterates.back().at(name)[k] == iterates[iterates.size() - 2].at(name)[k])
          ++rows_left_alone;
      }
    }
  }
  CHECK(rows_left_alone > 100); // five rows of seven in every step
  const Numbers last = numbers_of(plait::runtime::read_state({run}).averages).at("s");
  CHECK(averaged.summary("s").mean[0] == Approx(std::exp(last[0])).epsilon(1e-12));
  CHECK(plain.summary("s").mean[0] == Approx(std::exp(iterates.back().at("s")[0])).epsilon(1e-12));
  // What the fit is evaluated at is what a fit without average evaluates there.
  const plait::Fit opened = plait::Fit::open(run, data());
  CHECK(opened.evaluate(3).elbo == averaged.evaluate(3).elbo);
  CHECK(opened.evaluate(3).elbo != plain.evaluate(3).elbo);
  plait::FitOptions from = options(0);
  from.steps = 0;
  from.init.add_argument(run);
  CHECK(plait::start(plait::Model::parse(program), data(), from).evaluate(3).elbo ==
        averaged.evaluate(3).elbo);
}

TEST_CASE("an average of f32 weights follows that of f64") {
  plait::FitOptions asked = options(0.99);
  asked.steps = 300;
  const plait::Fit twice = plait::fit(plait::Model::parse(program), data(), asked);
  asked.compile.precision = plait::Precision::f32;
  const plait::Fit single = plait::fit(plait::Model::parse(program), data(), asked);
  CHECK(single.summary("m").mean[0] == Approx(twice.summary("m").mean[0]).epsilon(1e-3));
  CHECK(single.summary("s").mean[0] == Approx(twice.summary("s").mean[0]).epsilon(1e-3));
}

TEST_CASE("with an average a noisy fit ends closer to the optimum") {
  // mu | x is normal; the guide holds it. A learning rate of 0.1 keeps the last iterate moving about.
  const std::string conjugate = "data x : real[N];\n"
                                "model { mu ~ normal(0, 10); iarange i in N { x[i] ~ normal(mu, 1); } }\n"
                                "guide { param m : real; param s : positive = 1; mu ~ normal(m, s); }\n";
  const double precision = 7 + 0.01, mean = 11 / precision, sd = 1 / std::sqrt(precision);
  double squares_without = 0, squares_with = 0;
  int closer = 0;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const auto distance = [&](double average) {
      plait::FitOptions asked = options(average);
      asked.steps = 2000;
      asked.seed = seed;
      const plait::Fit fit = plait::fit(plait::Model::parse(conjugate), data(), asked);
      const double m = (fit.summary("m").mean[0] - mean) / sd, s = std::log(fit.summary("s").mean[0] / sd);
      return std::sqrt(m * m + s * s);
    };
    const double without = distance(0), with = distance(0.995);
    squares_without += without * without / 10;
    squares_with += with * with / 10;
    closer += with < without ? 1 : 0;
  }
  INFO("root mean square distance " << std::sqrt(squares_without) << " without, " << std::sqrt(squares_with)
                                    << " with; closer in " << closer << " of 10");
  CHECK(closer >= 8);
  CHECK(squares_with < squares_without / 4);
}

TEST_CASE("a decay of 1 or more is no average") {
  for (const double decay : {1.0, -0.5, 2.0})
    CHECK_THROWS_AS(plait::start(plait::Model::parse(program), data(), options(decay)), plait::Error);
}
