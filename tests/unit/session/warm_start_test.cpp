// A finished run as the start of a fit, and given starts between bounds that only the run tells.
#include "plait/plait.hpp"
#include "tests/support/files.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>

using namespace plait::test;
using Numbers = std::vector<double>;

namespace {

// A net in f32, a parameter, a latent with a parameter for each row of a subsampled plate.
const std::string program = R"(const H = 5;
data x : real[N, D];
param s : positive = 2;
net encode(v : real[D]) -> (real, positive) {
  h = tanh(linear[H](v));
  return (linear[1](h)[0], softplus(linear[1](h)[0]));
}
net decode(z : real) -> real[D] { return linear[D](tanh(linear[H]([z]))); }
model { iarange i in N subsample 4 { z ~ normal(0, 1); w ~ normal(0, 1); x[i] ~ normal(decode(z) + w, s); } }
guide { iarange i in N subsample 4 {
    (loc, scale) = encode(x[i]);
    z ~ normal(loc, scale);
    param m : real;
    w ~ normal(m, 0.5);
  } }
)";

plait::Data data_of(std::int64_t rows) {
  plait::Data data;
  Numbers numbers;
  for (std::int64_t k = 0; k < rows * 3; ++k)
    numbers.push_back(std::sin(static_cast<double>(k)));
  data.set("x", {rows, 3}, numbers);
  return data;
}

plait::FitOptions options(std::int64_t steps, const std::vector<std::string>& init = {}) {
  plait::FitOptions result;
  result.steps = steps;
  result.threads = 1;
  result.learning_rate = 0.05;
  for (const std::string& argument : init)
    result.init.add_argument(argument);
  return result;
}

plait::Fit fitted(const std::string& text, const plait::Data& data, const plait::FitOptions& options) {
  return plait::fit(plait::Model::parse(text), data, options);
}

std::string message_of(const std::string& text, const plait::Data& data, const plait::FitOptions& options,
                       plait::Fault fault) {
  try {
    plait::start(plait::Model::parse(text), data, options);
  } catch (const plait::Error& error) {
    CHECK(error.fault == fault);
    return error.what();
  }
  return "no error";
}

std::string replaced(std::string text, const std::string& before, const std::string& after) {
  const std::size_t at = text.find(before);
  REQUIRE(at != std::string::npos);
  return text.replace(at, before.size(), after);
}

} // namespace

TEST_CASE("a fit of no steps from a run has the run's bound, bit for bit") {
  const TemporaryFolder work;
  const std::string run = (work.path() / "a.run").string();
  const plait::Data data = data_of(11);
  plait::Fit first = fitted(program, data, options(60));
  first.save(run);
  const plait::Fit cold = fitted(program, data, options(0));
  const plait::Fit warm = fitted(program, data, options(0, {run}));
  CHECK(warm.compile_report().precision == "f32");
  CHECK(warm.evaluate(3).elbo == first.evaluate(3).elbo);
  CHECK(warm.evaluate(3).elbo == plait::Fit::open(run, data).evaluate(3).elbo);
  CHECK(cold.evaluate(3).elbo != first.evaluate(3).elbo);
  for (const auto& [there, here] : {std::pair(first.summary("s"), warm.summary("s"))})
    CHECK(there.mean == here.mean);
  REQUIRE(warm.warm_start());
  CHECK(warm.warm_start()->run == run);
  CHECK(warm.warm_start()->step == 60);
  CHECK(warm.warm_start()->taken.size() == 12); // s, m, and weights and biases of five layers
  CHECK(warm.warm_start()->fresh.empty());
  CHECK(warm.warm_start()->unused.empty());
  CHECK_FALSE(cold.warm_start());

  // The moments are not taken: the first step of Adam moves every number by the learning rate, as in any fit.
  plait::Fit moved = fitted(program, data, options(1, {run}));
  CHECK(std::abs(std::log(moved.summary("s").mean[0] / warm.summary("s").mean[0])) ==
        Approx(0.05).epsilon(1e-3));
  // Saved and opened it is the same start, without the run.
  const std::string second = (work.path() / "b.run").string();
  warm.save(second);
  fs::remove_all(run);
  CHECK(plait::Fit::open(second, data).evaluate(3).elbo == first.evaluate(3).elbo);
}

TEST_CASE("what a program shares with a run is taken, the rest starts afresh") {
  const TemporaryFolder work;
  const std::string run = (work.path() / "a.run").string();
  const plait::Data data = data_of(11);
  plait::Fit first = fitted(program, data, options(40));
  first.save(run);
  // Another decoder, no parameter s but t.
  std::string other = replaced(program, "net decode", "net expand");
  other = replaced(other, "decode(z) + w, s", "expand(z) + w, t");
  other = replaced(other, "param s : positive = 2", "param t : positive = 3");
  const plait::Fit warm = fitted(other, data, options(0, {run}));
  const auto has = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  REQUIRE(warm.warm_start());
  CHECK(has(warm.warm_start()->taken, "m"));
  CHECK(warm.warm_start()->taken.size() == 7);
  CHECK(warm.warm_start()->fresh.size() == 5);
  CHECK(has(warm.warm_start()->fresh, "t"));
  CHECK(warm.warm_start()->unused.size() == 5);
  CHECK(has(warm.warm_start()->unused, "s"));
  CHECK(warm.summary("t").mean == Numbers{3});
  // A start of its own goes before that of the run; in f32.
  const plait::Fit given = fitted(program, data, options(0, {"s=5", run}));
  CHECK(given.summary("s").mean[0] == Approx(5).epsilon(1e-6));
  CHECK(given.warm_start()->taken.size() == 11);
  CHECK_FALSE(has(given.warm_start()->fresh, "s"));
}

TEST_CASE("what cannot be taken from a run is told with both shapes") {
  const TemporaryFolder work;
  const std::string run = (work.path() / "a.run").string();
  const plait::Data data = data_of(11);
  fitted(program, data, options(1)).save(run);
  const auto contains = [](const std::string& message, const std::string& part) {
    INFO(message);
    CHECK(message.find(part) != std::string::npos);
  };
  plait::FitOptions wider = options(0, {run});
  wider.compile.set["H"] = 6;
  contains(message_of(program, data, wider, plait::Fault::data),
           "is real[5, 3] in the run, but real[6, 3] in");
  contains(message_of(program, data_of(12), options(0, {run}), plait::Fault::data),
           "m is real[11] in the run, but real[12] in this program");
  const std::string unbound = replaced(program, "param s : positive = 2", "param s : real = 2");
  contains(message_of(unbound, data, options(0, {run}), plait::Fault::data),
           "s is positive in the run, but real in this program");
  CHECK(fitted(unbound, data, options(0, {run, "s=1"})).summary("s").mean == Numbers{1});

  const std::string alien = "model { a ~ normal(0, 1); }\nguide { param l : real; a ~ normal(l, 1); }\n";
  contains(message_of(alien, {}, options(0, {run}), plait::Fault::usage),
           "no parameter of the run has its name in this program");
  contains(message_of(alien, {}, options(0, {run}), plait::Fault::usage), "this program has l");
  contains(message_of(alien, {}, options(0, {work.path().string()}), plait::Fault::usage),
           "a folder given as a start is that of a run");
  contains(message_of(program, data, options(0, {run, work.path().string()}), plait::Fault::usage),
           "--init names two runs");
}

TEST_CASE("the joint location of an automatic guide is taken when it locates the same latents") {
  const TemporaryFolder work;
  const std::string run = (work.path() / "a.run").string();
  const std::string text = "model { a ~ normal(0, 1); b ~ gamma(2, 1); }\nguide auto(full_rank);\n";
  plait::Fit first = fitted(text, {}, options(30));
  first.save(run);
  CHECK(fitted(text, {}, options(0, {run})).evaluate(2).elbo == first.evaluate(2).elbo);
  // The same number of numbers, in another order: not the same start.
  const std::string turned = "model { b ~ gamma(2, 1); a ~ normal(0, 1); }\nguide auto(full_rank);\n";
  const std::string message = message_of(turned, {}, options(0, {run}), plait::Fault::data);
  INFO(message);
  CHECK(message.find("auto.loc is real[2] for a: real, b: positive in the run, but real[2] for b: positive, "
                     "a: real in this program") != std::string::npos);
}

TEST_CASE("starts lie between bounds that only the run tells") {
  // hi is a latent, lo data of the row, and a walk is bounded by its last value.
  const std::string text = R"(data lo : real[N];
model {
  hi ~ gamma(2, 1);
  u ~ uniform(0, hi);
  v ~ pareto(hi, 3)[2];
  iarange i in N {
    z ~ uniform(lo[i], lo[i] + hi);
    for t in 0..3 { w[t] ~ uniform(t > 0 ? w[t - 1] : z, 50); }
  }
}
)";
  const auto family = GENERATE(as<std::string>(), "normal, scale = 1e-9", "structured, scale = 1e-9", "delta",
                               "full_rank, scale = 1e-9", "low_rank, scale = 1e-9", "laplace");
  INFO(family);
  plait::Data data;
  data.set("lo", {2}, {10, 20});
  const auto start = [&](const std::string& hi) {
    plait::FitOptions result = options(0, {"u=1.5", hi});
    result.init.set("v", {2}, {4, 5});
    result.init.set("z", {2}, {12, 21});
    result.init.set("w", {2, 3}, {13, 14, 15, 22, 30, 49});
    return result;
  };
  const std::string whole = text + "guide auto(" + family + ");\n";
  const plait::Fit fit = plait::start(plait::Model::parse(whole), data, start("hi=3"));
  const auto near = [&](const std::string& name, const Numbers& expected) {
    INFO(name);
    const Numbers found = fit.sample(1).empty() ? Numbers{} : fit.summary(name).q50;
    REQUIRE(found.size() == expected.size());
    for (std::size_t k = 0; k < expected.size(); ++k)
      CHECK(found[k] == Approx(expected[k]).epsilon(1e-6));
  };
  if (family != "laplace") { // whose draws are of a normal around the start
    near("hi", {3});
    near("u", {1.5});
    near("v", {4, 5});
    near("z", {12, 21});
    near("w", {13, 14, 15, 22, 30, 49});
  }
  const std::string message = message_of(whole, data, start("hi=1"), plait::Fault::data);
  INFO(message);
  CHECK(message.find("u cannot start here: 1.5 is not inside real<lower=0, upper=1>") != std::string::npos);
  CHECK(message.find("--init starts what they depend on elsewhere") != std::string::npos);
}

TEST_CASE("bounds that differ by the values of a summed-out variable have no start between them") {
  const std::string text =
      "model { k ~ bernoulli(0.5) using enumerate; u ~ uniform(0, k + 1); }\nguide auto(normal);\n";
  const std::string message = message_of(text, {}, options(0, {"u=0.5"}), plait::Fault::model);
  INFO(message);
  CHECK(message.find("its bounds depend on k, which is summed out") != std::string::npos);
}

TEST_CASE("declared parameters start between bounds that data tell") {
  // One parameter for each row, one for each element of rows of different lengths, one for all.
  const std::string text = R"(data lo : real[N];
data x : ragged real[N, T];
param q : real<lower=lo[0]> = 4;
model { mu ~ normal(0, 1); iarange i in N { iarange t in T[i] { x[i, t] ~ normal(mu + q, 1); } } }
guide {
  param p : real<lower=lo[1] - 1, upper=lo[2] + 2> = 4.5;
  mu ~ normal(p, 1);
  iarange i in N {
    param a : real<lower=lo[i], upper=lo[i] + 2>[2] = lo[i] + 0.5;
    iarange t in T[i] { param b : real<upper=lo[i]> = lo[i] - 1 - t; }
  }
}
)";
  const TemporaryFolder work;
  write_file(work.path() / "d.json", R"({"lo": [1, 2, 3], "x": [[1, 2], [3, 4], [5]]})");
  plait::Data data;
  data.add_argument((work.path() / "d.json").string());
  plait::FitOptions wanted = options(0);
  const auto values = [&](const std::string& name) {
    return plait::start(plait::Model::parse(text), data, wanted).summary(name).mean;
  };
  const auto near = [](const Numbers& found, const Numbers& expected) {
    REQUIRE(found.size() == expected.size());
    for (std::size_t k = 0; k < expected.size(); ++k)
      CHECK(found[k] == Approx(expected[k]).epsilon(1e-9).margin(1e-12));
  };
  near(values("q"), {4});
  near(values("p"), {4.5});
  near(values("a"), {1.5, 1.5, 2.5, 2.5, 3.5, 3.5});
  Numbers b = values("b");
  b.pop_back(); // an element that does not exist
  near(b, {0, -1, 1, 0, 2});
  wanted.init.add_argument("p=1.25");
  wanted.init.set("a", {3, 2}, {1.25, 2.75, 2.25, 3.75, 3.25, 4.75});
  near(values("p"), {1.25});
  near(values("a"), {1.25, 2.75, 2.25, 3.75, 3.25, 4.75});
  near(values("q"), {4});
  CHECK(message_of(text, data, options(0, {"p=5.25"}), plait::Fault::data)
            .find("p cannot start here: 5.25 is not inside real<lower=1, upper=5>") != std::string::npos);
  const std::string outside = replaced(text, "= 4.5", "= 5.5");
  CHECK(message_of(outside, data, options(0), plait::Fault::model)
            .find("the start of p cannot be used: 5.5 is not inside real<lower=1, upper=5>") !=
        std::string::npos);
}
