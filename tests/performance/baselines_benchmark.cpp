// Checks the gradients of the hand-written steps, then prints the time of each. `--check` stops after the
// check.

#include "tests/performance/clock.hpp"
#include "tests/performance/steps/models.hpp"
#include "tests/performance/steps/synthetic.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace {

using namespace plait::performance;

template <class Scalar>
void measure(const char* name, Baseline<Scalar>& baseline) {
  std::uint32_t step = 0;
  double elbo = 0, best = 1e300;
  int steps = 1;
  for (int trial = 0; trial < 12; ++trial) {
    const double begin = seconds(Clock::processor);
    for (int k = 0; k < steps; ++k)
      elbo = baseline.step(step++, 1e-3);
    const double elapsed = seconds(Clock::processor) - begin;
    if (elapsed < 0.05) {
      steps *= 4;
      continue;
    }
    best = std::min(best, elapsed / steps);
  }
  std::printf("%-15s %12.3f µs per step, best of several runs   ELBO %.3f\n", name, best * 1e6, elbo);
}

} // namespace

int main(int argc, char** argv) {
  if (!check_gradients())
    return 1;
  if (argc > 1 && std::strcmp(argv[1], "--check") == 0)
    return 0;
  measure("coin", *make_coin({1, 1, 1, 1, 1, 1, 0, 0, 0, 0}, 0));
  measure("eight_schools", *make_eight_schools(school_effects(), school_errors(), 0));
  measure("logistic D=8", *make_logistic(synthetic_logistic<float>(200000, 8), 1024, 0));
  measure("logistic D=64", *make_logistic(synthetic_logistic<double>(200000, 64), 1024, 0));
  measure("radon", *make_radon(synthetic_radon(12573, 386), 512, 0));
  for (const std::int64_t tile : {64, 128, 256}) {
    std::printf("tiles of %ld rows: ", long(tile));
    measure("vae", *make_vae<float>(synthetic_images(10000, 784), {.tile = tile}, 0, 1));
  }
  measure("dmm", *make_dmm<float>(synthetic_chorales(229, 129, 88), {}, 0));
}
