// Draws and predictions: which names and elements are printed, new data, data that are missing.
#include "tests/support/process.hpp"

#include <numeric>

using namespace plait::test;

namespace {

/** A table of draws: names of the columns, and the numbers by column. */
struct Draws {
  std::vector<std::string> names;
  std::vector<std::vector<double>> columns;
  double mean(std::size_t column) const {
    const std::vector<double>& values = columns.at(column);
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  }
};

Draws draws_of(const TemporaryFolder& work, const std::vector<std::string>& arguments) {
  const Outcome outcome = run_plait(arguments, work.path());
  INFO(outcome.error);
  REQUIRE(outcome.code == 0);
  Draws draws;
  for (const std::string& line : split_lines(outcome.out)) {
    std::vector<std::string> cells;
    for (std::size_t at = 0; at <= line.size();) {
      const std::size_t end = std::min(line.find(',', at), line.size());
      cells.push_back(line.substr(at, end - at));
      at = end + 1;
    }
    if (draws.names.empty()) {
      draws.names = cells;
      draws.columns.resize(cells.size());
      continue;
    }
    REQUIRE(cells.size() == draws.names.size());
    for (std::size_t k = 0; k < cells.size(); ++k)
      draws.columns[k].push_back(std::stod(cells[k]));
  }
  return draws;
}

using Names = std::vector<std::string>;

} // namespace

TEST_CASE("predict does without the outcome that it is to predict") {
  const TemporaryFolder work;
  write_file(work.path() / "m.ppl",
             "data x : real[N];\ndata y : positive[N];\n"
             "model { b ~ normal(0, 1); iarange n in N { y[n] ~ lognormal(b * x[n], 0.01); } }\n");
  write_file(work.path() / "d.json", R"({"x": [0, 1, 2], "y": [1, 2.718, 7.389]})");
  write_file(work.path() / "new.json", R"({"x": [3, -1]})");
  REQUIRE(
      run_plait({"fit", "m.ppl", "--data", "d.json", "--out", "m.run", "--lr", "0.05"}, work.path()).code ==
      0);
  const Draws draws = draws_of(work, {"predict", "m.run", "--data", "new.json", "-n", "200"});
  CHECK(draws.names == Names{"y.0", "y.1"});
  CHECK(std::abs(draws.mean(0) - 20.09) < 1); // exp(3), sd 0.01 of it
  CHECK(std::abs(draws.mean(1) - 0.368) < 0.02);
  const Outcome missing = run_plait({"predict", "m.run", "--set", "N=2"}, work.path());
  CHECK(missing.code == 3);
  CHECK(missing.error.find("no data given for x") != std::string::npos);
  const Outcome no_size = run_plait({"predict", "m.run", "--data", "new.json", "--set", "K=2"}, work.path());
  CHECK(no_size.code == 2);
  CHECK(no_size.error.find("K is no size that data decide") != std::string::npos);
  // evaluate needs what the density needs
  CHECK(run_plait({"evaluate", "m.run", "--data", "new.json"}, work.path()).code == 3);
}

TEST_CASE("the number of new rows may be given, and sizes left open are those of the fit") {
  const TemporaryFolder work;
  write_file(work.path() / "m.ppl", "data group : index<J>[N];\ndata y : real[N];\n"
                                    "model { iarange j in J { a ~ normal(0, 10); } iarange n in N { y[n] ~ "
                                    "normal(a[group[n]], 0.1); } }\n");
  write_file(work.path() / "d.json", R"({"group": [0, 1, 2, 2], "y": [1, 2, 3, 3]})");
  write_file(work.path() / "new.json", R"({"group": [1]})");
  REQUIRE(
      run_plait({"fit", "m.ppl", "--data", "d.json", "--out", "m.run", "--lr", "0.05"}, work.path()).code ==
      0);
  const Draws draws = draws_of(work, {"predict", "m.run", "--data", "new.json", "-n", "100"});
  CHECK(draws.names == Names{"y.0"});
  CHECK(std::abs(draws.mean(0) - 2) < 0.1);

  write_file(work.path() / "count.ppl",
             "data y : real[N];\nmodel { m ~ normal(0, 1); iarange n in N { y[n] ~ normal(m, 1); } }\n");
  write_file(work.path() / "y.json", R"({"y": [1, 2]})");
  REQUIRE(run_plait({"fit", "count.ppl", "--data", "y.json", "--out", "c.run"}, work.path()).code == 0);
  CHECK(draws_of(work, {"predict", "c.run", "--set", "N=3", "-n", "1"}).names == Names{"y.0", "y.1", "y.2"});
}

TEST_CASE("rows of ragged latents and data end where they end") {
  const TemporaryFolder work;
  write_file(work.path() / "m.ppl", "data r : ragged real[N, T];\n"
                                    "model { m ~ normal(0, 1); iarange n in N { for t in 0..T[n] {\n"
                                    "  z[t] ~ normal(m, 1); r[n, t] ~ normal(z[t], 1); } } }\n");
  write_file(work.path() / "d.json", R"({"r": [[1, 2, 3], [4], [5, 6]]})");
  const Outcome fit = run_plait({"fit", "m.ppl", "--data", "d.json", "--out", "m.run"}, work.path());
  REQUIRE(fit.code == 0);
  CHECK(fit.out.find("z.2.1") != std::string::npos);
  CHECK(fit.out.find("z.1.1") == std::string::npos);
  CHECK(draws_of(work, {"sample", "m.run", "-n", "1"}).names ==
        Names{"m", "z.0.0", "z.0.1", "z.0.2", "z.1.0", "z.2.0", "z.2.1"});
  CHECK(draws_of(work, {"predict", "m.run", "-n", "1"}).names ==
        Names{"r.0.0", "r.0.1", "r.0.2", "r.1.0", "r.2.0", "r.2.1"});
  const std::string summary = read_file(work.path() / "m.run/summary.json");
  std::size_t rows = 0;
  for (std::size_t at = summary.find("\"z\""); at != std::string::npos; at = summary.find("\"z\"", at + 1))
    ++rows;
  CHECK(rows == 6);
}

TEST_CASE("a latent enumerated in the guide is drawn from it") {
  const TemporaryFolder work;
  write_file(work.path() / "m.ppl", "data x : real[N];\n"
                                    "model { k ~ bernoulli(0.3); iarange i in N { x[i] ~ normal(k, 1); } }\n"
                                    "guide { param q : unit = 0.5; k ~ bernoulli(q) using enumerate; }\n");
  write_file(work.path() / "d.json", R"({"x": [0.5, 0.9]})");
  REQUIRE(
      run_plait({"fit", "m.ppl", "--data", "d.json", "--out", "m.run", "--lr", "0.05"}, work.path()).code ==
      0);
  const Draws draws = draws_of(work, {"sample", "m.run", "-n", "4000"});
  CHECK(draws.names == Names{"k"});
  // p(k = 1 | x) = 1 / (1 + 0.7/0.3 exp(1 - 1.4)); standard error 0.008.
  CHECK(std::abs(draws.mean(0) - 0.3900) < 0.03);
}

TEST_CASE("sample says when every latent is under a subsampled plate") {
  const TemporaryFolder work;
  write_file(work.path() / "m.ppl",
             "data x : real[N];\n"
             "model { iarange i in N subsample 2 { z ~ normal(0, 1); x[i] ~ normal(z, 1); } }\n");
  write_file(work.path() / "d.json", R"({"x": [1, 2, 3]})");
  REQUIRE(
      run_plait({"fit", "m.ppl", "--data", "d.json", "--out", "m.run", "--steps", "10"}, work.path()).code ==
      0);
  const Outcome outcome = run_plait({"sample", "m.run"}, work.path());
  CHECK(outcome.code == 2);
  CHECK(outcome.error.find("--local") != std::string::npos);
  CHECK(draws_of(work, {"sample", "m.run", "--local", "-n", "1"}).names == Names{"z.0", "z.1", "z.2"});
}

TEST_CASE("rows with a missing entry in a used column are left out when asked") {
  const TemporaryFolder work;
  write_file(work.path() / "m.ppl",
             "data x : real[N]; data y : real[N];\n"
             "model { a ~ normal(0, 1); iarange i in N { y[i] ~ normal(a * x[i], 1); } }\n"
             "guide auto(normal);\n"
             "predict { iarange i in N { seen = y[i]; } }\n");
  write_file(work.path() / "d.csv", "x,unused,y\n1,1,2\n,1,7\n3,,4\n5,1,NA\n2,1,nan\n6,,8\n");
  for (const std::vector<std::string>& data :
       {std::vector<std::string>{"d.csv,drop_missing"}, {"x=d.csv:x,drop_missing", "y=d.csv:y"}}) {
    std::vector<std::string> arguments{"fit", "m.ppl", "--steps", "5", "--quiet", "--out", "m.run", "--data"};
    arguments.insert(arguments.end(), data.begin(), data.end());
    const Outcome outcome = run_plait(arguments, work.path());
    CHECK(outcome.code == 0);
    CHECK(outcome.error == "d.csv: 3 rows with a missing value left out\n");
    const Draws seen = draws_of(work, {"predict", "m.run", "-n", "1"});
    CHECK(seen.columns == std::vector<std::vector<double>>{{2}, {4}, {8}});
  }
  // New data are told of in the same way, in each of the verbs that take them.
  write_file(work.path() / "new.csv", "x,y\n1,1\n,2\n4,3\n");
  for (const std::string verb : {"predict", "evaluate"}) {
    const Outcome outcome =
        run_plait({verb, "m.run", "--data", "new.csv,drop_missing", "-n", "1"}, work.path());
    INFO(verb << ": " << outcome.error);
    CHECK(outcome.code == 0);
    CHECK(outcome.error == "new.csv: 1 row with a missing value left out\n");
    CHECK(run_plait({verb, "m.run", "-n", "1"}, work.path()).error ==
          "d.csv: 3 rows with a missing value left out\n");
  }
  write_file(work.path() / "bad.csv", "x,unused,y\n,1,2\n1,1,2\n2,1,word\n");
  CHECK(run_plait({"fit", "m.ppl", "--data", "bad.csv,drop_missing"}, work.path())
            .error.starts_with("bad.csv:4: error: y: column y has 'word' in row "));
}

TEST_CASE("an amortized guide reads rows that it was not trained on") {
  const TemporaryFolder work;
  write_file(work.path() / "m.ppl", "data y : real[N, J];\n"
                                    "model { iarange n in N { z ~ normal(0, 1); iarange j in J { y[n, j] ~ "
                                    "normal(z, 0.5); } } }\n"
                                    "guide auto(amortized, hidden = 8);\n"
                                    "predict { iarange n in N { mean = z; } }\n");
  std::string rows;
  for (int n = 0; n < 30; ++n) {
    const double centre = -2.9 + 0.2 * n;
    rows += (n ? ", [" : "[") + std::to_string(centre) + ", " + std::to_string(centre + 0.3) + ", " +
            std::to_string(centre - 0.3) + ", " + std::to_string(centre) + "]";
  }
  write_file(work.path() / "d.json", "{\"y\": [" + rows + "]}");
  write_file(work.path() / "new.json", R"({"y": [[2, 2.4, 1.6, 2], [-1, -1, -0.8, -1.2]]})");
  REQUIRE(run_plait({"fit", "m.ppl", "--data", "d.json", "--out", "m.run", "--lr", "0.02", "--decay", "0.01",
                     "--steps", "5000"},
                    work.path())
              .code == 0);
  const Draws draws = draws_of(work, {"predict", "m.run", "--data", "new.json", "-n", "2000"});
  CHECK(draws.names == Names{"mean.0", "mean.1"});
  // Precision 1 + 4 / 0.25 = 17: the posterior means are 16/17 of the rows' means.
  CHECK(std::abs(draws.mean(0) - 32.0 / 17) < 0.1);
  CHECK(std::abs(draws.mean(1) + 16.0 / 17) < 0.1);
}
