// Runs that go on: longer, after a kill, and what --resume refuses.
#include "tests/support/process.hpp"

using namespace plait::test;

namespace {

const std::string model = "data x : real[N];\n"
                          "model { mu ~ normal(0, 10); iarange i in N { x[i] ~ normal(mu, 1); } }\n";

/** A folder with the models and data. */
struct Prepared : TemporaryFolder {
  Prepared() {
    write_file(path() / "m.ppl", model);
    write_file(path() / "other.ppl", model + "# another text\n");
    write_file(path() / "d.json", R"({"x": [1, 2, 4]})");
  }
};

std::vector<std::string> fit(const std::string& out, const std::vector<std::string>& more) {
  std::vector<std::string> arguments{"fit", "m.ppl", "--data", "d.json", "--out", out};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

} // namespace

TEST_CASE("a finished run goes on when more steps are asked for, with the bits of the longer run") {
  const Prepared work;
  REQUIRE(run_plait(fit("a.run", {"--steps", "200"}), work.path()).code == 0);
  const Outcome longer =
      run_plait({"fit", "m.ppl", "--resume", "--steps", "500", "--out", "a.run"}, work.path());
  INFO(longer.error);
  REQUIRE(longer.code == 0);
  REQUIRE(run_plait(fit("b.run", {"--steps", "500"}), work.path()).code == 0);
  CHECK(read_file(work.path() / "a.run/params.safetensors") ==
        read_file(work.path() / "b.run/params.safetensors"));
  const Outcome again = run_plait({"fit", "m.ppl", "--resume", "--out", "a.run"}, work.path());
  CHECK(again.code == 0);
  CHECK(again.error.find("this run has finished: 500 steps") != std::string::npos);
}

TEST_CASE("a run with an average goes on from its iterates, and ends with the same bytes") {
  const Prepared work;
  REQUIRE(run_plait(fit("a.run", {"--steps", "200", "--average", "0.95"}), work.path()).code == 0);
  const std::string before = read_file(work.path() / "a.run/params.safetensors");
  const Outcome longer =
      run_plait({"fit", "m.ppl", "--resume", "--steps", "500", "--out", "a.run"}, work.path());
  INFO(longer.error);
  REQUIRE(longer.code == 0);
  REQUIRE(run_plait(fit("b.run", {"--steps", "500", "--average", "0.95"}), work.path()).code == 0);
  const std::string after = read_file(work.path() / "a.run/params.safetensors");
  CHECK(after == read_file(work.path() / "b.run/params.safetensors"));
  CHECK(after != before);
  REQUIRE(run_plait(fit("c.run", {"--steps", "500"}), work.path()).code == 0);
  CHECK(after != read_file(work.path() / "c.run/params.safetensors"));
  const auto draws = [&](const std::string& run) {
    return run_plait({"sample", run, "-n", "5"}, work.path()).out;
  };
  CHECK(draws("a.run") == draws("b.run"));
  CHECK(draws("a.run") != draws("c.run"));
  const Outcome other = run_plait(
      {"fit", "m.ppl", "--resume", "--steps", "600", "--average", "0.9", "--out", "a.run"}, work.path());
  CHECK(other.code == 2);
  CHECK(other.error.find("--average is 0.9 now, but was 0.95") != std::string::npos);
}

TEST_CASE("resuming refuses another model and other options by name") {
  const Prepared work;
  REQUIRE(run_plait(fit("a.run", {"--steps", "20"}), work.path()).code == 0);
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong{
      {{"other.ppl"}, "another model than other.ppl"},
      {{"m.ppl", "--lr", "0.5"}, "--learning-rate is 0.5 now, but was 0.01"},
      {{"m.ppl", "--optimizer", "sgd"}, "--optimizer is sgd now, but was adam"},
      {{"m.ppl", "--seed", "3"}, "--seed is 3 now, but was 0"},
      {{"m.ppl", "--steps", "10"}, "--steps is 10 now, but was 20"},
      {{"m.ppl", "--epochs", "3"}, "--epochs cannot be given with --resume"},
  };
  for (const auto& [options, message] : wrong) {
    std::vector<std::string> arguments{"fit", "--resume", "--out", "a.run"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Outcome outcome = run_plait(arguments, work.path());
    INFO(message << "\n" << outcome.error);
    CHECK(outcome.code == 2);
    CHECK(outcome.error.find(message) != std::string::npos);
  }
  const Outcome same = run_plait({"fit", "m.ppl", "--resume", "--lr", "0.01", "--out", "a.run"}, work.path());
  INFO(same.error);
  CHECK(same.code == 0);
}

TEST_CASE("a run that was killed goes on from where it was saved last") {
  const Prepared work;
  std::vector<std::string> command = fit("k.run", {"--steps", "10000000", "--save-every", "0.2"});
  command.insert(command.begin(), PLAIT_BINARY);
  Process process(command, work.path());
  REQUIRE(process.wait_for_error_text("compiled in"));
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  process.signal(SIGKILL);
  process.wait();
  CHECK_FALSE(fs::exists(work.path() / "k.run/summary.json"));
  const Outcome evaluated = run_plait({"evaluate", "k.run", "-n", "10"}, work.path());
  INFO(evaluated.error);
  CHECK(evaluated.code == 0);
  const Outcome resumed = run_plait({"fit", "m.ppl", "--resume", "--out", "k.run"}, work.path());
  INFO(resumed.error);
  REQUIRE(resumed.code == 0);
  REQUIRE(run_plait(fit("whole.run", {"--steps", "10000000"}), work.path()).code == 0);
  CHECK(read_file(work.path() / "k.run/params.safetensors") ==
        read_file(work.path() / "whole.run/params.safetensors"));
}

TEST_CASE("a folder that cannot be made is an error before the training") {
  const Prepared work;
  const Outcome outcome = run_plait(fit("/proc/x", {"--steps", "2000000000"}), work.path());
  CHECK(outcome.code == 2);
  CHECK(outcome.error.find("/proc/x: cannot make the folder") != std::string::npos);
  CHECK(outcome.error.find("step ") == std::string::npos);
}

TEST_CASE("a damaged run and options out of range are told in few words") {
  const Prepared work;
  REQUIRE(run_plait(fit("a.run", {"--steps", "20"}), work.path()).code == 0);
  write_file(work.path() / "a.run/manifest.json", "{\"a");
  const Outcome damaged = run_plait({"sample", "a.run"}, work.path());
  CHECK(damaged.code == 2);
  CHECK(damaged.error == "error: a.run/manifest.json: the file is damaged: it is no JSON from byte 4 on\n");
  CHECK(run_plait(fit("b.run", {"--lr", "-1"}), work.path()).error.find("must be greater than 0, not -1") !=
        std::string::npos);
  CHECK(run_plait(fit("b.run", {"--steps", "-1"}), work.path()).error.find("must be at least 0, not -1") !=
        std::string::npos);
}
