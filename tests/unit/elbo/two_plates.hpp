/** \file
 * Programs with two subsampled plates: side by side, crossed, nested; with every kind of latent.
 */
#pragma once

#include "tests/unit/elbo/build.hpp"

#include <cmath>

namespace plait::test::two_plates {

using Rows = std::vector<std::uint32_t>;
using Numbers = std::vector<double>;

constexpr std::uint32_t size_n = 4, size_m = 3;

struct Program {
  std::string name, text;
  std::map<std::string, Numbers> parameters;
  int particles = 1;
  /// Objectives under which it is looked at; all three when empty.
  std::vector<std::string> objectives = {};
};

inline const std::string data = R"(
data x : real[N];
data w : real[M];
data y : real[N, M];
data item : index<N>[M];
)";

inline std::vector<Program> programs() {
  return {
      {"side by side, with a latent outside and locals in both",
       data + R"(
model {
  mu ~ normal(0, 2);
  iarange i in N subsample 2 { a ~ normal(mu, 1); x[i] ~ normal(a, 0.5); }
  iarange j in M subsample 2 { b ~ gamma(2, 1); w[j] ~ normal(mu * b, 1.5); factor(-0.1 * b^2); }
}
guide {
  param m : real; param s : positive; param c : real; param d : positive;
  mu ~ normal(m, 0.5);
  iarange i in N { a ~ normal(m + c * x[i], s); }
  iarange j in M { b ~ gamma(d, 1.2); }
}
)",
       {{"m", {0.2}}, {"s", {-0.3}}, {"c", {0.4}}, {"d", {0.6}}}},
      {"crossed: every pair is observed",
       data + R"(
model {
  mu ~ normal(0, 1);
  iarange i in N subsample 2 { a ~ normal(mu, 1); }
  iarange j in M subsample 2 { b ~ normal(0, 1); w[j] ~ normal(b, 1); }
  iarange i in N { iarange j in M { y[i, j] ~ normal(a * b, 0.7); } }
}
guide {
  param m : real; param s : positive;
  mu ~ normal(m, 0.5);
  iarange j in M { param p : real; b ~ normal(p, s); }
  iarange i in N { param q : real; a ~ normal(q, 0.3); }
}
)",
       {{"m", {0.2}}, {"s", {-0.3}}, {"p", {0.3, -0.5, 0.1}}, {"q", {0.4, 0.2, -0.6, 1.1}}}},
      {"crossed through a gather: rows of a full plate, columns of a subsampled one",
       data + R"(
model {
  iarange i in N as items { a ~ normal(0, 1); }
  iarange j in M subsample 2 { b ~ normal(0, 1); w[j] ~ normal(a[item[j]] + b, 0.5); }
  iarange i in N as rows subsample 3 { x[i] ~ normal(sum(a), 2); }
}
guide {
  param s : positive;
  iarange i in N as items { param q : real; a ~ normal(q, s); }
  iarange j in M { param p : real; b ~ normal(p, 0.4); }
}
)",
       {{"s", {-0.3}}, {"p", {0.3, -0.5, 0.1}}, {"q", {0.4, 0.2, -0.6, 1.1}}}},
      {"nested, with locals and parameters at every level",
       data + R"(
model {
  mu ~ normal(0, 1);
  iarange i in N subsample 2 {
    a ~ normal(mu, 1);
    x[i] ~ normal(a, 1);
    iarange j in M subsample 2 { z ~ normal(a, 0.8); y[i, j] ~ normal(z, 0.5); }
  }
}
guide {
  param m : real; param s : positive;
  mu ~ normal(m, 0.5);
  iarange i in N {
    param q : real;
    a ~ normal(q + m, s);
    iarange j in M { param r : real; param t : positive; z ~ normal(r + 0.3 * a, t); }
  }
}
)",
       {{"m", {0.2}},
        {"s", {-0.3}},
        {"q", {0.4, 0.2, -0.6, 1.1}},
        {"r", {0.1, 0.2, 0.3, -0.4, 0.5, -0.6, 0.7, 0.8, -0.9, 1.0, 1.1, -1.2}},
        {"t", {0.1, -0.2, 0.3, 0.2, 0.1, 0.0, -0.1, -0.2, -0.3, 0.4, 0.2, 0.1}}}},
      {"bits by score function in both plates, and one outside that reaches both",
       data + R"(
model {
  g ~ bernoulli(0.4);
  iarange i in N subsample 2 { h ~ bernoulli(0.3); x[i] ~ normal(h - g, 1); }
  iarange j in M subsample 2 { k ~ bernoulli(0.6); w[j] ~ normal(2 * k + g, 1); }
}
guide {
  param l : real; param n : real; param v : real;
  g ~ bernoulli_logit(l) using score(baseline = v);
  iarange i in N { h ~ bernoulli_logit(n * x[i] + l); }
  iarange j in M { param r : real; k ~ bernoulli_logit(r); }
}
)",
       {{"l", {0.7}}, {"n", {-0.2}}, {"v", {0.5}}, {"r", {0.3, -0.5, 0.1}}}},
      {"bits of rows and columns whose costs are the pairs",
       data + R"(
model {
  iarange i in N subsample 2 { h ~ bernoulli(0.3); }
  iarange j in M subsample 2 { k ~ bernoulli(0.6); }
  iarange i in N { iarange j in M { u ~ bernoulli(0.5); y[i, j] ~ normal(h + k - u, 1); } }
}
guide {
  param l : real; param n : real;
  iarange i in N { h ~ bernoulli_logit(l + x[i]); }
  iarange j in M {
    k ~ bernoulli_logit(n * w[j]);
    iarange i in N { u ~ bernoulli_logit(h + n * k); }
  }
}
)",
       {{"l", {0.7}}, {"n", {-0.2}}}},
      {"the same with three particles, each with the others as its baseline",
       data + R"(
model {
  iarange i in N subsample 2 {
    h ~ bernoulli(0.3);
    iarange j in M subsample 2 { u ~ bernoulli(0.2 + 0.5 * h); y[i, j] ~ normal(h - u, 1); }
  }
}
guide {
  param l : real; param n : real;
  iarange i in N {
    h ~ bernoulli_logit(l + x[i]);
    iarange j in M { u ~ bernoulli_logit(h + n * y[i, j]); }
  }
}
)",
       {{"l", {0.7}}, {"n", {-0.2}}},
       3},
      {"summed out: in the model in each plate, in the guide outside both",
       data + R"(
model {
  g ~ bernoulli(0.4);
  iarange i in N subsample 2 { h ~ bernoulli(0.3) using enumerate; x[i] ~ normal(h - g, 1); }
  iarange j in M subsample 2 { b ~ normal(g, 1); w[j] ~ normal(b, 1); }
}
guide {
  param l : real; param s : positive;
  g ~ bernoulli_logit(l) using enumerate;
  iarange j in M { b ~ normal(0.5 * g + w[j], s); }
}
)",
       {{"l", {0.7}}, {"s", {-0.2}}}},
      {"a guide of points",
       data + R"(
model {
  mu ~ normal(0, 1);
  iarange i in N subsample 2 { a ~ normal(mu, 1); iarange j in M subsample 2 { y[i, j] ~ normal(a, 1); } }
}
guide {
  param m : real;
  mu ~ delta(m);
  iarange i in N { param q : real; a ~ delta(q); }
}
)",
       {{"m", {0.2}}, {"q", {0.4, 0.2, -0.6, 1.1}}}},
      {"automatic guide, independent normals",
       data + R"(
model {
  mu ~ normal(0, 1);
  iarange i in N subsample 2 { a ~ normal(mu, 1); x[i] ~ normal(a, 1); }
  iarange j in M subsample 2 { b ~ half_normal(1); w[j] ~ normal(mu, b); }
  iarange i in N { iarange j in M { y[i, j] ~ normal(a, b); } }
}
guide auto(normal);
)",
       {}},
      {"automatic guide, rows given what is outside",
       data + R"(
model {
  mu ~ normal(0, 1);
  iarange i in N subsample 2 { a ~ normal(mu, 1); x[i] ~ normal(a, 1); }
  iarange j in M subsample 2 { b ~ half_normal(1); w[j] ~ normal(mu, b); }
}
guide auto(structured);
)",
       {},
       1,
       {"elbo", "sampled_elbo"}},
  };
}

inline Setting setting_of(const Program& program, const std::string& objective, bool subsample) {
  Setting setting;
  setting.sizes = {{"N", size_n}, {"M", size_m}};
  setting.data = {{"x", {0.4, -1.2, 2.0, 0.3}},
                  {"w", {1.1, -0.6, 0.9}},
                  {"y", {0.3, -0.2, 1.4, 0.8, -1.7, 0.5, 0.1, 2.1, -0.4, 0.9, -0.3, 0.6}},
                  {"item", {2, 0, 2}}};
  setting.options.objective = objective;
  setting.options.subsample = subsample;
  setting.options.particles = program.particles;
  return setting;
}

inline Objective make(const Program& program, const std::string& objective, bool subsample) {
  Setting setting = setting_of(program, objective, subsample);
  Objective result(program.text, setting);
  for (std::size_t k = 0; k < result.graph().parameters.size(); ++k) {
    std::size_t count = 1;
    const ir::Parameter& parameter = result.graph().parameters[k];
    const auto multiply = [&](const ir::Extent& extent) {
      count *= static_cast<std::size_t>(extent.is_known() ? extent.value
                                                          : setting.sizes.at(ir::to_string(extent)));
    };
    for (ir::AxisId axis : parameter.axes)
      multiply(result.graph().axis(axis).population);
    for (const ir::Extent& extent : parameter.shape)
      multiply(extent);
    // Numbers of no meaning, all different, for what the table does not give.
    Numbers values(count);
    for (std::size_t i = 0; i < count; ++i)
      values[i] = 0.1 + 0.3 * std::sin(static_cast<double>(3 * k + i));
    if (const auto given = program.parameters.find(parameter.name); given != program.parameters.end())
      values = given->second;
    REQUIRE(values.size() == count);
    result.inputs.parameters[k] = values;
  }
  return result;
}

/// `text` with every plate said to run one index at a time.
inline std::string one_at_a_time(std::string text) {
  for (std::size_t at = 0; (at = text.find("iarange", at)) != std::string::npos;)
    text.replace(at, 7, "irange");
  return text;
}

} // namespace plait::test::two_plates
