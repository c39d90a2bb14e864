#include "runtime/step_runner.hpp"
#include "runtime/subnormals.hpp"
#include "runtime/threads.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <limits>

using namespace plait::runtime;

namespace {

/** Half the smallest normal number, computed where this is called. */
double halved() {
  volatile double smallest = std::numeric_limits<double>::min();
  return smallest * 0.5;
}

void step_of_halves(const StepArguments* arguments) {
  arguments->scalars[0] = halved();
}

} // namespace

TEST_CASE("Subnormals are zeros inside the scope alone") {
  CHECK(halved() > 0);
  {
    const SubnormalsAreZero mode;
    CHECK(halved() == 0);
  }
  CHECK(halved() > 0);
}

TEST_CASE("The threads of a pool take the caller's floating-point mode at every run") {
  ThreadPool pool(3);
  std::array<double, 3> seen{};
  const auto look = [&](std::size_t chunk) { seen[chunk] = halved(); };
  for (int round = 0; round < 3; ++round) {
    {
      const SubnormalsAreZero mode;
      pool.run(seen.size(), look);
      CHECK(seen == std::array<double, 3>{0, 0, 0});
    }
    pool.run(seen.size(), look);
    for (const double value : seen)
      CHECK(value > 0);
  }
}

TEST_CASE("A step runs with subnormals as zeros and leaves the caller's mode alone") {
  RunnerSetup setup;
  setup.function = step_of_halves;
  setup.scalar_count = 1;
  setup.workspace_bytes = [](const std::vector<std::int64_t>&) { return std::int64_t{0}; };
  StepRunner runner(std::move(setup));
  runner.run(0);
  CHECK(runner.scalar(0) == 0);
  CHECK(halved() > 0);
}
