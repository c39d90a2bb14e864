// The command line: verbs, help, exit codes, runs that are interrupted and go on, equal bits.
#include "tests/support/process.hpp"

#include <nlohmann/json.hpp>

using namespace plait::test;
using nlohmann::json;

namespace {

const std::vector<std::string> verbs{"check", "fit", "sample", "predict", "evaluate", "emit", "fmt", "list"};

std::string example(const std::string& file) {
  return (source_folder() / "examples" / file).string();
}

/** Arguments that fit an example with small data in a folder. */
std::vector<std::string> fit_coin(const std::string& out, const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments{
      "fit", example("coin/model.ppl"), "--data", example("coin/data.json"), "--seed", "7", "--out", out};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}
std::vector<std::string> fit_digits(const std::string& out, const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments{"fit",     example("vae/model.ppl"),
                                     "--data",  "image=" + example("vae/digits.npy") + ",threshold=7",
                                     "--set",   "H=32",
                                     "--set",   "Z=4",
                                     "--steps", "60",
                                     "--out",   out};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

void check_same_file(const fs::path& a, const fs::path& b) {
  INFO(a << " and " << b);
  const std::string left = read_file(a);
  CHECK_FALSE(left.empty());
  CHECK((left == read_file(b)));
}

/** trace.csv without its seconds. */
std::vector<std::string> steps_of(const fs::path& trace) {
  std::vector<std::string> lines = split_lines(read_file(trace));
  for (std::string& line : lines)
    line = line.substr(0, line.rfind(','));
  return lines;
}

} // namespace

TEST_CASE("help names every verb and option") {
  const TemporaryFolder work;
  const Outcome help = run_plait({"--help"}, work.path());
  CHECK(help.code == 0);
  CHECK(help.error.empty());
  for (const std::string& verb : verbs) {
    INFO(verb);
    CHECK(help.out.find("\n  " + verb) != std::string::npos);
    const Outcome own = run_plait({verb, "--help"}, work.path());
    CHECK(own.code == 0);
    CHECK(own.out.find("Usage:") != std::string::npos);
  }
  for (const std::string option :
       {"--data", "--out", "--steps", "--seed", "--threads", "--resume", "--set"}) {
    INFO(option);
    CHECK(run_plait({"fit", "--help"}, work.path()).out.find(option) != std::string::npos);
  }
  CHECK(run_plait({"--version"}, work.path()).code == 0);
}

TEST_CASE("wrong usage is exit code 2") {
  const TemporaryFolder work;
  const std::vector<std::vector<std::string>> wrong{
      {},
      {"fot"},
      {"fit"},
      {"fit", example("coin/model.ppl"), "--stepz", "3"},
      {"fit", example("coin/model.ppl"), "--steps", "many"},
      {"fit", example("coin/model.ppl"), "--steps", "-3"},
      {"fit", example("coin/model.ppl"), "--precision", "f16"},
      {"fit", "absent.ppl"},
      {"fit", work.path().string()},
      {"fit", example("coin/model.ppl"), "--out", "absent.run", "--resume"},
      {"emit", example("coin/model.ppl")},
      {"emit", example("coin/model.ppl"), "--stage", "nothing"},
      {"sample", "absent.run"},
      {"list", "nothing"},
  };
  for (const std::vector<std::string>& arguments : wrong) {
    const Outcome outcome = run_plait(arguments, work.path());
    INFO(::Catch::Detail::stringify(arguments) << "\n" << outcome.error);
    CHECK(outcome.code == 2);
    CHECK(outcome.error.size() > 10);
  }
  CHECK(fs::is_empty(work.path()));
}

TEST_CASE("a wrong model is exit code 1, shown with its place") {
  const TemporaryFolder work;
  write_file(work.path() / "wrong.ppl", "data y : real[N];\nmodel {\n  mu ~ normal(0, sgima);\n"
                                        "  iarange i in N { y[i] ~ normal(mu, 1); }\n}\n");
  for (const std::string verb : {"check", "fit"}) {
    const Outcome outcome = run_plait({verb, "wrong.ppl"}, work.path());
    INFO(outcome.error);
    CHECK(outcome.code == 1);
    CHECK(outcome.error.find("wrong.ppl:3:18: error:") != std::string::npos);
    CHECK(outcome.error.find('^') != std::string::npos);
  }
  write_file(work.path() / "broken.ppl", "model { z ~ normal(0 1); }\n");
  CHECK(run_plait({"fmt", "broken.ppl"}, work.path()).code == 1);
}

TEST_CASE("fmt prints, checks and rewrites") {
  const TemporaryFolder work;
  const std::string untidy = "model{z~normal(0,1);}\n";
  write_file(work.path() / "model.ppl", untidy);
  const Outcome printed = run_plait({"fmt", "model.ppl"}, work.path());
  CHECK(printed.code == 0);
  CHECK(read_file(work.path() / "model.ppl") == untidy);
  CHECK(run_plait({"fmt", "--check", "model.ppl"}, work.path()).code == 1);
  CHECK(run_plait({"fmt", "--write", "model.ppl"}, work.path()).code == 0);
  CHECK(read_file(work.path() / "model.ppl") == printed.out);
  CHECK(run_plait({"fmt", "--check", "model.ppl"}, work.path()).code == 0);
}

TEST_CASE("list prints each table") {
  const TemporaryFolder work;
  const std::vector<std::pair<std::string, std::string>> rows{{"distributions", "normal(loc, scale)"},
                                                              {"functions", "softplus"},
                                                              {"layers", "linear"},
                                                              {"optimizers", "adam("},
                                                              {"objectives", "elbo"},
                                                              {"guides", "auto(normal)"}};
  for (const auto& [table, row] : rows) {
    const Outcome outcome = run_plait({"list", table}, work.path());
    INFO(table);
    CHECK(outcome.code == 0);
    CHECK(outcome.out.find(row) != std::string::npos);
  }
}

TEST_CASE("a fit leaves a run that the other verbs read") {
  const TemporaryFolder work;
  const Outcome fit = run_plait(fit_coin("coin.run", {"--steps", "4000", "--decay", "0.01"}), work.path());
  INFO(fit.error);
  REQUIRE(fit.code == 0);
  CHECK(fit.out.find("fairness") != std::string::npos);
  for (const std::string file : {"summary.json", "params.safetensors", "state.safetensors", "trace.csv",
                                 "manifest.json", "model.ppl"}) {
    INFO(file);
    CHECK(fs::exists(work.path() / "coin.run" / file));
  }
  const json summary = json::parse(read_file(work.path() / "coin.run/summary.json"));
  CHECK(summary.at("status") == "finished");
  CHECK(summary.at("steps") == 4000);
  CHECK(split_lines(read_file(work.path() / "coin.run/trace.csv")).size() == 101);

  const Outcome sample = run_plait({"sample", "coin.run", "-n", "500", "--out", "draws.csv"}, work.path());
  INFO(sample.error);
  REQUIRE(sample.code == 0);
  const std::vector<std::string> draws = split_lines(read_file(work.path() / "draws.csv"));
  REQUIRE(draws.size() == 501);
  CHECK(draws[0] == "fairness");
  double sum = 0;
  for (std::size_t k = 1; k < draws.size(); ++k)
    sum += std::stod(draws[k]);
  // Standard error 0.0896 / sqrt(500) = 0.004; the fit itself is within 0.01.
  CHECK(std::abs(sum / 500 - 16.0 / 30) < 0.03);

  const Outcome predict = run_plait({"predict", "coin.run", "-n", "3"}, work.path());
  INFO(predict.error);
  CHECK(predict.code == 0);
  CHECK(split_lines(predict.out).size() == 4);

  const Outcome evaluate = run_plait({"evaluate", "coin.run", "-n", "4000"}, work.path());
  INFO(evaluate.error);
  REQUIRE(evaluate.code == 0);
  // The guide holds the posterior, so the bound is log p(flips) = log B(16, 14) - log B(10, 10) = -7.0694,
  // up to what 4000 steps leave and a standard error of 0.002.
  CHECK(std::abs(std::stod(evaluate.out.substr(5)) + 7.0694) < 0.02);
}

TEST_CASE("data that changed since the fit are noticed") {
  const TemporaryFolder work;
  write_file(work.path() / "data.json", R"({"flips": [1, 0, 1]})");
  REQUIRE(
      run_plait({"fit", example("coin/model.ppl"), "--data", "data.json", "--steps", "10", "--out", "a.run"},
                work.path())
          .code == 0);
  write_file(work.path() / "data.json", R"({"flips": [1, 0, 0]})");
  const Outcome outcome = run_plait({"sample", "a.run"}, work.path());
  INFO(outcome.error);
  CHECK(outcome.code == 3);
  CHECK(outcome.error.find("data.json") != std::string::npos);
}

TEST_CASE("equal seeds give equal bits, with any number of threads") {
  const TemporaryFolder work;
  REQUIRE(run_plait(fit_digits("one.run", {"--seed", "3", "--threads", "1"}), work.path()).code == 0);
  REQUIRE(run_plait(fit_digits("two.run", {"--seed", "3", "--threads", "2"}), work.path()).code == 0);
  REQUIRE(run_plait(fit_digits("other.run", {"--seed", "4"}), work.path()).code == 0);
  const std::string file = "params.safetensors";
  check_same_file(work.path() / "one.run" / file, work.path() / "two.run" / file);
  CHECK(steps_of(work.path() / "one.run/trace.csv") == steps_of(work.path() / "two.run/trace.csv"));
  CHECK(read_file(work.path() / "one.run" / file) != read_file(work.path() / "other.run" / file));
}

TEST_CASE("an interrupted fit is saved and goes on bit for bit") {
  const TemporaryFolder work;
  const std::vector<std::string> more{"--steps", "3000000", "--report-every", "1000"};
  std::vector<std::string> command = fit_coin("stopped.run", more);
  command.insert(command.begin(), PLAIT_BINARY);
  Process process(command, work.path());
  REQUIRE(process.wait_for_error_text("compiled in"));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  process.signal(SIGINT);
  const Outcome stopped = process.wait();
  INFO(stopped.error);
  REQUIRE(stopped.code == 130);
  CHECK(stopped.error.find("interrupted after step ") != std::string::npos);
  CHECK(stopped.error.find("go on with: plait fit ") != std::string::npos);
  CHECK(stopped.error.find("--resume") != std::string::npos);
  const json summary = json::parse(read_file(work.path() / "stopped.run/summary.json"));
  CHECK(summary.at("status") == "interrupted");
  CHECK(summary.at("steps") < 3000000);

  const Outcome resumed =
      run_plait({"fit", example("coin/model.ppl"), "--out", "stopped.run", "--resume"}, work.path());
  INFO(resumed.error);
  REQUIRE(resumed.code == 0);
  REQUIRE(run_plait(fit_coin("whole.run", more), work.path()).code == 0);
  check_same_file(work.path() / "whole.run/params.safetensors",
                  work.path() / "stopped.run/params.safetensors");
  CHECK(steps_of(work.path() / "whole.run/trace.csv") == steps_of(work.path() / "stopped.run/trace.csv"));
}

TEST_CASE("a second fit takes its code from the cache") {
  const TemporaryFolder work;
  ::setenv("XDG_CACHE_HOME", (work.path() / "cache").c_str(), 1);
  const Outcome cold = run_plait(fit_coin("a.run", {"--steps", "10"}), work.path());
  const Outcome warm = run_plait(fit_coin("b.run", {"--steps", "10"}), work.path());
  const Outcome fresh = run_plait(fit_coin("c.run", {"--steps", "10", "--no-cache"}), work.path());
  ::unsetenv("XDG_CACHE_HOME");
  CHECK(cold.error.find("from the cache") == std::string::npos);
  CHECK(warm.error.find("from the cache") != std::string::npos);
  CHECK(fresh.error.find("from the cache") == std::string::npos);
  check_same_file(work.path() / "a.run/params.safetensors", work.path() / "b.run/params.safetensors");
  check_same_file(work.path() / "a.run/params.safetensors", work.path() / "c.run/params.safetensors");
}
