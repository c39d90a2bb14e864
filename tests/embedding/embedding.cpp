// Plait inside another program: the public header is all it knows.
#include "plait/plait.hpp"

#include <cmath>
#include <cstdio>

int main() {
  const plait::Model model = plait::Model::parse(R"(
    data flips : bit[N];
    model {
      fairness ~ beta(10, 10);
      iarange i in N { flips[i] ~ bernoulli(fairness); }
    }
    guide {
      param a : positive = 15;
      param b : positive = 15;
      fairness ~ beta(a, b);
    }
  )");
  plait::Data data;
  data.set("flips", {10}, {1, 1, 1, 1, 1, 1, 0, 0, 0, 0});

  int reports = 0;
  const plait::Fit fit = plait::fit(model, data, {.steps = 4000, .decay = 0.01, .seed = 1},
                                    [&](const plait::Progress&) { return ++reports > 0; });
  const plait::Summary fairness = fit.summary("fairness");
  std::printf("fairness %.4f +- %.4f after %lld steps\n", fairness.mean.at(0), fairness.sd.at(0),
              static_cast<long long>(fit.step()));

  // The posterior is beta(16, 14): mean 16/30, standard deviation 0.0896.
  if (std::abs(fairness.mean.at(0) - 16.0 / 30) > 0.01 || std::abs(fairness.sd.at(0) - 0.0896) > 0.01 ||
      reports < 10)
    return 1;

  // Errors carry the text that the command line would print, and its exit code.
  try {
    plait::Model::parse("model { z ~ ; }").check();
    return 1;
  } catch (const plait::Error& error) {
    if (error.fault != plait::Fault::model)
      return 1;
  }
  return 0;
}
