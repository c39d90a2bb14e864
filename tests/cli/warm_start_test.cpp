// A finished run as the start of a fit, on the command line.
#include "tests/support/process.hpp"

#include <nlohmann/json.hpp>

using namespace plait::test;
using nlohmann::json;

TEST_CASE("a start from a run says what it takes and what starts afresh") {
  const TemporaryFolder work;
  const std::string model = "data x : real[N];\n"
                            "model { mu ~ normal(0, 10); iarange i in N { x[i] ~ normal(mu, 1); } }\n";
  write_file(work.path() / "m.ppl", model + "guide auto(normal);\n");
  write_file(work.path() / "wider.ppl",
             "data x : real[N];\nmodel { mu ~ normal(0, 10); s ~ gamma(2, 1); iarange i in N { x[i] ~ "
             "normal(mu, s); } }\nguide auto(normal);\n");
  write_file(work.path() / "d.json", R"({"x": [1, 2, 4]})");
  const auto fit = [&](std::vector<std::string> more) {
    more.insert(more.begin(), "fit");
    more.insert(more.end(), {"--data", "d.json"});
    return run_plait(more, work.path());
  };
  REQUIRE(fit({"m.ppl", "--out", "a.run", "--steps", "300"}).code == 0);

  const Outcome same = fit({"m.ppl", "--out", "b.run", "--steps", "0", "--init", "a.run"});
  INFO(same.error);
  REQUIRE(same.code == 0);
  CHECK(same.error.find("starts from a.run after 300 steps: mu.loc, mu.log_scale taken\n") !=
        std::string::npos);
  CHECK(same.error.find("afresh") == std::string::npos);
  CHECK(same.out.find("no step was taken; saved in b.run") != std::string::npos);
  const auto bound = [&](const std::string& run) { return run_plait({"evaluate", run}, work.path()).out; };
  CHECK(bound("a.run") == bound("b.run"));
  CHECK(bound("a.run").starts_with("elbo -"));
  const json manifest = json::parse(read_file(work.path() / "b.run/manifest.json"));
  CHECK(manifest["start"]["file a.run/state.safetensors"].get<std::string>().starts_with("xxh64:"));
  CHECK(json::parse(read_file(work.path() / "b.run/summary.json"))["elbo"] == "NaN");

  const Outcome wider = fit({"wider.ppl", "--out", "c.run", "--steps", "5", "--init", "b.run"});
  INFO(wider.error);
  REQUIRE(wider.code == 0);
  CHECK(wider.error.find("not in that run, start afresh: s.loc, s.log_scale\n") != std::string::npos);
  const Outcome narrower = fit({"m.ppl", "--out", "d.run", "--steps", "5", "--init", "c.run"});
  CHECK(narrower.error.find("of that run alone, not used: s.loc, s.log_scale\n") != std::string::npos);

  // It goes on without the run that it started from.
  fs::remove_all(work.path() / "b.run");
  const Outcome on =
      run_plait({"fit", "wider.ppl", "--out", "c.run", "--resume", "--steps", "9"}, work.path());
  INFO(on.error);
  CHECK(on.code == 0);
  const Outcome nothing = fit({"m.ppl", "--out", "e.run", "--init", "b.run"});
  CHECK(nothing.code == 2);
  CHECK(nothing.error.find("or the folder of a run") != std::string::npos);
}
