// Latents that the model sums out are drawn from their exact distribution given the data: frequencies beside
// an enumeration of all values.
#include "compiler/elbo/build_draws.hpp"
#include "tests/unit/elbo/build.hpp"

#include <cmath>

using namespace plait;

namespace {

double normal(double x, double mean, double sd) {
  return std::exp(-0.5 * (x - mean) * (x - mean) / (sd * sd)) / sd;
}

struct Case {
  std::string text;
  std::map<std::string, std::int64_t> sizes;
  std::vector<ir::DataInput> data;
};

/** How often each combination of values of `names` is drawn, as a share of all draws. */
std::map<std::vector<double>, double> frequencies(const Case& test, const std::vector<std::string>& names,
                                                  int draws, bool predict = false) {
  const Source source{"test.ppl", test.text};
  Diagnostics diagnostics;
  const ast::Program file = parse(source, diagnostics);
  const auto program = program::check(file, {{}, test.sizes}, diagnostics);
  INFO(render(source, diagnostics));
  REQUIRE(program);
  auto built = elbo::build_draws(*program, {}, {predict, {}}, diagnostics);
  INFO(render(source, diagnostics));
  REQUIRE(built);
  for (const std::string& name : names) {
    const auto& values = predict ? built->results : built->latents;
    REQUIRE(values.contains(name));
    built->builder->output({ir::OutputKind::value, name, values.at(name).value.id(), -1, -1});
  }
  ir::Inputs inputs;
  inputs.extents = test.sizes;
  inputs.data = test.data;
  inputs.seed = 5;
  std::map<std::vector<double>, double> shares;
  for (int draw = 0; draw < draws; ++draw) {
    inputs.step = static_cast<std::uint32_t>(draw);
    const ir::Results results = ir::interpret(*built->graph, inputs);
    std::vector<double> values;
    for (const ir::DenseArray& output : results.outputs)
      values.insert(values.end(), output.numbers.begin(), output.numbers.end());
    shares[values] += 1.0 / draws;
  }
  return shares;
}

/** Compares shares with weights that need no normalization: five standard errors for each combination. */
void check_shares(const std::map<std::vector<double>, double>& shares,
                  const std::map<std::vector<double>, double>& weights, int draws) {
  double total = 0;
  for (const auto& [values, weight] : weights)
    total += weight;
  double found = 0;
  for (const auto& [values, weight] : weights) {
    const double probability = weight / total;
    const auto share = shares.find(values);
    const double frequency = share == shares.end() ? 0 : share->second;
    found += frequency;
    CAPTURE(values, probability, frequency);
    CHECK(std::abs(frequency - probability) < 5 * std::sqrt(probability * (1 - probability) / draws) + 1e-9);
  }
  CHECK(std::abs(found - 1) < 1e-9); // nothing else was drawn
}

constexpr int draws = 4000;

} // namespace

TEST_CASE("components of a mixture are drawn given the data", "[draws][enumerate]") {
  const Case mixture{"data x : real[N];\n"
                     "model { iarange i in N { k ~ categorical([0.2, 0.5, 0.3]) using enumerate;\n"
                     "  x[i] ~ normal(k, 0.7); } }\n",
                     {{"N", 2}},
                     {{{0.4, 1.7}, {}, {}}}};
  const double prior[] = {0.2, 0.5, 0.3};
  std::map<std::vector<double>, double> weights;
  for (int a = 0; a < 3; ++a)
    for (int b = 0; b < 3; ++b)
      weights[{double(a), double(b)}] = prior[a] * normal(0.4, a, 0.7) * prior[b] * normal(1.7, b, 0.7);
  check_shares(frequencies(mixture, {"k"}, draws), weights, draws);
}

TEST_CASE("a summed-out group and its summed-out members are drawn together", "[draws][enumerate]") {
  const Case groups{
      "data x : real[N];\n"
      "model { g ~ bernoulli(0.4) using enumerate;\n"
      "  iarange i in N { k ~ bernoulli(g == 1 ? 0.7 : 0.2) using enumerate; x[i] ~ normal(k, 0.8); } }\n",
      {{"N", 2}},
      {{{0.9, 0.3}, {}, {}}}};
  std::map<std::vector<double>, double> weights;
  for (int g = 0; g < 2; ++g)
    for (int a = 0; a < 2; ++a)
      for (int b = 0; b < 2; ++b) {
        const double p = g ? 0.7 : 0.2;
        weights[{double(g), double(a), double(b)}] =
            (g ? 0.4 : 0.6) * (a ? p : 1 - p) * (b ? p : 1 - p) * normal(0.9, a, 0.8) * normal(0.3, b, 0.8);
      }
  check_shares(frequencies(groups, {"g", "k"}, draws), weights, draws);
}

TEST_CASE("members written before the group they wait for are drawn given it, and may be read together after",
          "[draws][enumerate]") {
  const Case groups{"data x : real[N];\n"
                    "model { iarange i in N { k ~ bernoulli(0.5) using enumerate; }\n"
                    "  g ~ bernoulli(0.4) using enumerate;\n"
                    "  iarange i in N { x[i] ~ normal(k + 2 * g, 0.8); } }\n"
                    "predict { total = sum(k) + 4 * g; }\n",
                    {{"N", 2}},
                    {{{1.9, 1.3}, {}, {}}}};
  std::map<std::vector<double>, double> weights, totals;
  for (int g = 0; g < 2; ++g)
    for (int a = 0; a < 2; ++a)
      for (int b = 0; b < 2; ++b) {
        const double weight = (g ? 0.4 : 0.6) * normal(1.9, a + 2 * g, 0.8) * normal(1.3, b + 2 * g, 0.8);
        weights[{double(g), double(a), double(b)}] = weight;
        totals[{double(a + b + 4 * g)}] += weight;
      }
  check_shares(frequencies(groups, {"g", "k"}, draws), weights, draws);
  check_shares(frequencies(groups, {"total"}, draws, true), totals, draws);
}

TEST_CASE("the states of a chain are drawn together, rows of different lengths", "[draws][enumerate]") {
  const Case chain{"data y : ragged real[N, T];\n"
                   "model { iarange n in N { for t in 0..T[n] {\n"
                   "  z[t] ~ bernoulli(t == 0 ? 0.3 : (z[t - 1] == 1 ? 0.8 : 0.25)) using enumerate;\n"
                   "  y[n, t] ~ normal(z[t], 0.6);\n"
                   "} } }\n",
                   {{"N", 2}, {"max(T)", 3}},
                   {{{0.2, 0.6, 0.9, 0.7}, {0, 3}, {3, 1}}}};
  std::map<std::vector<double>, double> weights;
  const double y[] = {0.2, 0.6, 0.9};
  for (int code = 0; code < 8; ++code)
    for (int other = 0; other < 2; ++other) {
      const int z[] = {code & 1, code >> 1 & 1, code >> 2 & 1};
      double weight = (other ? 0.3 : 0.7) * normal(0.7, other, 0.6);
      for (int t = 0; t < 3; ++t) {
        const double p = t == 0 ? 0.3 : z[t - 1] ? 0.8 : 0.25;
        weight *= (z[t] ? p : 1 - p) * normal(y[t], z[t], 0.6);
      }
      weights[{double(z[0]), double(z[1]), double(z[2]), double(other), 0, 0}] = weight;
    }
  check_shares(frequencies(chain, {"z"}, draws), weights, draws);
}

TEST_CASE("a chain of second order, against the direction of its loop", "[draws][enumerate]") {
  for (const bool reverse : {false, true}) {
    const Case chain{reverse ? "data y : real[4];\n"
                               "model { last = 0; for t in reverse 0..4 {\n"
                               "  z[t] ~ bernoulli(last == 1 ? 0.8 : 0.25) using enumerate; last = z[t];\n"
                               "  y[t] ~ normal(z[t], 0.6); } }\n"
                             : "data y : real[4];\n"
                               "model { for t in 0..4 {\n"
                               "  z[t] ~ bernoulli(t < 2 ? 0.4 : 0.2 + 0.3 * z[t - 1] + 0.4 * z[t - 2])\n"
                               "    using enumerate;\n"
                               "  y[t] ~ normal(z[t], 0.6); } }\n",
                     {},
                     {{{0.2, 0.6, 0.9, 0.5}, {}, {}}}};
    const double y[] = {0.2, 0.6, 0.9, 0.5};
    std::map<std::vector<double>, double> weights;
    for (int code = 0; code < 16; ++code) {
      std::vector<double> z(4);
      for (int t = 0; t < 4; ++t)
        z[t] = code >> t & 1;
      double weight = 1;
      for (int t = 0; t < 4; ++t) {
        const double p = reverse ? (t < 3 && z[t + 1] == 1 ? 0.8 : 0.25)
                         : t < 2 ? 0.4
                                 : 0.2 + 0.3 * z[t - 1] + 0.4 * z[t - 2];
        weight *= (z[t] == 1 ? p : 1 - p) * normal(y[t], z[t], 0.6);
      }
      weights[z] = weight;
    }
    check_shares(frequencies(chain, {"z"}, draws), weights, draws);
  }
}

TEST_CASE("a summed-out value inside a chain's iteration is drawn with it", "[draws][enumerate]") {
  const Case chain{"data y : real[2];\n"
                   "model { for t in 0..2 {\n"
                   "  z[t] ~ bernoulli(t == 0 ? 0.3 : (z[t - 1] == 1 ? 0.8 : 0.25)) using enumerate;\n"
                   "  k[t] ~ bernoulli(z[t] == 1 ? 0.6 : 0.2) using enumerate;\n"
                   "  y[t] ~ normal(z[t] + 2 * k[t], 0.9); } }\n",
                   {},
                   {{{1.2, 2.1}, {}, {}}}};
  const double y[] = {1.2, 2.1};
  std::map<std::vector<double>, double> weights;
  for (int code = 0; code < 16; ++code) {
    const int z[] = {code & 1, code >> 1 & 1}, k[] = {code >> 2 & 1, code >> 3 & 1};
    double weight = 1;
    for (int t = 0; t < 2; ++t) {
      const double p = t == 0 ? 0.3 : z[0] ? 0.8 : 0.25, q = z[t] ? 0.6 : 0.2;
      weight *= (z[t] ? p : 1 - p) * (k[t] ? q : 1 - q) * normal(y[t], z[t] + 2 * k[t], 0.9);
    }
    weights[{double(z[0]), double(z[1]), double(k[0]), double(k[1])}] = weight;
  }
  check_shares(frequencies(chain, {"z", "k"}, draws), weights, draws);
}

TEST_CASE("predictions read the drawn components", "[draws][predict][enumerate]") {
  const Case mixture{"data x : real[N];\n"
                     "model { iarange i in N { k ~ bernoulli(0.3) using enumerate; m = 2 * k + 1;\n"
                     "  x[i] ~ normal(k, 0.7); } }\n"
                     "predict { iarange i in N { which = k; level = m; } }\n",
                     {{"N", 1}},
                     {{{0.6}, {}, {}}}};
  check_shares(frequencies(mixture, {"which", "level"}, draws, true),
               {{{0, 1}, 0.7 * normal(0.6, 0, 0.7)}, {{1, 3}, 0.3 * normal(0.6, 1, 0.7)}}, draws);
}

TEST_CASE("as many components as the data have, and what depends on them", "[draws][enumerate]") {
  // k has a value for each of the K levels; m, and b in every step of a loop, depend on it.
  const Case mixture{"data level : real[K];\ndata x : real;\ndata y : bit[N];\n"
                     "model { k ~ categorical_logit(level) using enumerate;\n"
                     "  m ~ bernoulli(0.2 + 0.3 * k) using enumerate; x ~ normal(k + m, 0.8);\n"
                     "  for t in 0..N { b[t] ~ bernoulli(0.1 + 0.3 * k) using enumerate;\n"
                     "    y[t] ~ bernoulli(0.2 + 0.5 * b[t]); } }\n",
                     {{"K", 3}, {"N", 1}},
                     {{{0.4, -0.3, 0.2}, {}, {}}, {{1.4}, {}, {}}, {{1}, {}, {}}}};
  std::map<std::vector<double>, double> weights;
  for (int k = 0; k < 3; ++k)
    for (int m = 0; m < 2; ++m)
      for (int b = 0; b < 2; ++b) {
        const double p_k = std::exp(std::vector<double>{0.4, -0.3, 0.2}.at(static_cast<std::size_t>(k)));
        const double p_m = 0.2 + 0.3 * k, p_b = 0.1 + 0.3 * k;
        weights[{double(k), double(m), double(b)}] =
            p_k * (m ? p_m : 1 - p_m) * (b ? p_b : 1 - p_b) * normal(1.4, k + m, 0.8) * (0.2 + 0.5 * b);
      }
  check_shares(frequencies(mixture, {"k", "m", "b"}, draws), weights, draws);
}

TEST_CASE("a value that is the same for all elements of a plate is still one of each", "[draws][predict]") {
  const Case constant{"data x : real[N];\n"
                      "model { iarange i in N { x[i] ~ normal(0, 1); } }\n"
                      "predict { iarange i in N { a = 0.5; for t in 0..2 { b[t] = 3 * t; } } }\n",
                      {{"N", 2}},
                      {{{0.6, 1}, {}, {}}}};
  CHECK(frequencies(constant, {"a", "b"}, 1, true) ==
        std::map<std::vector<double>, double>{{{0.5, 0.5, 0, 3, 0, 3}, 1}});
}
