// Subsampled plates from the command line, against closed forms.
#include "tests/support/process.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <cmath>

using namespace plait::test;
using nlohmann::json;

TEST_CASE("subsamples of ragged rows lead to the posterior of all elements") {
  const TemporaryFolder work;
  json rows = json::array();
  double sum = 0;
  int count = 0;
  for (int n = 0; n < 12; ++n) {
    json row = json::array();
    for (int t = 0; t < 1 + 5 * n % 11; ++t) {
      // Long rows are higher: a factor T/B left out would move the mean.
      row.push_back(0.3 * (5 * n % 11) + 0.1 * (t % 3));
      sum += row.back().get<double>();
      ++count;
    }
    rows.push_back(row);
  }
  write_file(work.path() / "data.json", json{{"y", rows}}.dump());
  write_file(work.path() / "model.ppl", R"(
data y : ragged real[N, T];
model {
  mu ~ normal(0, 1);
  iarange n in N subsample 4 { iarange t in T[n] subsample 3 { y[n, t] ~ normal(mu, 1); } }
}
guide { param m : real = 0; param s : positive = 1; mu ~ normal(m, s); }
)");
  const Outcome fit = run_plait({"fit", "model.ppl", "--data", "data.json", "--out", "a.run", "--steps",
                                 "20000", "--learning-rate", "0.02", "--decay", "0.002", "--quiet"},
                                work.path());
  INFO(fit.error);
  REQUIRE(fit.code == 0);
  const Outcome sample = run_plait({"sample", "a.run", "-n", "4000"}, work.path());
  REQUIRE(sample.code == 0);
  double mean = 0, square = 0;
  const auto lines = split_lines(sample.out);
  for (std::size_t k = 1; k < lines.size(); ++k) {
    const double draw = std::stod(lines[k].substr(lines[k].rfind(',') + 1));
    mean += draw / 4000;
    square += draw * draw / 4000;
  }
  CHECK(mean == Approx(sum / (count + 1)).margin(0.02));
  CHECK(std::sqrt(square - mean * mean) == Approx(1 / std::sqrt(count + 1.0)).epsilon(0.08));
}
