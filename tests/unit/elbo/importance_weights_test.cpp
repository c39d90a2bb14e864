// Objectives of importance weights for discrete latents: exact means over all draws of the particles.
#include "tests/unit/elbo/outcomes.hpp"

using namespace plait;
using namespace plait::test;

namespace {

constexpr int particles = 2;
const std::vector<double> observed{0.4, 1.2, -0.3, 2.2};

/// Two bits, the second given the first, and a parameter of the model.
const std::string two_bits = R"(
data x : real[N];
model {
  param t : real = 0;
  a ~ bernoulli(0.3);
  b ~ bernoulli_logit(1.5 * a - 0.4);
  iarange i in N { x[i] ~ normal(a + 2 * b + t, 1.3); }
}
guide {
  param p : real = 0;
  param q : real = 0;
  param r : real = 0;
  a ~ bernoulli_logit(p);
  b ~ bernoulli_logit(q + r * a);
}
)";

struct Particle {
  double a, b;
};

double log_joint(const Particle& z, double t) {
  double total = log_bit(z.a, std::log(0.3 / 0.7)) + log_bit(z.b, 1.5 * z.a - 0.4);
  for (double x : observed)
    total += log_normal(x, z.a + 2 * z.b + t, 1.3);
  return total;
}

double log_guide(const Particle& z, const std::vector<double>& at) {
  return log_bit(z.a, at[1]) + log_bit(z.b, at[2] + at[3] * z.a);
}

/// Calls visit(particles, probability of drawing them) for every outcome; `at` is t, p, q, r.
void for_each_outcome(const std::vector<double>& at,
                      const std::function<void(const std::vector<Particle>&, double)>& visit) {
  for (unsigned outcome = 0; outcome < 1u << (2 * particles); ++outcome) {
    std::vector<Particle> drawn;
    double probability = 1;
    for (unsigned k = 0; k < particles; ++k) {
      drawn.push_back({double(outcome >> (2 * k) & 1), double(outcome >> (2 * k + 1) & 1)});
      probability *= std::exp(log_guide(drawn.back(), at));
    }
    visit(drawn, probability);
  }
}

/// w_k divided by their sum.
std::vector<double> normalized(const std::vector<Particle>& drawn, const std::vector<double>& at) {
  std::vector<double> weights;
  double sum = 0;
  for (const Particle& z : drawn) {
    weights.push_back(std::exp(log_joint(z, at[0]) - log_guide(z, at)));
    sum += weights.back();
  }
  for (double& weight : weights)
    weight /= sum;
  return weights;
}

double bound(const std::vector<double>& at) {
  double mean = 0;
  for_each_outcome(at, [&](const std::vector<Particle>& drawn, double probability) {
    double sum = 0;
    for (const Particle& z : drawn)
      sum += std::exp(log_joint(z, at[0]) - log_guide(z, at)) / particles;
    mean += probability * std::log(sum);
  });
  return mean;
}

const std::vector<double> point{0.2, 0.4, -0.3, 0.8};
const std::vector<std::string> names{"t", "p", "q", "r"};

Objective fit_with(const std::string& objective, const std::string& text = two_bits) {
  Setting setting;
  setting.sizes = {{"N", 4}};
  setting.data["x"] = observed;
  setting.options.particles = particles;
  setting.options.objective = objective;
  Objective fit(text, setting);
  for (std::size_t k = 0; k < names.size(); ++k)
    fit.set_parameter(names[k], {point[k]});
  return fit;
}

Objective::Mean exact(Objective& fit) {
  return exact_mean(fit, std::size_t{1} << (2 * particles), [](const Draws& draws) {
    double probability = 1;
    for (std::size_t k = 0; k < draws.at("a").size(); ++k)
      probability *= std::exp(log_guide({draws.at("a")[k], draws.at("b")[k]}, point));
    return probability;
  });
}

} // namespace

TEST_CASE("vimco: bound and gradient are those of the importance-weighted bound") {
  Objective fit = fit_with("vimco");
  const auto mean = exact(fit);
  CHECK(mean.elbo == Approx(bound(point)).epsilon(1e-11));
  for (std::size_t k = 0; k < names.size(); ++k) {
    CAPTURE(names[k]);
    CHECK(mean.gradient.at(names[k])[0] == Approx(derivative(bound, point, k)).epsilon(1e-8));
  }
}

TEST_CASE("vimco: weakened latent terms are weakened in every part of the gradient") {
  const double weakness = 0.4;
  Setting setting;
  setting.sizes = {{"N", 4}};
  setting.data["x"] = observed;
  setting.options.particles = particles;
  setting.options.objective = "vimco";
  setting.options.anneal = true;
  Objective fit(two_bits, setting);
  for (std::size_t k = 0; k < names.size(); ++k)
    fit.set_parameter(names[k], {point[k]});
  fit.inputs.inputs["kl_weight"] = weakness;
  const auto weakened = [&](const std::vector<double>& at) {
    double mean = 0;
    for_each_outcome(at, [&](const std::vector<Particle>& drawn, double probability) {
      double sum = 0;
      for (const Particle& z : drawn) {
        const double prior = log_bit(z.a, std::log(0.3 / 0.7)) + log_bit(z.b, 1.5 * z.a - 0.4);
        const double likelihood = log_joint(z, at[0]) - prior;
        sum += std::exp(likelihood + weakness * (prior - log_guide(z, at))) / particles;
      }
      mean += probability * std::log(sum);
    });
    return mean;
  };
  const auto mean = exact(fit);
  for (std::size_t k = 0; k < names.size(); ++k) {
    CAPTURE(names[k]);
    CHECK(mean.gradient.at(names[k])[0] == Approx(derivative(weakened, point, k)).epsilon(1e-8));
  }
}

TEST_CASE("vimco: the other particles lower the variance") {
  // Without a baseline the signal would be the bound itself.
  Objective fit = fit_with("vimco");
  const auto mean = exact(fit);
  double plain = 0, plain_square = 0;
  for_each_outcome(point, [&](const std::vector<Particle>& drawn, double probability) {
    double sum = 0, score = 0;
    for (const Particle& z : drawn) {
      sum += std::exp(log_joint(z, point[0]) - log_guide(z, point)) / particles;
      score += z.a - sigmoid(point[1]);
    }
    const auto weights = normalized(drawn, point);
    double gradient = std::log(sum) * score;
    for (std::size_t k = 0; k < drawn.size(); ++k)
      gradient -= weights[k] * (drawn[k].a - sigmoid(point[1]));
    plain += probability * gradient;
    plain_square += probability * gradient * gradient;
  });
  CHECK(plain == Approx(derivative(bound, point, 1)).epsilon(1e-8));
  CHECK(mean.variance.at("p")[0] < 0.2 * (plain_square - plain * plain));
}

TEST_CASE("vimco: a guide that is the posterior has no noise at all") {
  // With a flat likelihood the prior is the posterior: every weight is the evidence.
  Objective fit = fit_with("vimco", R"(
data x : real[N];
model { param t : real = 0; a ~ bernoulli(0.3); b ~ bernoulli_logit(1.5 * a - 0.4); }
guide {
  param p : real = 0; param q : real = 0; param r : real = 0;
  a ~ bernoulli_logit(p); b ~ bernoulli_logit(q + r * a);
}
)");
  fit.set_parameter("p", {std::log(0.3 / 0.7)});
  fit.set_parameter("q", {-0.4});
  fit.set_parameter("r", {1.5});
  for (std::uint32_t step = 0; step < 50; ++step) {
    fit.inputs.step = step;
    const auto value = fit.evaluate();
    CHECK(std::abs(value.elbo) < 1e-12);
    for (const char* name : {"p", "q", "r"})
      CHECK(std::abs(value.gradient.at(name)[0]) < 1e-12);
  }
}

TEST_CASE("rws: the model follows the bound, the guide its weighted log density") {
  Objective fit = fit_with("rws");
  const auto mean = exact(fit);
  CHECK(mean.elbo == Approx(bound(point)).epsilon(1e-11));
  CHECK(mean.gradient.at("t")[0] == Approx(derivative(bound, point, 0)).epsilon(1e-8));
  std::vector<double> expected(names.size());
  for_each_outcome(point, [&](const std::vector<Particle>& drawn, double probability) {
    const auto weights = normalized(drawn, point);
    for (std::size_t k = 0; k < drawn.size(); ++k) {
      const Particle& z = drawn[k];
      const double of_a = z.a - sigmoid(point[1]);
      const double of_b = z.b - sigmoid(point[2] + point[3] * z.a);
      expected[1] += probability * weights[k] * of_a;
      expected[2] += probability * weights[k] * of_b;
      expected[3] += probability * weights[k] * of_b * z.a;
    }
  });
  for (std::size_t k = 1; k < names.size(); ++k) {
    CAPTURE(names[k]);
    CHECK(mean.gradient.at(names[k])[0] == Approx(expected[k]).epsilon(1e-9));
  }
}

TEST_CASE("rws: a continuous draw is held") {
  // q(z) = N(m, s): d/dm of sum_k v_k log q(z_k) at held draws is sum_k v_k (z_k - m) / s^2, whatever the
  // model.
  Setting setting;
  setting.sizes = {{"N", 2}};
  setting.data["x"] = {0.5, 1.5};
  setting.options.particles = 3;
  setting.options.objective = "rws";
  Objective fit("data x : real[N];\n"
                "model { z ~ normal(0, 1); iarange i in N { x[i] ~ normal(z, 1); } }\n"
                "guide { param m : real = 0; z ~ normal(m, 0.7); }\n",
                setting);
  fit.set_parameter("m", {0.3});
  for (std::uint32_t step = 0; step < 20; ++step) {
    fit.inputs.step = step;
    const auto value = fit.evaluate();
    double sum = 0, expected = 0;
    for (double z : value.draws.at("z"))
      sum += std::exp(log_normal(z, 0, 1) + log_normal(0.5, z, 1) + log_normal(1.5, z, 1) -
                      log_normal(z, 0.3, 0.7));
    for (double z : value.draws.at("z"))
      expected += std::exp(log_normal(z, 0, 1) + log_normal(0.5, z, 1) + log_normal(1.5, z, 1) -
                           log_normal(z, 0.3, 0.7)) /
                  sum * (z - 0.3) / 0.49;
    CHECK(value.gradient.at("m")[0] == Approx(expected).epsilon(1e-9));
  }
}

TEST_CASE("rows that read each other's latents have one weight together") {
  // x_i reads the sum of both bits: the bound is of the program's weight, not of weights row by row.
  const std::string objective = GENERATE("vimco", "rws");
  CAPTURE(objective);
  Setting setting;
  setting.sizes = {{"N", 2}};
  setting.data["x"] = {0.4, 2.2};
  setting.options.particles = particles;
  setting.options.objective = objective;
  Objective fit(R"(
data x : real[N];
model {
  iarange i in N { a ~ bernoulli(0.3); }
  total = sum(a);
  iarange i in N { x[i] ~ normal(total, 1.3); }
}
guide { param p : real = 0; iarange i in N { a ~ bernoulli_logit(p * (i + 1)); } }
)",
                setting);
  fit.set_parameter("p", {0.4});
  const auto log_q = [](const std::vector<double>& bits, std::size_t k, double p) {
    return log_bit(bits[2 * k], p) + log_bit(bits[2 * k + 1], 2 * p);
  };
  const auto log_mean_weight = [&](const std::vector<double>& bits, double p) {
    double sum = 0;
    for (std::size_t k = 0; k < particles; ++k) {
      const double total = bits[2 * k] + bits[2 * k + 1];
      sum +=
          std::exp(log_bit(bits[2 * k], std::log(0.3 / 0.7)) + log_bit(bits[2 * k + 1], std::log(0.3 / 0.7)) +
                   log_normal(0.4, total, 1.3) + log_normal(2.2, total, 1.3) - log_q(bits, k, p)) /
          particles;
    }
    return std::log(sum);
  };
  const auto expected = [&](const std::vector<double>& at) {
    double mean = 0;
    for (unsigned outcome = 0; outcome < 1u << (2 * particles); ++outcome) {
      std::vector<double> bits;
      for (unsigned k = 0; k < 2 * particles; ++k)
        bits.push_back(outcome >> k & 1);
      double log_probability = 0;
      for (std::size_t k = 0; k < particles; ++k)
        log_probability += log_q(bits, k, at[0]);
      mean += std::exp(log_probability) * log_mean_weight(bits, at[0]);
    }
    return mean;
  };
  const auto mean = exact_mean(fit, std::size_t{1} << (2 * particles), [&](const Draws& draws) {
    const std::vector<double>& a = draws.at("a");
    double probability = 1;
    for (std::size_t k = 0; k < a.size(); ++k)
      probability *= bit(a[k], k < particles ? 0.4 : 0.8); // axes in order: the plate, then the particles
    return probability;
  });
  CHECK(mean.elbo == Approx(expected({0.4})).epsilon(1e-11));
  if (objective == "vimco")
    CHECK(mean.gradient.at("p")[0] == Approx(derivative(expected, {0.4}, 0)).epsilon(1e-8));
}

TEST_CASE("an objective that has its own baselines says so where the program names one") {
  const plait::Source source{"test.ppl", R"(
data x : real[N];
model { iarange i in N { h ~ bernoulli(0.3); x[i] ~ normal(h, 1); } }
guide { param l : real = 0; iarange i in N { h ~ bernoulli_logit(l) using score(baseline = average); } }
)"};
  const auto warnings_of = [&](const std::string& name, int particles) {
    plait::Diagnostics diagnostics;
    const auto program = plait::test::checked(source, {{"N", 3}}, diagnostics);
    plait::elbo::ElboOptions options;
    options.objective = name;
    options.particles = particles;
    REQUIRE(plait::elbo::build_elbo(program, options, diagnostics));
    return render(source, diagnostics);
  };
  CHECK(warnings_of("elbo", 1).empty());
  for (const std::string name : {"vimco", "rws"}) {
    const std::string text = warnings_of(name, 3);
    INFO(text);
    CHECK(text.find("test.ppl:4:") == 0);
    CHECK(text.find("the objective " + name + " does not use the baseline of `h`") != std::string::npos);
  }
}

TEST_CASE("iwae: a parameter in several places has the sum of what its copies have") {
  // Copies in the draw follow v_k^2, those in the density of the model or in q of what the guide sums out
  // v_k.
  struct Row {
    std::string shared, apart;
  };
  const std::string data = "data x : real[N];\n";
  const auto prior_and_draw = [&](const std::string& first, const std::string& second) {
    return data + "model { iarange i in N { z ~ normal(" + first +
           ", 1.5); x[i] ~ normal(z, 0.9); } }\n"
           "guide { iarange i in N { z ~ normal(0.7 * " +
           second + " + 0.4 * x[i], 0.8); } }\n";
  };
  const auto summed_out_and_draw = [&](const std::string& first, const std::string& second) {
    return data +
           "model { iarange i in N { k ~ bernoulli(0.3); z ~ normal(0, 1); x[i] ~ normal(z + 2 * k, 1); } }\n"
           "guide { iarange i in N { k ~ bernoulli_logit(" +
           first + " - 0.3 * x[i]) using enumerate; z ~ normal(" + second + " * x[i], 0.8); } }\n";
  };
  const auto chains = [&](const std::string& first, const std::string& second) {
    return data + "model { iarange i in N { for t in 0..2 { z[t] ~ normal(t == 0 ? 0 : " + first +
           " * z[t - 1], 1); } x[i] ~ normal(z[1], 1); } }\n"
           "guide { iarange i in N { for t in 0..2 { z[t] ~ normal(t == 0 ? 0.3 : " +
           second + " * z[t - 1], 0.8); } } }\n";
  };
  const std::string one = "param h : real;\n", two = "param f : real;\nparam g : real;\n";
  const Row row = GENERATE_COPY(Row{one + prior_and_draw("h", "h"), two + prior_and_draw("f", "g")},
                                Row{one + summed_out_and_draw("h", "h"), two + summed_out_and_draw("f", "g")},
                                Row{one + chains("h", "h"), two + chains("f", "g")});
  const bool weakened = GENERATE(false, true);
  INFO(row.shared);
  Setting setting;
  setting.sizes = {{"N", 2}};
  setting.data["x"] = {0.5, 1.5};
  setting.options.particles = 3;
  setting.options.objective = "iwae";
  setting.options.anneal = weakened;
  Objective shared(row.shared, setting), apart(row.apart, setting);
  shared.set_parameter("h", {0.6});
  apart.set_parameter("f", {0.6});
  apart.set_parameter("g", {0.6});
  if (weakened)
    shared.inputs.inputs["kl_weight"] = apart.inputs.inputs["kl_weight"] = 0.4;
  for (std::uint32_t step = 0; step < 10; ++step) {
    shared.inputs.step = apart.inputs.step = step;
    const auto together = shared.evaluate().gradient;
    const auto copies = apart.evaluate().gradient;
    CHECK(std::abs(copies.at("f")[0]) > 1e-6);
    CHECK(std::abs(copies.at("g")[0]) > 1e-6);
    CHECK(together.at("h")[0] == Approx(copies.at("f")[0] + copies.at("g")[0]).epsilon(1e-10));
  }
}
