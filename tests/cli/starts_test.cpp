// Where fits start: the best of several random starts.
#include "tests/support/process.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
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
