#include "runtime/rng.hpp"
#include "tests/performance/steps/models.hpp"
#include "tests/performance/steps/synthetic.hpp"

#include <cmath>
#include <cstdio>

namespace plait::performance {
namespace {

// Central differences of every parameter (at most `most`, evenly spread) at a point away from the start.
bool check_gradient(const char* name, Baseline<double>& baseline, std::size_t most, double tolerance) {
  for (std::uint32_t step = 0; step < 25; ++step)
    baseline.step(step, 0.03);
  constexpr std::uint32_t step = 1000;
  const double elbo = baseline.differentiate(step);
  const std::vector<double> gradients = baseline.gradients();
  const std::vector<double> point = baseline.parameters();
  double largest = 0, scale = 0;
  for (const double gradient : gradients)
    scale = std::max(scale, std::fabs(gradient));
  const std::size_t stride = std::max<std::size_t>(1, gradients.size() / most);
  for (std::size_t k = 0; k < gradients.size(); k += stride) {
    const double h = 1e-5;
    std::vector<double> moved = point;
    moved[k] = point[k] + h;
    const double above = baseline.value_at(step, moved);
    moved[k] = point[k] - h;
    const double below = baseline.value_at(step, moved);
    const double difference = -(above - below) / (2 * h);
    largest =
        std::max(largest, std::fabs(difference - gradients[k]) / (1e-3 * scale + std::fabs(gradients[k])));
  }
  const bool agrees = largest < tolerance && is_finite(elbo) && scale > 0;
  std::printf("%-15s ELBO %14.6f  largest gradient %10.3g  largest relative difference %8.1e  %s\n", name,
              elbo, scale, largest, agrees ? "ok" : "WRONG");
  return agrees;
}

bool check_threads() {
  const VaeSizes sizes{.pixels = 30, .hidden = 20, .code = 5, .batch = 24, .tile = 8};
  const auto one = make_vae<double>(synthetic_images(100, sizes.pixels), sizes, 4, 1);
  const auto three = make_vae<double>(synthetic_images(100, sizes.pixels), sizes, 4, 3);
  double difference = 0;
  for (std::uint32_t step = 0; step < 50; ++step) {
    const double a = one->step(step, 0.01), b = three->step(step, 0.01);
    difference = std::max(difference, std::fabs(a - b) / std::fabs(a));
  }
  const bool agrees = difference < 1e-8;
  std::printf("%-15s 1 and 3 threads over 50 steps: largest relative difference of the ELBO %8.1e  %s\n",
              "vae", difference, agrees ? "ok" : "WRONG");
  return agrees;
}

} // namespace

bool check_gradients() {
  bool good = true;
  const auto check = [&](const char* name, auto baseline, std::size_t most, double tolerance) {
    good = check_gradient(name, *baseline, most, tolerance) && good;
  };
  check("coin", make_coin({1, 1, 1, 0, 1, 0, 0, 1}, 1), 2, 1e-5);
  check("eight_schools", make_eight_schools(school_effects(), school_errors(), 2), 100, 1e-5);
  check("logistic D=8", make_logistic(synthetic_logistic<double>(300, 8), 100, 3), 100, 1e-5);
  check("logistic D=64", make_logistic(synthetic_logistic<double>(300, 64), 200, 3), 300, 1e-5);
  check("radon", make_radon(synthetic_radon(200, 13), 70, 5), 100, 1e-5);
  const VaeSizes sizes{.pixels = 30, .hidden = 20, .code = 5, .batch = 12, .tile = 8};
  check("vae", make_vae<double>(synthetic_images(40, sizes.pixels), sizes, 6, 1), 400, 1e-5);
  const MarkovSizes markov{.keys = 11, .latent = 4, .emitter = 5, .gate = 6, .state = 7, .batch = 9};
  check("dmm", make_dmm<double>(synthetic_chorales(20, 8, markov.keys), markov, 7), 400, 1e-5);
  return check_threads() && good;
}

} // namespace plait::performance
