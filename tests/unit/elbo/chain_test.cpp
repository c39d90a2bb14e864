// Finite variables along a `for`: the forward algorithm against sums over every path.
#include "tests/unit/elbo/build.hpp"

#include <cmath>

using namespace plait;
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
  const std::string head = "data y : index<3>[N];\nmodel {\n  pi = [0.6, 0.4];\n  T = [[0.7, 0.3], [0.2, 0.8]];\n"
                           "  E = [[0.5, 0.4, 0.1], [0.1, 0.3, 0.6]];\n";
  SECTION("by a carried state") {
    Objective objective(head + "prev = 0;\n for t in 0..N {\n"
                               "  z[t] ~ categorical(t == 0 ? pi : T[prev]) using enumerate;\n"
                               "  y[t] ~ categorical(E[z[t]]);\n  prev = z[t]; }\n}\n",
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
