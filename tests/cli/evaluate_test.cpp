// `plait evaluate` with another objective than that of the fit.
#include "tests/support/process.hpp"

#include <catch2/catch.hpp>

using namespace plait::test;

TEST_CASE("another bound of a finished fit") {
  const TemporaryFolder work;
  // Posterior normal(0.5, sqrt(0.5)), guide normal(0.5, 1.5): the ELBO is log p(y) - KL, and log p(y) is that
  // of normal(0, sqrt(2)) at 1.
  write_file(work.path() / "m.ppl", "data y : real;\nmodel { mu ~ normal(0, 1); y ~ normal(mu, 1); }\n"
                                    "guide { param m : real = 0.5; mu ~ normal(m, 1.5); }\n");
  write_file(work.path() / "d.json", "{\"y\": 1}");
  REQUIRE(run_plait({"fit", "m.ppl", "--data", "d.json", "--steps", "1", "--learning-rate", "1e-9", "--out",
                     "m.run", "--quiet"},
                    work.path())
              .code == 0);
  const auto bound = [&](std::vector<std::string> options) {
    options.insert(options.begin(), {"evaluate", "m.run", "-n", "20000"});
    const Outcome outcome = run_plait(options, work.path());
    INFO(outcome.error);
    REQUIRE(outcome.code == 0);
    return outcome.out;
  };
  const std::string own = bound({});
  REQUIRE(own.find("elbo ") == 0);
  CHECK(std::stod(own.substr(5)) == Approx(-2.5135).margin(0.03));
  CHECK(bound({"--objective", "elbo"}) == own);
  const std::string weighted = bound({"--objective", "renyi(alpha=0)", "--particles", "200"});
  REQUIRE(weighted.find("renyi ") == 0);
  CHECK(std::stod(weighted.substr(6)) == Approx(-1.5155).margin(0.01));

  const Outcome one = run_plait({"evaluate", "m.run", "--objective", "iwae"}, work.path());
  CHECK(one.code == 1);
  CHECK(one.error.find("the objective iwae needs at least 2 particles") != std::string::npos);
  const Outcome unknown = run_plait({"evaluate", "m.run", "--objective", "elbow"}, work.path());
  CHECK(unknown.code == 1);
  CHECK(unknown.error.find("there is no objective named elbow") != std::string::npos);
}
