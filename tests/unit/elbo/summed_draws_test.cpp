// Latents that the model sums out are drawn from their exact distribution given the data: frequencies beside
// an enumeration of all values.
#include "tests/unit/elbo/interpreted_draws.hpp"

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
  elbo::PosteriorDraws built = test::draws_of(test.text, test.sizes, predict);
  for (const std::string& name : names) {
    const auto& values = predict ? built.results : built.latents;
    REQUIRE(values.contains(name));
    built.builder->output({ir::OutputKind::value, name, values.at(name).value.id(), -1, -1});
  }
  ir::Inputs inputs;
  inputs.extents = test.sizes;
  inputs.data = test.data;
  inputs.seed = 5;
  std::map<std::vector<double>, double> shares;
  for (int draw = 0; draw < draws; ++draw) {
    inputs.step = static_cast<std::uint32_t>(draw);
    const ir::Results results = ir::interpret(*built.graph, inputs);
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

namespace {

double bernoulli(double value, double probability) {
  return value == 1 ? probability : 1 - probability;
}

/** Every way to give `count` bits their values. */
std::vector<std::vector<double>> all_bits(int count) {
  std::vector<std::vector<double>> result;
  for (int code = 0; code < 1 << count; ++code) {
    result.emplace_back();
    for (int k = 0; k < count; ++k)
      result.back().push_back(code >> k & 1);
  }
  return result;
}

} // namespace

TEST_CASE("the states of chains in a loop are drawn, one chain for each iteration", "[draws][enumerate]") {
  const Case chains{"data y : real[2, 3];\n"
                    "model { for s in 0..2 { for t in 0..3 {\n"
                    "  z[s, t] ~ bernoulli(t == 0 ? 0.3 : (z[s, t - 1] == 1 ? 0.8 : 0.25)) using enumerate;\n"
                    "  y[s, t] ~ normal(z[s, t], 0.6);\n"
                    "} } }\n"
                    "predict { for s in 0..2 { for t in 0..3 { state[s, t] = 2 * z[s, t]; } } }\n",
                    {},
                    {{{0.2, 0.6, 0.9, 0.7, 0.4, 0.1}, {}, {}}}};
  const std::vector<double>& y = chains.data[0].numbers;
  std::map<std::vector<double>, double> weights, doubled;
  for (const std::vector<double>& z : all_bits(6)) {
    double weight = 1;
    for (std::size_t k = 0; k < 6; ++k)
      weight *= bernoulli(z[k], k % 3 == 0 ? 0.3 : z[k - 1] == 1 ? 0.8 : 0.25) * normal(y[k], z[k], 0.6);
    weights[z] = weight;
    std::vector<double> twice = z;
    for (double& value : twice)
      value *= 2;
    doubled[twice] = weight;
  }
  check_shares(frequencies(chains, {"z"}, draws), weights, draws);
  check_shares(frequencies(chains, {"state"}, draws, true), doubled, draws);
}

TEST_CASE("a chain of regimes is drawn with the chains inside that follow it", "[draws][enumerate]") {
  // g is summed out outside, c along the outer loop, k in each of its iterations, z along the inner loop.
  const Case nested{"data y : real[2, 2];\n"
                    "model {\n"
                    "  g ~ bernoulli(0.4) using enumerate;\n"
                    "  for s in 0..2 {\n"
                    "    c[s] ~ bernoulli(s == 0 ? 0.5 : (c[s - 1] == 1 ? 0.7 : 0.2 + 0.3 * g))\n"
                    "      using enumerate;\n"
                    "    k[s] ~ bernoulli(0.3 + 0.4 * c[s]) using enumerate;\n"
                    "    for t in 0..2 {\n"
                    "      z[s, t] ~ bernoulli(t == 0 ? 0.3 + 0.3 * k[s]\n"
                    "                                 : (z[s, t - 1] == 1 ? 0.8 : 0.2 + 0.2 * c[s]))\n"
                    "        using enumerate;\n"
                    "      y[s, t] ~ normal(z[s, t] + c[s], 0.7);\n"
                    "    }\n"
                    "  }\n"
                    "}\n",
                    {},
                    {{{0.4, 1.1, 1.3, 0.8}, {}, {}}}};
  const std::vector<double>& y = nested.data[0].numbers;
  std::map<std::vector<double>, double> weights;
  for (const std::vector<double>& bits : all_bits(9)) { // c, g, k, z
    const double g = bits[2];
    double weight = bernoulli(g, 0.4);
    for (std::size_t s = 0; s < 2; ++s) {
      const double c = bits[s], k = bits[3 + s];
      weight *= bernoulli(c, s == 0 ? 0.5 : bits[0] == 1 ? 0.7 : 0.2 + 0.3 * g);
      weight *= bernoulli(k, 0.3 + 0.4 * c);
      for (std::size_t t = 0; t < 2; ++t) {
        const double z = bits[5 + 2 * s + t];
        const double p = t == 0 ? 0.3 + 0.3 * k : bits[5 + 2 * s] == 1 ? 0.8 : 0.2 + 0.2 * c;
        weight *= bernoulli(z, p) * normal(y[2 * s + t], z + c, 0.7);
      }
    }
    weights[bits] = weight;
  }
  constexpr int many = 20000;
  check_shares(frequencies(nested, {"c", "g", "k", "z"}, many), weights, many);
}

TEST_CASE("rows of different lengths hold loops of summed-out values", "[draws][enumerate]") {
  const Case ragged{
      "data y : ragged real[N, T];\n"
      "model { iarange n in N { for t in 0..T[n] { for j in 0..2 {\n"
      "  z[t, j] ~ bernoulli(j == 0 ? 0.3 : (z[t, j - 1] == 1 ? 0.8 : 0.25)) using enumerate; }\n"
      "  b[t] ~ bernoulli(0.4) using enumerate;\n"
      "  y[n, t] ~ normal(b[t], 0.6);\n"
      "} } }\n",
      {{"N", 2}, {"max(T)", 2}},
      {{{0.2, 0.6, 0.9}, {0, 2}, {2, 1}}}};
  // Two elements at a time, of one row and of both: all three have 512 combinations, many of them rare.
  const double y[] = {0.2, 0.6, 0.9};
  constexpr int many = 20000;
  const auto drawn = frequencies(ragged, {"b", "z"}, many);
  for (const auto& [first, second] : {std::pair(0, 1), std::pair(1, 2)}) {
    std::map<std::vector<double>, double> weights, found;
    for (const std::vector<double>& bits : all_bits(6)) {
      double weight = 1;
      for (int k = 0; k < 2; ++k) {
        const double *z = &bits[static_cast<std::size_t>(3 * k + 1)],
                     b = bits[static_cast<std::size_t>(3 * k)];
        weight *= bernoulli(b, 0.4) * normal(y[k == 0 ? first : second], b, 0.6) * bernoulli(z[0], 0.3) *
                  bernoulli(z[1], z[0] == 1 ? 0.8 : 0.25);
      }
      weights[bits] = weight;
    }
    for (const auto& [values, share] : drawn) {
      REQUIRE(values.size() == 12);
      CHECK((values[3] == 0 && values[10] == 0 && values[11] == 0)); // behind the end of the second row
      std::vector<double> both;
      for (const int element : {first, second}) {
        const auto at = static_cast<std::size_t>(element); // of b; z is behind the four of b, two for each
        both.insert(both.end(), {values[at], values[4 + 2 * at], values[5 + 2 * at]});
      }
      found[both] += share;
    }
    check_shares(found, weights, many);
  }
}

TEST_CASE("values summed out in three loops, the outer ones against their direction", "[draws][enumerate]") {
  const Case deep{"data y : real[2, 2, 2];\n"
                  "model { for r in reverse 0..2 { c[r] ~ bernoulli(0.4) using enumerate;\n"
                  "  for s in 0..2 { for t in reverse 0..2 {\n"
                  "    z[r, s, t] ~ bernoulli(0.2 + 0.5 * c[r]) using enumerate;\n"
                  "    y[r, s, t] ~ normal(z[r, s, t], 0.8); } } } }\n",
                  {},
                  {{{0.2, 0.6, 0.9, 0.7, 0.4, 0.1, 0.8, 1.3}, {}, {}}}};
  // 2^10 combinations: the margins of the first half, which is independent of the second, suffice.
  const std::vector<double>& y = deep.data[0].numbers;
  constexpr int many = 20000;
  std::map<std::vector<double>, double> found[2];
  for (const auto& [bits, share] : frequencies(deep, {"c", "z"}, many))
    for (std::size_t r = 0; r < 2; ++r)
      found[r][{bits[r], bits[2 + 4 * r], bits[3 + 4 * r], bits[4 + 4 * r], bits[5 + 4 * r]}] += share;
  for (std::size_t r = 0; r < 2; ++r) {
    std::map<std::vector<double>, double> weights;
    for (const std::vector<double>& bits : all_bits(5)) {
      double weight = bernoulli(bits[0], 0.4);
      for (std::size_t k = 0; k < 4; ++k)
        weight *= bernoulli(bits[1 + k], 0.2 + 0.5 * bits[0]) * normal(y[4 * r + k], bits[1 + k], 0.8);
      weights[bits] = weight;
    }
    check_shares(found[r], weights, many);
  }
}

TEST_CASE("a number of values that the data tell is no reason to leave a site out", "[draws][enumerate]") {
  const Case open{
      "data p : real[K];\ndata y : real[2];\n"
      "model { for t in 0..2 { z[t] ~ categorical(p) using enumerate; y[t] ~ normal(z[t], 0.9); }\n"
      "  k ~ categorical(p) using enumerate; }\n",
      {{"K", 3}},
      {{{0.2, 0.5, 0.3}, {}, {}}, {{0.7, 1.8}, {}, {}}}};
  std::map<std::vector<double>, double> weights;
  const double p[] = {0.2, 0.5, 0.3};
  for (int k = 0; k < 3; ++k)
    for (int a = 0; a < 3; ++a)
      for (int b = 0; b < 3; ++b)
        weights[{double(k), double(a), double(b)}] =
            p[k] * p[a] * p[b] * normal(0.7, a, 0.9) * normal(1.8, b, 0.9);
  check_shares(frequencies(open, {"k", "z"}, draws), weights, draws);
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
