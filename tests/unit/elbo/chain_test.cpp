// Finite variables along a `for`: the forward algorithm against sums over every path.
#include "tests/unit/elbo/gradients.hpp"

#include <algorithm>
#include <cmath>

using namespace plait;
using test::check_gradients;
using test::Objective;
using test::Setting;

namespace {

/// log p of observations by adding up the probability of every path of states.
double brute_force(const std::vector<double>& pi, const std::vector<double>& transition,
                   const std::vector<double>& emission, const std::vector<int>& seen) {
  const std::size_t states = pi.size(), symbols = emission.size() / states;
  std::size_t paths = 1;
  for (std::size_t t = 0; t < seen.size(); ++t)
    paths *= states;
  double total = 0;
  for (std::size_t path = 0; path < paths; ++path) {
    double p = 1;
    std::size_t rest = path, before = 0;
    for (std::size_t t = 0; t < seen.size(); ++t) {
      const std::size_t state = rest % states;
      rest /= states;
      p *= t == 0 ? pi[state] : transition[before * states + state];
      p *= emission[state * symbols + static_cast<std::size_t>(seen[t])];
      before = state;
    }
    total += p;
  }
  return std::log(total);
}

const std::vector<double> fixture_transition{.7, .3, .2, .8};
const std::vector<double> fixture_emission{.5, .4, .1, .1, .3, .6};

Setting fixture() {
  Setting setting;
  setting.sizes = {{"N", 5}};
  setting.data["y"] = {0, 2, 1, 2, 0};
  return setting;
}

} // namespace

TEST_CASE("a hidden Markov chain sums to the golden number", "[chain]") {
  const std::string head =
      "data y : index<3>[N];\nmodel {\n  pi = [0.6, 0.4];\n  T = [[0.7, 0.3], [0.2, 0.8]];\n"
      "  E = [[0.5, 0.4, 0.1], [0.1, 0.3, 0.6]];\n";
  SECTION("by a carried state") {
    Objective objective(head + "prev = 0;\n for t in 0..N {\n"
                               "  z[t] ~ categorical(t == 0 ? pi : T[prev]) using enumerate;\n"
                               "  y[t] ~ categorical(E[z[t]]);\n  prev = z[t]; }\n}\n",
                        fixture());
    CHECK(objective.evaluate().elbo == Approx(-5.975016559938).epsilon(0).margin(1e-10));
  }
  SECTION("by the state before") {
    Objective objective(head + "for t in 0..N {\n"
                               "  z[t] ~ categorical(t == 0 ? pi : T[z[t - 1]]) using enumerate;\n"
                               "  y[t] ~ categorical(E[z[t]]); }\n}\n",
                        fixture());
    CHECK(objective.evaluate().elbo == Approx(-5.975016559938).epsilon(0).margin(1e-10));
  }
  SECTION("with a start row in the transitions") {
    Objective objective(head + "start = 0; A = [[0.6, 0.4], [0.7, 0.3], [0.2, 0.8]];\n for t in 0..N {\n"
                               "  z[t] ~ categorical(A[start]) using enumerate;\n"
                               "  y[t] ~ categorical(E[z[t]]);\n  start = z[t] + 1; }\n}\n",
                        fixture());
    CHECK(objective.evaluate().elbo == Approx(-5.975016559938).epsilon(0).margin(1e-10));
  }
  SECTION("against the brute force of this file") {
    CHECK(brute_force({.6, .4}, fixture_transition, fixture_emission, {0, 2, 1, 2, 0}) ==
          Approx(-5.975016559938).epsilon(0).margin(1e-10));
  }
}

TEST_CASE("finite variables of a loop without a chain are summed step by step", "[chain]") {
  Objective objective("data y : index<3>[N];\nmodel {\n  pi = [0.6, 0.4];\n"
                      "  E = [[0.5, 0.4, 0.1], [0.1, 0.3, 0.6]];\n"
                      "  for t in 0..N { z[t] ~ categorical(pi) using enumerate;\n"
                      "    y[t] ~ categorical(E[z[t]]); }\n}\n",
                      fixture());
  double expected = 0;
  for (std::size_t y : {0, 2, 1, 2, 0})
    expected += std::log(.6 * fixture_emission[y] + .4 * fixture_emission[3 + y]);
  CHECK(objective.evaluate().elbo == Approx(expected).epsilon(0).margin(1e-10));
}

namespace {

/// Rows 0 2 1 2 0 | 1 | 2 2 of the fixture.
const std::vector<std::vector<int>> ragged_rows{{0, 2, 1, 2, 0}, {1}, {2, 2}};

Setting ragged_fixture() {
  Setting setting;
  setting.sizes = {{"N", 3}, {"max(T)", 5}};
  setting.ragged["y"] = test::ragged_input(ragged_rows);
  return setting;
}

double ragged_expected(const std::vector<double>& pi, const std::vector<double>& transition,
                       const std::vector<double>& emission) {
  double total = 0;
  for (const auto& row : ragged_rows)
    total += brute_force(pi, transition, emission, row);
  return total;
}

const std::string ragged_head = "data y : ragged index<3>[N, T];\nmodel {\n  pi = [0.6, 0.4];\n"
                                "  A = [[0.7, 0.3], [0.2, 0.8]];\n"
                                "  E = [[0.5, 0.4, 0.1], [0.1, 0.3, 0.6]];\n";

} // namespace

TEST_CASE("chains of different lengths in a plate", "[chain]") {
  const double expected = ragged_expected({.6, .4}, fixture_transition, fixture_emission);
  const std::string chain = "z[t] ~ categorical(t == 0 ? pi : A[z[t - 1]]) using enumerate;\n"
                            "y[n, t] ~ categorical(E[z[t]]);";
  SECTION("forwards") {
    Objective objective(ragged_head + "iarange n in N { for t in 0..T[n] {" + chain + "} } }\n",
                        ragged_fixture());
    CHECK(objective.evaluate().elbo == Approx(expected).epsilon(0).margin(1e-10));
  }
  SECTION("by a carried state") {
    Objective objective(ragged_head + "iarange n in N { prev = 0; for t in 0..T[n] {\n"
                                      "z[t] ~ categorical(t == 0 ? pi : A[prev]) using enumerate;\n"
                                      "y[n, t] ~ categorical(E[z[t]]); prev = z[t]; } } }\n",
                        ragged_fixture());
    CHECK(objective.evaluate().elbo == Approx(expected).epsilon(0).margin(1e-10));
  }
  SECTION("in reverse") {
    Objective objective(ragged_head +
                            "iarange n in N { for t in reverse 0..T[n] {\n"
                            "z[t] ~ categorical(t == T[n] - 1 ? pi : A[z[t + 1]]) using enumerate;\n"
                            "y[n, t] ~ categorical(E[z[t]]); } } }\n",
                        ragged_fixture());
    double reversed = 0;
    for (auto row : ragged_rows) {
      std::reverse(row.begin(), row.end());
      reversed += brute_force({.6, .4}, fixture_transition, fixture_emission, row);
    }
    CHECK(objective.evaluate().elbo == Approx(reversed).epsilon(0).margin(1e-10));
  }
  SECTION("a subsampled plate scales what its rows sum to") {
    double total = 0;
    for (std::uint32_t row = 0; row < 3; ++row) {
      Objective objective(ragged_head + "iarange n in N subsample 1 { for t in 0..T[n] {" + chain + "} } }\n",
                          ragged_fixture());
      objective.set_rows(0, {row});
      total += objective.evaluate().elbo / 3;
    }
    CHECK(total == Approx(expected).epsilon(0).margin(1e-10));
  }
}

TEST_CASE("derivatives of a chain in its parameters", "[chain]") {
  Objective objective("data y : ragged index<3>[N, T];\nmodel {\n  param pi : simplex[2];\n"
                      "  param A : simplex[2, 2];\n  param E : simplex[2, 3];\n"
                      "iarange n in N { for t in 0..T[n] {\n"
                      "z[t] ~ categorical(t == 0 ? pi : A[z[t - 1]]) using enumerate;\n"
                      "y[n, t] ~ categorical(E[z[t]]); } } }\n",
                      ragged_fixture());
  check_gradients(objective, {{"pi", {0.3}}, {"A", {-0.2, 0.7}}, {"E", {0.1, -0.5, 0.9, 0.2}}});
}

TEST_CASE("several observations in a step, some of them in a plate", "[chain]") {
  Setting setting = fixture();
  setting.sizes["J"] = 2;
  setting.data["x"] = {0, 1, 1, 1, 0, 0, 1, 0, 1, 1};
  Objective objective("data y : index<3>[N]; data x : bit[N, J];\nmodel {\n  pi = [0.6, 0.4];\n"
                      "  A = [[0.7, 0.3], [0.2, 0.8]];\n  E = [[0.5, 0.4, 0.1], [0.1, 0.3, 0.6]];\n"
                      "  rate = [0.2, 0.7];\n"
                      "  for t in 0..N { z[t] ~ categorical(t == 0 ? pi : A[z[t - 1]]) using enumerate;\n"
                      "    y[t] ~ categorical(E[z[t]]);\n"
                      "    iarange j in J { x[t, j] ~ bernoulli(rate[z[t]]); } } }\n",
                      setting);
  double total = 0;
  const double rate[] = {0.2, 0.7};
  for (unsigned path = 0; path < 32; ++path) {
    double p = 1;
    for (unsigned t = 0; t < 5; ++t) {
      const unsigned state = path >> t & 1, before = t ? path >> (t - 1) & 1 : 0;
      p *= t == 0 ? (state ? .4 : .6) : fixture_transition[2 * before + state];
      p *= fixture_emission[3 * state + static_cast<std::size_t>(setting.data["y"][t])];
      for (unsigned j = 0; j < 2; ++j)
        p *= setting.data["x"][2 * t + j] > 0 ? rate[state] : 1 - rate[state];
    }
    total += p;
  }
  CHECK(objective.evaluate().elbo == Approx(std::log(total)).epsilon(0).margin(1e-10));
}

TEST_CASE("states that exist only under a condition stay as they were", "[chain]") {
  // Capture and recapture: alive is known at the first sighting and chains from there (Cormack, Jolly,
  // Seber).
  Setting setting;
  setting.sizes = {{"N", 3}, {"T", 4}};
  setting.data["first"] = {0, 1, 2};
  setting.data["seen"] = {1, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0};
  const std::string head = "data first : index<T>[N]; data seen : bit[N, T];\n"
                           "model { param phi : unit; param p : unit; iarange n in N {\n";
  const std::vector<std::string> bodies{
      "alive_before = 1; for t in 0..T { if (t > first[n]) {\n"
      "  alive[t] ~ bernoulli(alive_before * phi) using enumerate;\n"
      "  seen[n, t] ~ bernoulli(alive[t] * p); alive_before = alive[t]; } }",
      "for t in 0..T { if (t > first[n]) {\n"
      "  alive[t] ~ bernoulli(t == first[n] + 1 ? phi : alive[t - 1] * phi) using enumerate;\n"
      "  seen[n, t] ~ bernoulli(alive[t] * p); } }",
      "for t in 0..T { alive[t] ~ bernoulli(t <= first[n] ? 1 : alive[t - 1] * phi) using enumerate;\n"
      "  if (t > first[n]) { seen[n, t] ~ bernoulli(alive[t] * p); } }",
      "for t in first[n]..T { alive[t] ~ bernoulli(t == first[n] ? 1 : alive[t - 1] * phi) using enumerate;\n"
      "  if (t > first[n]) { seen[n, t] ~ bernoulli(alive[t] * p); } }",
  };
  // phi = p = 1/2: rows 1 0 1 0, 0 1 0 0, 0 0 1 0.
  const double last = 1 - .5 * .5;        // never seen in the one step that is left
  const double two = .5 + .5 * .5 * last; // in the two steps that are left
  const double expected = std::log(.5 * .5 * .5 * .5 * last) + std::log(two) + std::log(last);
  for (const std::string& body : bodies) {
    INFO(body);
    Objective objective(head + body + "} }\n", setting);
    objective.set_parameter("phi", {0});
    objective.set_parameter("p", {0});
    CHECK(objective.evaluate().elbo == Approx(expected).epsilon(0).margin(1e-10));
    check_gradients(objective, {{"phi", {0.4}}, {"p", {-0.3}}});
  }
}

TEST_CASE("two chains at once, and a finite variable around a chain", "[chain]") {
  Setting setting;
  setting.sizes = {{"N", 3}};
  setting.data["y"] = {0.5, -1, 2};
  const auto normal = [](double x, double mean) {
    return std::exp(-.5 * (x - mean) * (x - mean)) / std::sqrt(2 * M_PI);
  };
  const double a[2][2] = {{.7, .3}, {.2, .8}}, b[2][2] = {{.9, .1}, {.4, .6}};
  SECTION("two chains") {
    Objective objective(
        "data y : real[N]; model { A = [[0.7, 0.3], [0.2, 0.8]]; B = [[0.9, 0.1], [0.4, 0.6]];\n"
        "v = 0; for t in 0..N { u[t] ~ categorical(t == 0 ? A[0] : A[u[t - 1]]) using enumerate;\n"
        "w[t] ~ categorical(B[v]) using enumerate;\n"
        "y[t] ~ normal(u[t] + 2 * w[t], 1); v = w[t]; } }",
        setting);
    double total = 0;
    for (unsigned path = 0; path < 64; ++path) {
      double p = 1;
      unsigned before_u = 0, before_w = 0;
      for (unsigned t = 0; t < 3; ++t) {
        const unsigned u = path >> t & 1, w = path >> (3 + t) & 1;
        p *= a[before_u][u] * b[before_w][w] * normal(setting.data["y"][t], u + 2.0 * w);
        before_u = u;
        before_w = w;
      }
      total += p;
    }
    CHECK(objective.evaluate().elbo == Approx(std::log(total)).epsilon(0).margin(1e-10));
  }
  SECTION("a mixture of chains, and a step of two states") {
    Objective objective(
        "data y : real[N]; model { A = [[[0.7, 0.3], [0.2, 0.8]], [[0.9, 0.1], [0.4, 0.6]]];\n"
        "c ~ categorical([0.25, 0.75]) using enumerate;\n"
        "before = 0; for t in 0..N { u[t] ~ categorical(A[c, before]) using enumerate;\n"
        "w[t] ~ bernoulli(0.3 + 0.2 * u[t]) using enumerate;\n"
        "y[t] ~ normal(u[t] + 2 * w[t], 1); before = u[t]; } }",
        setting);
    double total = 0;
    for (unsigned c = 0; c < 2; ++c)
      for (unsigned path = 0; path < 64; ++path) {
        double p = c ? .75 : .25;
        unsigned before = 0;
        for (unsigned t = 0; t < 3; ++t) {
          const unsigned u = path >> t & 1, w = path >> (3 + t) & 1;
          const double one = .3 + .2 * u;
          p *= (c ? b : a)[before][u] * (w ? one : 1 - one) * normal(setting.data["y"][t], u + 2.0 * w);
          before = u;
        }
        total += p;
      }
    CHECK(objective.evaluate().elbo == Approx(std::log(total)).epsilon(0).margin(1e-10));
  }
}

TEST_CASE("a finite variable that does not exist in a row weighs nothing", "[chain]") {
  Objective objective("data y : ragged index<3>[N, T];\nmodel {\n pi = [0.6, 0.4];\n"
                      "E = [[0.5, 0.4, 0.1], [0.1, 0.3, 0.6]];\n"
                      "iarange n in N { iarange t in T[n] { z ~ categorical(pi) using enumerate;\n"
                      "y[n, t] ~ categorical(E[z]); } } }\n",
                      ragged_fixture());
  double expected = 0;
  for (const auto& row : ragged_rows)
    for (int y : row)
      expected += std::log(.6 * fixture_emission[static_cast<std::size_t>(y)] +
                           .4 * fixture_emission[3 + static_cast<std::size_t>(y)]);
  CHECK(objective.evaluate().elbo == Approx(expected).epsilon(0).margin(1e-10));
}

TEST_CASE("a chain through a carried local, with several particles", "[chain]") {
  // p(z_0 = 1) = 0.4; p(z_t = 1) = 0.2 + 0.7 z_{t-1}.
  const std::string text = "data y : bit[N];\nmodel {\n  c = 2 / 7;\n"
                           "  for t in 0..N { z[t] ~ bernoulli(0.2 + 0.7 * c) using enumerate;\n"
                           "    y[t] ~ bernoulli(0.1 + 0.6 * z[t]); c = z[t]; }\n}\n";
  Setting setting;
  setting.sizes = {{"N", 4}};
  setting.data["y"] = {1, 1, 0, 1};
  setting.options.particles = GENERATE(1, 3);
  Objective objective(text, setting);
  CHECK(objective.evaluate().elbo ==
        Approx(brute_force({.6, .4}, {.8, .2, .1, .9}, {.9, .1, .3, .7}, {1, 1, 0, 1})).margin(1e-12));
}

TEST_CASE("chains that cannot be summed out are refused", "[chain]") {
  const auto refused = [](const std::string& body) {
    return plait::test::refusal(
        "data y : index<3>[N];\nmodel {\n  A = [[0.7, 0.3], [0.2, 0.8]];\n" + body + "}\n", {{"N", 5}});
  };
  CHECK_THAT(refused("n = 0; for t in 0..N { z[t] ~ categorical(A[0]) using enumerate; n = n + z[t]; }"
                     "factor(n);"),
             Catch::Contains("n depends on more than its last 4 values"));
  CHECK_THAT(refused("for t in 0..N { z[t] ~ categorical(t < 5 ? A[0] : A[z[t - 5]]) using enumerate; }"),
             Catch::Contains("5 steps before is read, at most 4"));
  CHECK_THAT(
      refused("p = 0; for t in 0..N { z[t] ~ categorical(A[p]) using enumerate; p = z[t]; } factor(p);"),
      Catch::Contains("after its loop"));
  CHECK_THAT(refused("for t in 0..N { z[t] ~ categorical(A[0]) using enumerate; } factor(z[0]);"),
             Catch::Contains("after its loop"));
}

TEST_CASE("a state stays through the steps that have none", "[chain]") {
  Setting setting = fixture();
  setting.data["moves"] = {1, 1, 0, 1, 0};
  const std::string head =
      "data y : index<3>[N]; data moves : bit[N]; model {\n"
      "  A = [[0.7, 0.3], [0.2, 0.8]];  E = [[0.5, 0.4, 0.1], [0.1, 0.3, 0.6]];\n  prev = 0;\n"
      "  for t in 0..N { if (moves[t] == 1) {\n"
      "    z[t] ~ categorical(A[prev]) using enumerate; prev = z[t];";
  SECTION("seen only while it moves") {
    Objective objective(head + "y[t] ~ categorical(E[z[t]]); } } }\n", setting);
    CHECK(objective.evaluate().elbo ==
          Approx(brute_force({.7, .3}, fixture_transition, fixture_emission, {0, 2, 2}))
              .epsilon(0)
              .margin(1e-10));
  }
  SECTION("seen at every step") {
    Objective objective(head + "} y[t] ~ categorical(E[prev]); } }\n", setting);
    double total = 0;
    for (unsigned path = 0; path < 8; ++path) {
      double p = 1;
      unsigned state = 0;
      for (unsigned t = 0, move = 0; t < 5; ++t) {
        if (setting.data["moves"][t] > 0) {
          const unsigned next = path >> move++ & 1;
          p *= fixture_transition[2 * state + next];
          state = next;
        }
        p *= fixture_emission[3 * state + static_cast<std::size_t>(setting.data["y"][t])];
      }
      total += p;
    }
    CHECK(objective.evaluate().elbo == Approx(std::log(total)).epsilon(0).margin(1e-10));
  }
}
