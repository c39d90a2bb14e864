// The update of the parameters in a step.
#include "tests/unit/elbo/outcomes.hpp"

using plait::test::Setting;
using plait::test::Trainer;

TEST_CASE("a row of a subsampled plate counts its own updates") {
  // Adam's first update is the learning rate, whatever the gradient (Kingma & Ba 2015), in whatever step the
  // row is drawn first.
  Setting setting;
  setting.sizes = {{"N", 3}};
  setting.data["x"] = {0.4, 1.2, -0.3};
  Trainer fit(R"(
data x : real[N];
model { iarange i in N subsample 2 { z ~ normal(0, 1); x[i] ~ normal(z, 1); } }
guide { iarange i in N { param m : real; z ~ delta(m); } }
)",
              setting, {});
  fit.parameter("m") = {1, 2, 3};
  fit.set_rows({0, 1});
  for (int step = 0; step < 5; ++step)
    fit.step(0.01);
  CHECK(fit.parameter("m")[2] == 3);
  CHECK(fit.parameter("m")[0] < 0.96);
  fit.set_rows({0, 2});
  fit.step(0.01);
  CHECK(fit.parameter("m")[2] == Approx(2.99).epsilon(1e-8));
}
