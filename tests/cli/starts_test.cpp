// Where fits start: the best of several random starts.
#include "tests/support/process.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstring>
#include <sstream>

using namespace plait::test;
using nlohmann::json;

namespace {

std::vector<std::string> fit(const std::string& out, const std::vector<std::string>& more) {
  std::vector<std::string> arguments{"fit", "m.ppl", "--out", out};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

/** What the fit says of its start: number, of how many, objective. */
struct Start {
  int number = 0, of = 0;
  std::string name;
  double objective = 0;
};
Start start_line(const Outcome& outcome) {
  Start start;
  for (const std::string& line : split_lines(outcome.error))
    if (line.starts_with("start ")) {
      std::istringstream words(line);
      std::string word;
      words >> word >> start.number >> word >> start.of;
      start.name = line.substr(line.find(": ") + 2);
      start.name.resize(start.name.rfind(' '));
      start.objective = std::stod(line.substr(line.rfind(' ')));
    }
  return start;
}

/** The objective of the first step, of a trace with a row for each. */
double first_objective(const fs::path& run) {
  const std::string row = split_lines(read_file(run / "trace.csv")).at(1);
  return std::stod(row.substr(row.find(',') + 1));
}

} // namespace

TEST_CASE("the best of several starts is fitted, told and recorded") {
  const TemporaryFolder work;
  write_file(work.path() / "m.ppl", "model { x ~ normal(3, 1); }\nguide auto(delta, radius = 2);\n");
  double before = -INFINITY;
  for (const int count : {2, 8, 64}) {
    const Outcome outcome =
        run_plait(fit("a.run", {"--steps", "20", "--report-every", "1", "--starts", std::to_string(count)}),
                  work.path());
    INFO(outcome.error);
    REQUIRE(outcome.code == 0);
    const Start start = start_line(outcome);
    CHECK(start.of == count);
    CHECK(start.number >= 1);
    CHECK(start.number <= count);
    CHECK(start.name == "log joint");
    // More starts of a seed hold fewer: the best cannot get worse, and 64 of them come near x = 2.
    CHECK(start.objective >= before);
    before = start.objective;
    const json summary = json::parse(read_file(work.path() / "a.run/summary.json"));
    CHECK(summary["numbers"]["start"] == start.number);
    CHECK(summary["numbers"]["starts"] == count);
    CHECK(summary["numbers"]["start_elbo"].get<double>() == Approx(start.objective).epsilon(1e-5));
    CHECK(first_objective(work.path() / "a.run") ==
          Approx(summary["numbers"]["start_elbo"].get<double>()).epsilon(1e-13));
    const json manifest = json::parse(read_file(work.path() / "a.run/manifest.json"));
    CHECK(manifest["options"]["starts"] == std::to_string(count));
    CHECK(manifest["start"]["number"] == std::to_string(start.number));
  }
  CHECK(before > -0.5 * 1.2 * 1.2 - 0.9189386);

  const Outcome single = run_plait(fit("b.run", {"--steps", "20"}), work.path());
  CHECK(start_line(single).of == 0);
  CHECK(run_plait(fit("b.run", {"--starts", "0"}), work.path()).code == 2);
}

TEST_CASE("a chosen start leaves no trace in the optimizer, and is not searched again") {
  const TemporaryFolder work;
  write_file(work.path() / "m.ppl", "data y : real[N];\nmodel { x ~ normal(0, 3); z ~ poisson(2); "
                                    "iarange i in N subsample 2 { y[i] ~ normal(x + z, 1); } }\n"
                                    "guide { param m : real; param s : positive; param r : positive; "
                                    "x ~ normal(m, s); z ~ poisson(r); }\n");
  write_file(work.path() / "d.json", R"({"y": [1, 2, 4, 5]})");
  const auto run = [&](const std::string& out, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = fit(out, {"--data", "d.json", "--seed", "4"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run_plait(arguments, work.path());
    INFO(outcome.error);
    REQUIRE(outcome.code == 0);
    return start_line(outcome);
  };
  const auto parameters = [&](const std::string& out) {
    return read_file(work.path() / out / "params.safetensors");
  };
  // All starts are alike here, as every parameter has one that is not drawn: the fit is that of one start.
  run("one.run", {"--steps", "200"});
  const Start start = run("whole.run", {"--steps", "200", "--starts", "5"});
  CHECK(start.number == 1);
  CHECK(parameters("whole.run") == parameters("one.run"));
  run("part.run", {"--steps", "90", "--starts", "5"});
  const Outcome resumed =
      run_plait({"fit", "m.ppl", "--resume", "--steps", "200", "--out", "part.run"}, work.path());
  INFO(resumed.error);
  REQUIRE(resumed.code == 0);
  CHECK(start_line(resumed).of == 0);
  CHECK(parameters("part.run") == parameters("whole.run"));
  const json summary = json::parse(read_file(work.path() / "part.run/summary.json"));
  CHECK(summary["numbers"]["starts"] == 5);
  const Outcome other = run_plait(
      {"fit", "m.ppl", "--resume", "--starts", "6", "--steps", "300", "--out", "part.run"}, work.path());
  CHECK(other.code == 2);
  CHECK(other.error.find("--starts is 6 now, but was 5") != std::string::npos);
}

TEST_CASE("starts whose objective is not finite lose, and all of them is an error") {
  const TemporaryFolder work;
  // Half of the starts of a seed are below 0.
  write_file(work.path() / "m.ppl", "model { x ~ normal(0, 1); factor(log(x)); }\nguide auto(delta);\n");
  bool one_fails = false;
  for (int seed = 0; seed < 8; ++seed) {
    one_fails = one_fails || run_plait(fit("a.run", {"--seed", std::to_string(seed)}), work.path()).code == 4;
    const Outcome outcome =
        run_plait(fit("a.run", {"--seed", std::to_string(seed), "--starts", "30"}), work.path());
    INFO(outcome.error);
    CHECK(outcome.code == 0);
  }
  CHECK(one_fails);
  write_file(work.path() / "m.ppl",
             "model { x ~ normal(0, 1); y ~ normal(x, log(-1 - x ^ 2)); }\nguide auto(delta);\n");
  const Outcome outcome = run_plait(fit("a.run", {"--starts", "7"}), work.path());
  CHECK(outcome.code == 4);
  CHECK(outcome.error.find("m.ppl:1:") == 0);
  CHECK(outcome.error.find("site y: the ELBO is not finite: log gives") != std::string::npos);
  CHECK(outcome.error.find("none of the 7 starts has a finite objective") != std::string::npos);
}

namespace {

/** The array `name` of params.safetensors, f64. */
std::vector<double> fitted(const fs::path& run, const std::string& name) {
  const std::string bytes = read_file(run / "params.safetensors");
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  const json header = json::parse(bytes.substr(8, length));
  const std::vector<std::size_t> range = header.at(name).at("data_offsets");
  std::vector<double> numbers((range.at(1) - range.at(0)) / sizeof(double));
  std::memcpy(numbers.data(), bytes.data() + 8 + length + range.at(0), numbers.size() * sizeof(double));
  return numbers;
}

/** A fit of m.ppl to d.json whose one step moves nothing. */
Outcome still(const fs::path& folder) {
  return run_plait(fit("a.run", {"--data", "d.json", "--steps", "1", "--lr", "1e-12"}), folder);
}

} // namespace

TEST_CASE("starts may be made from data and the plate's index") {
  const TemporaryFolder work;
  write_file(work.path() / "m.ppl", R"(data x : real[N];
data seq : ragged real[N, T];
data group : index<J>[N];
const K = 2;
param center : real = mean(x) + 1;
param levels : simplex[3] = softmax([x[0], x[1], 0]);
model {
  iarange i in N subsample 2 {
    z ~ normal(center, 1);
    x[i] ~ normal(z + levels[0], 1);
    irange t in T[i] { e ~ normal(0, 1); seq[i, t] ~ normal(e, 1); }
  }
  iarange k in K { iarange j in J { c ~ normal(0, 1); } }
}
guide {
  shift = 2 * mean(x);
  iarange i in N {
    near = x[i] / 2;
    param loc : real = near + shift;
    param scale : positive = i + group[i] + 1;
    param pair : real[2] = [x[i], -i];
    z ~ normal(loc + sum(pair), scale);
    irange t in T[i] {
      param at : positive = seq[i, t] + t;
      e ~ normal(at, 1);
    }
  }
  iarange j in J { iarange k in K { param m : real = 10 * k + j; c ~ normal(m, 1); } }
}
)");
  write_file(work.path() / "d.json",
             R"({"x": [1, 2, 6], "group": [0, 1, 2], "seq": [[1], [2, 3], [4, 5, 6]]})");
  const Outcome outcome = still(work.path());
  INFO(outcome.error);
  REQUIRE(outcome.code == 0);
  const auto check = [&](const std::string& name, const std::vector<double>& expected) {
    const std::vector<double> found = fitted(work.path() / "a.run", name);
    INFO(name);
    REQUIRE(found.size() == expected.size());
    for (std::size_t k = 0; k < expected.size(); ++k)
      if (!std::isnan(expected[k])) {
        INFO(k);
        CHECK(found[k] == Approx(expected[k]).margin(1e-7));
      }
  };
  check("center", {4});
  const double total = std::exp(1) + std::exp(2) + 1;
  check("levels", {std::exp(1) / total, std::exp(2) / total, 1 / total});
  check("loc", {6.5, 7, 9});
  check("scale", {1, 3, 5});
  check("pair", {1, 0, 2, -1, 6, -2});
  // Longest row 3; what is behind the end of a row is free.
  check("at", {1, NAN, NAN, 2, 4, NAN, 4, 6, 8});
  check("m", {0, 1, 2, 10, 11, 12});
}

TEST_CASE("a start outside its support, decided by data, is told with its element") {
  const TemporaryFolder work;
  write_file(work.path() / "m.ppl",
             "data x : real[N];\nmodel { iarange i in N { z ~ gamma(2, 1); x[i] ~ normal(z, 1); } }\n"
             "guide { iarange i in N { param s : positive = x[i] - 1; z ~ delta(s); } }\n");
  write_file(work.path() / "d.json", R"({"x": [3, 2, 0.5]})");
  const Outcome outcome = still(work.path());
  INFO(outcome.error);
  CHECK(outcome.code == 1);
  CHECK(outcome.error.find(
            "m.ppl:3:47: error: the start of s[2] cannot be used: -0.5 is not inside positive") == 0);
}

TEST_CASE("data that only a start reads are not needed for predictions") {
  const TemporaryFolder work;
  write_file(work.path() / "m.ppl", "data x : real[N];\ndata y : real[N];\n"
                                    "param b : real = mean(y);\n"
                                    "model { iarange i in N { y[i] ~ normal(b * x[i], 1); } }\n"
                                    "guide { }\n");
  write_file(work.path() / "d.json", R"({"x": [1, 1], "y": [3, 5]})");
  write_file(work.path() / "new.json", R"({"x": [1, 2, 3]})");
  REQUIRE(still(work.path()).code == 0);
  CHECK(fitted(work.path() / "a.run", "b").at(0) == Approx(4).margin(1e-9));
  const Outcome predicted = run_plait({"predict", "a.run", "--data", "new.json", "-n", "2"}, work.path());
  INFO(predicted.error);
  CHECK(predicted.code == 0);
}
