// The average of the step over all subsets of the rows equals the step on all rows, to rounding: the scale
// N/B stands exactly where it belongs. Noise is keyed by the global row, so the draws of a row are the same
// in every subset.
#include "build.hpp"

#include <bit>

using plait::test::Objective;
using plait::test::Setting;

namespace {

struct Program {
  std::string text;
  std::map<std::string, std::vector<double>> parameters;
};

std::vector<Program> programs() {
  return {
      // A global and locals, shared guide parameters.
      {R"(
data x : real[N];
model { mu ~ normal(0, 2); iarange i in N subsample 2 { z ~ normal(mu, 1); x[i] ~ normal(z, 0.5); } }
guide {
  param m : real = 0; param a : real = 0; param b : real = 0; param s : positive = 1;
  mu ~ normal(m, 0.5);
  iarange i in N { z ~ normal(a + b * x[i], s); }
}
)",
       {{"m", {0.2}}, {"a", {0.1}}, {"b", {0.4}}, {"s", {-0.3}}}},
      // Discrete locals by score function, one shared logit.
      {R"(
data x : real[N];
model { iarange i in N subsample 2 { h ~ bernoulli(0.3); x[i] ~ normal(h, 1); } }
guide { param l : real = 0; iarange i in N { h ~ bernoulli_logit(l * x[i]); } }
)",
       {{"l", {0.7}}}},
      // Local parameters: rows outside the subset get no gradient.
      {R"(
data x : real[N];
model { iarange i in N subsample 2 { z ~ normal(0, 1); x[i] ~ normal(z, 1); } }
guide { iarange i in N { param m : real = 0; param s : positive = 1; z ~ normal(m, s); } }
)",
       {{"m", {0.1, -0.2, 0.3, 0.4, 0.0}}, {"s", {0.1, 0.2, -0.3, 0.0, 0.2}}}},
      // A global latent summed out in the guide: an expectation, which is linear in the rows.
      {R"(
data x : real[N];
model { k ~ bernoulli(0.3); iarange i in N subsample 2 { x[i] ~ normal(2 * k, 1); } }
guide { param l : real = 0; k ~ bernoulli_logit(l) using enumerate; }
)",
       {{"l", {0.4}}}},
      // Summed out exactly.
      {R"(
data x : real[N];
model { mu ~ normal(0, 1); iarange i in N subsample 2 { k ~ bernoulli(0.4) using enumerate; x[i] ~ normal(mu + 2 * k, 1); } }
guide { param m : real = 0; mu ~ normal(m, 0.3); }
)",
       {{"m", {0.3}}}},
  };
}

Objective make(const Program& program, const std::string& objective, bool subsample) {
  Setting setting;
  setting.sizes = {{"N", 5}};
  setting.data["x"] = {0.4, -1.2, 2.0, 0.3, -0.6};
  setting.options.objective = objective;
  setting.options.subsample = subsample;
  Objective result(program.text, setting);
  for (const auto& [name, values] : program.parameters)
    result.set_parameter(name, values);
  return result;
}

} // namespace

TEST_CASE("the average over all subsets is the full-data step") {
  const std::string objective = GENERATE("elbo", "sampled_elbo", "stl");
  for (const Program& program : programs()) {
    INFO(objective << program.text);
    const auto whole = make(program, objective, false).evaluate();
    Objective part = make(program, objective, true);
    double elbo = 0;
    std::map<std::string, std::vector<double>> gradient;
    int subsets = 0;
    for (std::uint32_t mask = 0; mask < 32; ++mask) {
      if (std::popcount(mask) != 2)
        continue;
      std::vector<std::uint32_t> rows;
      for (std::uint32_t row = 0; row < 5; ++row)
        if (mask >> row & 1)
          rows.push_back(row);
      part.set_rows(0, rows);
      const auto value = part.evaluate();
      ++subsets;
      elbo += value.elbo;
      for (const auto& [name, numbers] : value.gradient) {
        auto& sum = gradient[name];
        // A plate-local parameter reports the drawn rows only, in their order.
        const bool local = !part.graph()
                                .parameters.at(static_cast<std::size_t>(part.elbo().parameters->find(name)))
                                .axes.empty();
        sum.resize(local ? 5 : numbers.size());
        for (std::size_t k = 0; k < numbers.size(); ++k)
          sum[local ? rows[k] : k] += numbers[k];
      }
    }
    REQUIRE(subsets == 10);
    CHECK(elbo / subsets == Approx(whole.elbo).epsilon(1e-12));
    for (const auto& [name, sum] : gradient)
      for (std::size_t k = 0; k < sum.size(); ++k) {
        INFO(name << " " << k);
        CHECK(sum[k] / subsets == Approx(whole.gradient.at(name)[k]).epsilon(1e-11).margin(1e-12));
        // A scale that is dropped (2/5 of the value) or doubled would be seen.
        if (std::abs(whole.gradient.at(name)[k]) > 1e-6)
          CHECK(sum[k] / subsets * 0.4 != Approx(whole.gradient.at(name)[k]).epsilon(1e-3));
      }
  }
}
