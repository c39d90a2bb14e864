/** \file
 * Programs whose branches sample a latent, each beside one that says the same without: with `? :` in the
 * arguments of the distributions, or with another latent. Noise goes by names and rows, so that both give the
 * same numbers for every draw.
 */
#pragma once

#include "tests/unit/elbo/build.hpp"

#include <cmath>

namespace plait::test::branches {

struct Program {
  std::string name, text, same;
  std::map<std::string, std::vector<double>> parameters = {}; ///< unconstrained; all others have some numbers
  int particles = 1;
  bool same_gradient = true; ///< for every draw
};

inline const std::string data = R"(
const K = 3;
data c : bit[N];
data k : index<K>[N];
data v : bit[N];
data x : real[N];
data y : real[N, T];
data seen : bit[T];
data s : index<K>[T];
)";

/// The automatic guide `family` for a model with a global and a plated latent, both in branches.
inline Program automatic(const std::string& family) {
  const std::string rest = R"( y[i, 0] ~ normal(z * w, 1); } }
guide auto()" + family + ");\n";
  return {"auto(" + family + ")", data + R"(
model {
  if (c[1] == 1) { w ~ gamma(2, 1); } else { w ~ lognormal(0, 0.5); }
  iarange i in N { if (c[i] == 1) { z ~ normal(0, 1); } else { z ~ normal(2 + x[i], 0.5); }
)" + rest,
          data + R"(
model {
  w ~ lognormal(0, 0.5);
  iarange i in N { z ~ normal(c[i] == 1 ? 0 : 2 + x[i], c[i] == 1 ? 1 : 0.5);
)" + rest};
}

inline std::vector<Program> programs() {
  std::vector<Program> all{
      {"in the model only",
       data + R"(
model {
  mu ~ normal(0, 2);
  iarange i in N subsample 2 {
    if (c[i] == 1) { z ~ normal(mu, 1); } else { shift = 3 * mu; z ~ normal(shift, 2); }
    x[i] ~ normal(z, 0.5);
  }
}
guide { param m : real; param a : real; param r : positive; mu ~ normal(m, 0.5);
  iarange i in N { z ~ normal(m + a * x[i], r); } }
)",
       data + R"(
model {
  mu ~ normal(0, 2);
  iarange i in N subsample 2 {
    z ~ normal(c[i] == 1 ? mu : 3 * mu, c[i] == 1 ? 1 : 2);
    x[i] ~ normal(z, 0.5);
  }
}
guide { param m : real; param a : real; param r : positive; mu ~ normal(m, 0.5);
  iarange i in N { z ~ normal(m + a * x[i], r); } }
)",
       {{"m", {0.2}}, {"a", {0.4}}, {"r", {-0.3}}}},
      {"in the guide only, with parameters of each branch and of each row",
       data + R"(
model { iarange i in N subsample 2 { z ~ normal(1, 2); x[i] ~ normal(z, 0.5); } }
guide { param r : positive;
  iarange i in N {
    if (c[i] == 0) { param m : real; z ~ normal(m, r); } else { param a : real; u = a * x[i]; z ~ normal(u, 0.7); }
  } }
)",
       data + R"(
model { iarange i in N subsample 2 { z ~ normal(1, 2); x[i] ~ normal(z, 0.5); } }
guide { param r : positive;
  iarange i in N { param m : real; param a : real; z ~ normal(c[i] == 0 ? m : a * x[i], c[i] == 0 ? r : 0.7); } }
)",
       {{"m", {0.1, -0.2, 0.3, 0.4}}, {"a", {0.4, 0.3, 0.2, 0.1}}, {"r", {-0.3}}}},
      {"on both sides, conditions turned round, one plate run index by index",
       data + R"(
model { irange i in N subsample 2 {
  if (c[i] == 1) { z ~ normal(0, 1); } else { z ~ normal(5, 2); } x[i] ~ normal(z, 1); } }
guide { param m : real; param r : positive;
  iarange j in N { if (c[j] != 1) { z ~ normal(m + x[j], r); } else { z ~ normal(m, 1); } } }
)",
       data + R"(
model { irange i in N subsample 2 { z ~ normal(c[i] == 1 ? 0 : 5, c[i] == 1 ? 1 : 2); x[i] ~ normal(z, 1); } }
guide { param m : real; param r : positive;
  iarange j in N { z ~ normal(c[j] == 1 ? m : m + x[j], c[j] == 1 ? 1 : r); } }
)",
       {{"m", {0.3}}, {"r", {0.2}}}},
      {"a chain of branches beside a nested one",
       data + R"(
model { iarange i in N subsample 2 {
  if (k[i] == 0) { z ~ normal(0, 1); } else if (k[i] == 1) { z ~ normal(5, 2); } else { z ~ normal(-1, 0.5); }
  x[i] ~ normal(z, 1); } }
guide { param m : real; param r : positive;
  iarange i in N {
    if (k[i] < 2) { if (k[i] == 1) { z ~ normal(4 * m, r); } else { z ~ normal(m, r); } }
    else { z ~ normal(-m, 0.4); } } }
)",
       data + R"(
model { iarange i in N subsample 2 {
  z ~ normal(k[i] == 0 ? 0 : k[i] == 1 ? 5 : -1, k[i] == 0 ? 1 : k[i] == 1 ? 2 : 0.5); x[i] ~ normal(z, 1); } }
guide { param m : real; param r : positive;
  iarange i in N { z ~ normal(k[i] == 0 ? m : k[i] == 1 ? 4 * m : -m, k[i] < 2 ? r : 0.4); } }
)",
       {{"m", {0.3}}, {"r", {0.2}}}},
      {"by score function",
       data + R"(
model { iarange i in N subsample 2 {
  if (c[i] == 1) { h ~ bernoulli(0.3); } else { h ~ bernoulli(0.8); } x[i] ~ normal(2 * h, 1); } }
guide { param l : real;
  iarange i in N { if (c[i] == 1) { h ~ bernoulli_logit(l * x[i]); } else { h ~ bernoulli_logit(l - 1); } } }
)",
       data + R"(
model { iarange i in N subsample 2 { h ~ bernoulli(c[i] == 1 ? 0.3 : 0.8); x[i] ~ normal(2 * h, 1); } }
guide { param l : real; iarange i in N { h ~ bernoulli_logit(c[i] == 1 ? l * x[i] : l - 1); } }
)",
       {{"l", {0.7}}}},
      {"by score function with three particles",
       data + R"(
model { iarange i in N subsample 2 { z ~ normal(0, 1); x[i] ~ normal(z, 1); } }
guide { param l : real; param r : positive;
  iarange i in N {
    if (c[i] == 1) { z ~ normal(l, r) using score; } else { z ~ normal(l + x[i], r) using score; } } }
)",
       data + R"(
model { iarange i in N subsample 2 { z ~ normal(0, 1); x[i] ~ normal(z, 1); } }
guide { param l : real; param r : positive;
  iarange i in N { z ~ normal(c[i] == 1 ? l : l + x[i], r) using score; } }
)",
       {{"l", {0.7}}, {"r", {0.3}}},
       3},
      {"summed out in the model",
       data + R"(
model { mu ~ normal(0, 1); iarange i in N subsample 2 {
  if (c[i] == 1) { h ~ categorical([0.2, 0.5, 0.3]) using enumerate; }
  else { h ~ categorical([0.6, 0.3, 0.1]) using enumerate; }
  x[i] ~ normal(mu * h, 1); } }
guide { param m : real; mu ~ normal(m, 0.4); }
)",
       data + R"(
model { mu ~ normal(0, 1); iarange i in N subsample 2 {
  h ~ categorical(c[i] == 1 ? [0.2, 0.5, 0.3] : [0.6, 0.3, 0.1]) using enumerate;
  x[i] ~ normal(mu * h, 1); } }
guide { param m : real; mu ~ normal(m, 0.4); }
)",
       {{"m", {0.7}}}},
      {"summed out in the guide",
       data + R"(
model { iarange i in N subsample 2 {
  if (c[i] == 1) { h ~ bernoulli(0.3); } else { h ~ bernoulli(0.8); } x[i] ~ normal(2 * h, 1); } }
guide { param l : real; iarange i in N {
  if (c[i] == 1) { h ~ bernoulli_logit(l) using enumerate; } else { h ~ bernoulli_logit(x[i] - l) using enumerate; } } }
)",
       data + R"(
model { iarange i in N subsample 2 { h ~ bernoulli(c[i] == 1 ? 0.3 : 0.8); x[i] ~ normal(2 * h, 1); } }
guide { param l : real;
  iarange i in N { h ~ bernoulli_logit(c[i] == 1 ? l : x[i] - l) using enumerate; } }
)",
       {{"l", {0.7}}}},
      {"a value in the other branch: drawn",
       data + R"(
model { p ~ beta(2, 2); iarange i in N subsample 2 {
  if (c[i] == 0) { h ~ bernoulli(p); } else { h = v[i]; }
  x[i] ~ normal(3 * h, 1); } }
guide { param l : real; param a : positive; p ~ beta(a, 2);
  iarange i in N { if (c[i] == 0) { h ~ bernoulli_logit(l * x[i]); } } }
)",
       data + R"(
model { p ~ beta(2, 2); iarange i in N subsample 2 {
  if (c[i] == 0) { h ~ bernoulli(p); g = h; } else { g = v[i]; }
  x[i] ~ normal(3 * g, 1); } }
guide { param l : real; param a : positive; p ~ beta(a, 2);
  iarange i in N { if (c[i] == 0) { h ~ bernoulli_logit(l * x[i]); } } }
)",
       {{"l", {0.7}}, {"a", {0.3}}}},
      {"a value in the first branch: summed out in the model",
       data + R"(
model { mu ~ normal(0, 1); iarange i in N subsample 2 {
  if (c[i] == 1) { h = k[i]; } else if (v[i] == 1) { h ~ categorical([0.2, 0.5, 0.3]) using enumerate; }
  else { h ~ categorical([0.6, 0.3, 0.1]) using enumerate; }
  x[i] ~ normal(mu * h, 1); } }
guide { param m : real; mu ~ normal(m, 0.4); }
)",
       data + R"(
model { mu ~ normal(0, 1); iarange i in N subsample 2 {
  if (c[i] == 1) { g = k[i]; }
  else { h ~ categorical(v[i] == 1 ? [0.2, 0.5, 0.3] : [0.6, 0.3, 0.1]) using enumerate; g = h; }
  x[i] ~ normal(mu * g, 1); } }
guide { param m : real; mu ~ normal(m, 0.4); }
)",
       {{"m", {0.7}}}},
      {"a value in the other branch that is none of those summed over",
       data + R"(
model { mu ~ normal(0, 1); iarange i in N subsample 2 {
  if (c[i] == 0) { h ~ bernoulli(0.3) using enumerate; } else { h = 0.5 * x[i]; }
  x[i] ~ normal(mu * h, 1); } }
guide { param m : real; mu ~ normal(m, 0.4); }
)",
       data + R"(
model { mu ~ normal(0, 1); iarange i in N subsample 2 {
  if (c[i] == 0) { h ~ bernoulli(0.3) using enumerate; g = h; } else { g = 0.5 * x[i]; }
  x[i] ~ normal(mu * g, 1); } }
guide { param m : real; mu ~ normal(m, 0.4); }
)",
       {{"m", {0.7}}}},
      {"a value in the other branch: summed out in the guide, real there",
       data + R"(
model { iarange i in N subsample 2 {
  if (c[i] == 0) { h ~ bernoulli(0.3); } else { h = 0.5 * x[i]; }
  x[i] ~ normal(3 * h, 1); } }
guide { param l : real;
  iarange i in N { if (c[i] == 0) { h ~ bernoulli_logit(l * x[i]) using enumerate; } } }
)",
       data + R"(
model { iarange i in N subsample 2 {
  if (c[i] == 0) { h ~ bernoulli(0.3); g = h; } else { g = 0.5 * x[i]; }
  x[i] ~ normal(3 * g, 1); } }
guide { param l : real;
  iarange i in N { if (c[i] == 0) { h ~ bernoulli_logit(l * x[i]) using enumerate; } } }
)",
       {{"l", {0.7}}}},
      {"in a `for`, each step reading the one before",
       data + R"(
model { iarange i in N { for t in 0..T {
  before = t == 0 ? 0 : z[t - 1];
  if (t == 0) { z[t] ~ normal(0, 1); } else { if (seen[t] == 1) { z[t] ~ normal(before, 0.5); } else { z[t] = 0.8 * before; } }
  y[i, t] ~ normal(z[t], 1); } } }
guide { param m : real; iarange i in N { for j in 0..T {
  if (j == 0) { z[j] ~ normal(m, 0.6); } else if (seen[j] == 1) { z[j] ~ normal(m * y[i, j], 0.5); } } } }
)",
       data + R"(
model { iarange i in N { for t in 0..T {
  before = t == 0 ? 0 : g[t - 1];
  if (t == 0 || seen[t] == 1) { z[t] ~ normal(before, t == 0 ? 1 : 0.5); g[t] = z[t]; } else { g[t] = 0.8 * before; }
  y[i, t] ~ normal(g[t], 1); } } }
guide { param m : real; iarange i in N { for t in 0..T {
  if (t == 0 || seen[t] == 1) { z[t] ~ normal(t == 0 ? m : m * y[i, t], t == 0 ? 0.6 : 0.5); } } } }
)",
       {{"m", {0.7}}}},
      // Iterations where the guide or the model reads less of the past have fewer terms in their costs: the
      // gradients have the same mean.
      {"states along a `for` drawn by score function",
       data + R"(
model { before = 0; for t in 0..T {
  if (seen[t] == 1) { h[t] ~ bernoulli(0.3 + 0.4 * before); } else { h[t] ~ bernoulli(0.6); }
  before = h[t]; y[0, t] ~ normal(2 * h[t], 1); } }
guide { param l : real; for t in 0..T {
  if (seen[t] == 1) { h[t] ~ bernoulli_logit(l); } else { h[t] ~ bernoulli_logit(l * y[0, t]); } } }
)",
       data + R"(
model { before = 0; for t in 0..T {
  h[t] ~ bernoulli(seen[t] == 1 ? 0.3 + 0.4 * before : 0.6);
  before = h[t]; y[0, t] ~ normal(2 * h[t], 1); } }
guide { param l : real; for t in 0..T {
  h[t] ~ bernoulli_logit(seen[t] == 1 ? l : l * y[0, t]); } }
)",
       {{"l", {0.7}}},
       1,
       false},
      {"states along a `for` summed out in the model",
       data + R"(
model { mu ~ normal(0, 1); iarange i in N { before = 0; for t in 0..T {
  if (t == 0) { h[t] ~ categorical([0.2, 0.5, 0.3]) using enumerate; }
  else { h[t] ~ categorical(before == 0 ? [0.7, 0.2, 0.1] : [0.1, 0.3, 0.6]) using enumerate; }
  before = h[t]; y[i, t] ~ normal(mu * h[t], 1); } } }
guide { param m : real; mu ~ normal(m, 0.4); }
)",
       data + R"(
model { mu ~ normal(0, 1); iarange i in N { before = 0; for t in 0..T {
  h[t] ~ categorical(t == 0 ? [0.2, 0.5, 0.3] : before == 0 ? [0.7, 0.2, 0.1] : [0.1, 0.3, 0.6]) using enumerate;
  before = h[t]; y[i, t] ~ normal(mu * h[t], 1); } } }
guide { param m : real; mu ~ normal(m, 0.4); }
)",
       {{"m", {0.7}}}},
      {"states along a `for`, some of them known, summed out in the model",
       data + R"(
model { mu ~ normal(0, 1); iarange i in N { for t in 0..T {
  past = t == 0 ? 0 : h[t - 1];
  if (seen[t] == 0) { h[t] ~ categorical(past == 0 ? [0.7, 0.2, 0.1] : [0.1, 0.3, 0.6]) using enumerate; }
  else { h[t] = s[t]; }
  y[i, t] ~ normal(mu * h[t], 1); } } }
guide { param m : real; mu ~ normal(m, 0.4); }
)",
       data + R"(
model { mu ~ normal(0, 1); iarange i in N { for t in 0..T {
  past = t == 0 ? 0 : h[t - 1];
  h[t] ~ categorical(past == 0 ? [0.7, 0.2, 0.1] : [0.1, 0.3, 0.6]) using enumerate;
  p = past == 0 ? [0.7, 0.2, 0.1] : [0.1, 0.3, 0.6];
  factor(seen[t] == 0 ? 0 : h[t] == s[t] ? -log(p[h[t]]) : -1e30);
  y[i, t] ~ normal(mu * h[t], 1); } } }
guide { param m : real; mu ~ normal(m, 0.4); }
)",
       {{"m", {0.7}}}},
      {"rows without the latent under a joint guide have a standard normal", data + R"(
model { iarange i in N { mean = 2;
  if (c[i] == 1) { z ~ normal(1, 2); mean = z; } x[i] ~ normal(mean, 1); } }
guide auto(full_rank);
)",
       data + R"(
model { iarange i in N {
  z ~ normal(c[i] == 1 ? 1 : 0, c[i] == 1 ? 2 : 1); x[i] ~ normal(c[i] == 1 ? z : 2, 1); } }
guide auto(full_rank);
)"},
      {"several plates inside of branches", data + R"(
model {
  if (c[0] == 1) { iarange i in N { z ~ normal(0, 1); } } else { iarange i in N { z ~ normal(9, 1); } }
  iarange i in N { x[i] ~ normal(z, 1); } }
guide auto(normal);
)",
       data + R"(
model { iarange i in N { z ~ normal(c[0] == 1 ? 0 : 9, 1); x[i] ~ normal(z, 1); } }
guide auto(normal);
)"},
      {"a draw sent through transforms",
       data + R"(
model { iarange i in N subsample 2 {
  if (c[i] == 1) { z ~ exp(normal(0, 1)); } else { z ~ exp(normal(1, 0.5)); } x[i] ~ normal(z, 1); } }
guide { param m : real; iarange i in N {
  if (c[i] == 1) { z ~ exp(normal(m, 1)); } else { z ~ exp(normal(x[i], 0.7)); } } }
)",
       data + R"(
model { iarange i in N subsample 2 {
  z ~ exp(normal(c[i] == 1 ? 0 : 1, c[i] == 1 ? 1 : 0.5)); x[i] ~ normal(z, 1); } }
guide { param m : real; iarange i in N { z ~ exp(normal(c[i] == 1 ? m : x[i], c[i] == 1 ? 1 : 0.7)); } }
)",
       {{"m", {0.7}}}},
  };
  for (const char* family : {"normal", "structured", "full_rank", "low_rank", "iaf", "coupling", "delta"})
    all.push_back(automatic(family));
  return all;
}

inline Setting setting_of(const Program& program, const std::string& objective, bool subsample) {
  Setting setting;
  setting.sizes = {{"N", 4}, {"T", 4}};
  setting.data = {
      {"c", {1, 0, 0, 1}},
      {"k", {0, 2, 1, 2}},
      {"v", {0, 1, 0, 1}},
      {"x", {0.4, 1.2, 2.0, 0.3}},
      {"y", {0.3, -0.2, 1.4, 0.8, -1.7, 0.5, 0.1, 2.1, -0.4, 0.9, -0.3, 0.6, 1.1, 0.2, -0.8, 1.5}},
      {"seen", {0, 1, 0, 1}},
      {"s", {2, 1, 0, 0}}};
  setting.options.objective = objective;
  setting.options.subsample = subsample;
  setting.options.particles = program.particles;
  return setting;
}

/// `text` is that of the program or the other one.
inline Objective make(const Program& program, const std::string& text, const std::string& objective,
                      bool subsample) {
  Objective result(text, setting_of(program, objective, subsample));
  for (std::size_t index = 0; index < result.graph().parameters.size(); ++index) {
    const ir::Parameter& parameter = result.graph().parameters[index];
    if (const auto given = program.parameters.find(parameter.name); given != program.parameters.end()) {
      result.inputs.parameters[index] = given->second;
      continue;
    }
    if (!result.elbo().parameters->all()[index].learnable)
      continue;
    std::vector<double> values(stored_size(result.graph(), parameter, result.inputs.extents));
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = 0.2 * std::sin(static_cast<double>(parameter.name.size() + 3 * i));
    result.inputs.parameters[index] = std::move(values);
  }
  return result;
}

} // namespace plait::test::branches
