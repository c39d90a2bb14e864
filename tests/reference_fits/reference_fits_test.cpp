// Fits whose posterior is known: the rows of tests/oracles/reference_fits.json, through the public header.
// Each row trains for a second or less and names where its parameters must end.
#include "plait/plait.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>
#include <string>
#include <vector>

namespace {

using Json = nlohmann::json;
using Numbers = std::vector<double>;

std::vector<Json> table() {
  std::ifstream file(std::string(PLAIT_SOURCE_DIR) + "/tests/oracles/reference_fits.json");
  REQUIRE(file);
  const Json read = Json::parse(file);
  return read.at("rows").get<std::vector<Json>>();
}

plait::FitOptions options_of(const Json& row) {
  plait::FitOptions options;
  const Json& fit = row.at("fit");
  options.steps = fit.at("steps");
  options.learning_rate = fit.at("learning_rate");
  options.decay = fit.value("decay", 1.0);
  options.optimizer = fit.value("optimizer", "adam");
  options.optimizer_options = fit.value("optimizer_options", std::map<std::string, double>{});
  options.epoch_batches = fit.value("epoch_batches", false);
  options.seed = fit.value("seed", 1);
  options.threads = 1;
  options.compile.objective = row.at("objective");
  options.compile.objective_options = row.value("objective_options", std::map<std::string, double>{});
  options.compile.particles = row.value("particles", 1);
  options.compile.precision = plait::Precision::f64;
  options.compile.use_cache = false;
  return options;
}

void check_near(const std::string& what, const Numbers& found, const Numbers& expected, double tolerance) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t k = 0; k < expected.size(); ++k) {
    INFO(what << "[" << k << "] " << found[k] << ", expected " << expected[k]);
    CHECK(std::abs(found[k] - expected[k]) <= tolerance);
  }
}

} // namespace

TEST_CASE("reference fits") {
  for (const Json& row : table()) {
    INFO(row.at("case").get<std::string>() << ": " << row.at("why").get<std::string>());
    std::string text;
    for (const Json& line : row.at("program"))
      text += line.get<std::string>() + "\n";
    plait::Data data;
    for (const auto& [name, array] : row.at("data").items())
      data.set(name, array.at("shape"), array.at("values"));
    try {
      const plait::Fit fit = plait::fit(plait::Model::parse(text), data, options_of(row));
      const double tolerance = row.at("tolerance");
      int checks = 0;
      for (const auto& [name, expected] : row.at("mean").items()) {
        check_near(name, fit.summary(name).mean, expected, tolerance);
        ++checks;
      }
      for (const auto& [name, expected] : row.value("total", std::map<std::string, double>{})) {
        double total = 0;
        for (double number : fit.summary(name).mean)
          total += number;
        check_near("sum of " + name, {total}, {expected}, tolerance);
        ++checks;
      }
      if (row.contains("elbo")) {
        const plait::Evaluation evaluation = fit.evaluate(2000);
        INFO("elbo " << evaluation.elbo << " +- " << evaluation.error << ", expected " << row.at("elbo"));
        CHECK(std::abs(evaluation.elbo - row.at("elbo").get<double>()) <=
              4 * evaluation.error + row.at("elbo_tolerance").get<double>());
        ++checks;
      }
      CHECK(checks > 0);
    } catch (const plait::Error& error) {
      FAIL_CHECK(error.what());
    }
  }
}

// Pyro's tutorial on Gaussian mixtures: the best of many starts with equal weights, then 200 steps of Adam on
// the points of a mixture of two. Its numbers; which component comes first is the start's choice.
TEST_CASE("a mixture is fitted from the best of a hundred starts") {
  const plait::Model model = plait::Model::parse("const K = 2;\n"
                                                 "data x : real[N];\n"
                                                 "model {\n"
                                                 "  weights ~ dirichlet(fill(0.5, K));\n"
                                                 "  scale ~ lognormal(0, 2);\n"
                                                 "  iarange k in K { loc ~ normal(0, 10); }\n"
                                                 "  iarange i in N {\n"
                                                 "    which ~ categorical(weights) using enumerate;\n"
                                                 "    x[i] ~ normal(loc[which], scale);\n"
                                                 "  }\n"
                                                 "}\n"
                                                 "guide auto(delta, radius = 12);\n");
  plait::Data data;
  data.set("x", {5}, {0, 1, 10, 11, 12});
  for (const std::uint64_t seed : {0, 1, 2}) {
    plait::FitOptions options;
    options.steps = 200;
    options.learning_rate = 0.1;
    options.optimizer_options = {{"beta1", 0.8}, {"beta2", 0.99}};
    options.seed = seed;
    options.starts = 100;
    options.init.set("weights", {}, {0.5});
    options.init.add_argument("scale=1");
    options.threads = 1;
    options.compile.use_cache = false;
    const plait::Fit fit = plait::fit(model, data, options);
    CHECK(fit.start_choice().of == 100);
    CHECK(fit.bound_name() == "log joint");
    const Numbers loc = fit.summary("loc").mean;
    const std::size_t low = loc.at(0) < loc.at(1) ? 0 : 1;
    CHECK(loc[low] == Approx(0.49894).margin(0.002));
    CHECK(loc[1 - low] == Approx(10.98446).margin(0.002));
    CHECK(fit.summary("weights").mean.at(low) == Approx(0.375).margin(0.001));
    CHECK(fit.summary("scale").mean.at(0) == Approx(0.65143).margin(0.001));
    for (const plait::DrawnArray& array : fit.sample(1))
      if (array.name == "which")
        for (std::size_t i = 0; i < 5; ++i)
          CHECK(array.values.at(0).at(i) == static_cast<double>(i < 2 ? low : 1 - low));
  }
}
