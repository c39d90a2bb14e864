// Distributions sent through transforms, in guides and models: densities are those of the draws, derivatives
// those of the estimate.
#include "gradients.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

using plait::test::check_difference_is_score;
using plait::test::check_gradients;
using plait::test::Objective;
using plait::test::scatter_parameters;
using plait::test::Setting;
namespace ir = plait::ir;

namespace {

std::vector<double>& parameter(Objective& fit, const std::string& name) {
  const auto& parameters = fit.graph().parameters;
  const auto found = std::find_if(parameters.begin(), parameters.end(),
                                  [&](const ir::Parameter& other) { return other.name == name; });
  REQUIRE(found != parameters.end());
  return fit.inputs.parameters[static_cast<std::size_t>(found - parameters.begin())];
}

double estimate(const Objective& fit) {
  return ir::interpret(fit.graph(), fit.inputs).number(fit.graph(), "elbo");
}

const std::string nets = R"(
const Z = 3;
net masked(x : real[Z]) -> (real[Z], real[Z]) {
  h = tanh(masked_linear[Z * 4](x));
  return (masked_linear[Z](h), 0.3 * masked_linear[Z](h));
}
net told(x : real[Z], c : real[2]) -> (real[Z], real[Z]) {
  h = tanh(masked_linear[Z * 2](x));
  return (masked_linear[Z](h) + linear[Z](c), 0.3 * masked_linear[Z](h));
}
net half(x : real[1]) -> (real[2], real[2]) {
  h = tanh(linear[4](x));
  return (linear[2](h), 0.3 * linear[2](h));
}
)";

/** Guides of z in R^3 that send a normal through flows. */
const std::vector<std::string> flows{
    "iaf(normal(m, s), flows = 2, hidden = 5)",
    "iaf(normal(m, s), masked)",
    "iaf(reverse(iaf(normal(m, s), told, context = [0.4, -1.2])), hidden = 4, context = [1, 2, 3])",
    "coupling(normal(m, s), flows = 3, hidden = 4)",
    "coupling(reverse(coupling(normal(m, s), half)), half, split = 1)",
    "affine(coupling(normal(m, s), half), m, s)",
};

std::string guided(const std::string& model, const std::string& guide) {
  return nets + model + "guide { param m : real[Z] = 0; param s : positive[Z] = 1; z ~ " + guide + "; }\n";
}

} // namespace

TEST_CASE("the density of a flow in the guide is that of its draws") {
  const std::string flow = GENERATE(from_range(flows));
  INFO(flow);
  Setting setting;
  setting.options.objective = "sampled_elbo";
  Objective fit(guided("model { z ~ normal(0, 0.6)[Z]; }\n", flow), setting);
  scatter_parameters(fit, 0.15);
  plait::test::check_density_of_draws(fit, 0.03);
}

TEST_CASE("gradients through flows are the differences of the estimate; held parameters leave its value") {
  const std::string flow = GENERATE(from_range(flows));
  INFO(flow);
  const std::string model = "model { z ~ normal(0, 0.6)[Z]; factor(-square(z[0] - z[1] * z[2])); }\n";
  Setting setting;
  setting.options.objective = GENERATE("elbo", "sampled_elbo");
  Objective fit(guided(model, flow), setting);
  scatter_parameters(fit, 0.3);
  check_gradients(fit);

  Setting other = setting;
  other.options.objective = "sampled_elbo";
  Objective sampled(guided(model, flow), other);
  other.options.objective = "stl";
  Objective held(guided(model, flow), other);
  sampled.inputs.parameters = held.inputs.parameters = fit.inputs.parameters;
  check_difference_is_score(sampled, held);
}

TEST_CASE("a transform of the model and the same one of the guide cancel on every draw") {
  struct Row {
    std::string model, guide;
  };
  const Row row =
      GENERATE(Row{"exp(normal(0.3, 0.8))", "lognormal(0.3, 0.8)"},
               Row{"lognormal(0.3, 0.8)", "exp(normal(0.3, 0.8))"},
               Row{"softplus(normal(0.3, 0.8))", "softplus(normal(0.3, 0.8))"},
               Row{"sigmoid(affine(normal(0.3, 0.8), 0.2, 2))", "sigmoid(normal(0.8, 1.6))"},
               Row{"ordered(normal(0.3, 0.8)[4])", "ordered(normal(0.3, 0.8)[4])"},
               Row{"ordered(gamma(2, 3)[3])", "ordered(gamma(2, 3)[3])"},
               Row{"to_ordered(normal(0.3, 0.8)[3])", "to_ordered(normal(0.3, 0.8)[3])"},
               Row{"to_simplex(normal(0.3, 0.8)[3])", "to_simplex(normal(0.3, 0.8)[3])"},
               Row{"to_positive_ordered(normal(0.3, 0.8)[2])", "to_positive_ordered(normal(0.3, 0.8)[2])"},
               Row{"reverse(normal([0, 1], [1, 2]))", "normal([1, 0], [2, 1])"});
  INFO(row.model << " " << row.guide);
  Setting setting;
  const std::string text = "model { x ~ " + row.model + "; }\nguide { x ~ " + row.guide + "; }\n";
  setting.options.objective = "elbo"; // with closed-form entropies they cancel on average
  const auto mean = Objective(text, setting).average(1000);
  CHECK(std::abs(mean.elbo) < 4 * mean.elbo_error + 1e-9);
  setting.options.objective = GENERATE("sampled_elbo", "stl");
  Objective fit(text, setting);
  for (std::uint32_t step = 0; step < 5; ++step) {
    fit.inputs.step = step;
    CHECK(fit.evaluate().elbo == Approx(0).margin(1e-9));
  }
}

TEST_CASE("the order statistics have their textbook density") {
  // Of two standard normals: 2 N(a; 0, 1) N(b; 0, 1) for a < b.
  Setting setting;
  setting.sizes = {{"N", 1}};
  setting.data["x"] = {-0.4, 0.9};
  Objective fit("data x : ordered[2];\nmodel { x ~ ordered(normal(0, 1)[2]); m ~ normal(0, 1); }\n"
                "guide { m ~ normal(0, 1); }\n",
                setting);
  CHECK(fit.evaluate().elbo ==
        Approx(std::log(2.0) - std::log(2 * M_PI) - 0.5 * (0.16 + 0.81)).margin(1e-12));
}

TEST_CASE("the scale of a transform may depend on what is summed out") {
  // One observation, two components: log sum over k of p(k) N((x - k) / s_k; 0, 1) / s_k, s = (1, 3).
  Setting setting;
  setting.data["x"] = {0.4};
  Objective fit("data x : real;\nmodel { k ~ bernoulli(0.25) using enumerate; "
                "x ~ affine(normal(0, 1), k, 1 + 2 * k); }\n",
                setting);
  const auto normal = [](double z) { return std::exp(-z * z / 2) / std::sqrt(2 * M_PI); };
  CHECK(fit.evaluate().elbo ==
        Approx(std::log(0.75 * normal(0.4) + 0.25 * normal((0.4 - 1) / 3) / 3)).margin(1e-12));
}

TEST_CASE("a flow with the same weights in model and guide leaves nothing") {
  const std::string flow =
      GENERATE("coupling(normal(0.2, 0.7)[Z], flows = 3, hidden = 4)", "coupling(normal(0.2, 0.7)[Z], half)",
               "exp(coupling(reverse(normal(0.2, 0.7)[Z]), flows = 2, hidden = 4))");
  INFO(flow);
  Setting setting;
  setting.options.objective = GENERATE("sampled_elbo", "stl");
  Objective fit(nets + "model { z ~ " + flow + "; }\nguide { z ~ " + flow + "; }\n", setting);
  scatter_parameters(fit, 0.4);
  for (std::size_t k = 0; k < fit.graph().parameters.size(); ++k) {
    std::string name = fit.graph().parameters[k].name;
    if (const auto place = name.find("prior_flow"); place != std::string::npos) {
      name.replace(place, 10, "flow");
      fit.inputs.parameters[k] = parameter(fit, name);
    }
  }
  for (std::uint32_t step = 0; step < 5; ++step) {
    fit.inputs.step = step;
    CHECK(fit.evaluate().elbo == Approx(0).margin(1e-9));
  }
}

TEST_CASE("an automatic guide draws a transformed latent through its support") {
  Setting setting;
  setting.options.objective = "elbo";
  Objective fit("model { s ~ exp(normal(0.3, 0.8)); c ~ ordered(normal(0, 3)[3]); p ~ sigmoid(normal(1, 2)); "
                "factor(-s * p * square(c[2] - c[0])); }\nguide auto(normal);\n",
                setting);
  scatter_parameters(fit, 0.3);
  check_gradients(fit);
  // s is drawn as exp of a normal: with the prior's own parameters its terms cancel.
  Objective alone("model { s ~ exp(normal(0.3, 0.8)); }\nguide auto(normal);\n", setting);
  alone.set_parameter("s.loc", {0.3});
  alone.set_parameter("s.log_scale", {std::log(0.8)});
  CHECK(alone.average(4000).elbo == Approx(0).margin(0.06));
}

TEST_CASE("an amortized guide sends each row, and each step of a sequence, through one flow") {
  const std::string text = R"(
const Z = 2;
data x : real[N, 3];
net encode(x : real[3]) -> (real[Z], positive[Z], real[2]) {
  h = tanh(linear[4](x));
  return (linear[Z](h), exp(linear[Z](h)), linear[2](h));
}
model {
  iarange i in N {
    state = zeros(Z);
    for t in 0..3 {
      z[t] ~ normal(state, 1);
      x[i, t] ~ normal(z[t][0] + z[t][1], 0.5);
      state = z[t];
    }
  }
}
guide {
  iarange i in N {
    (loc, scale, h) = encode(x[i]);
    for t in 0..3 {
      z[t] ~ iaf(normal(loc, scale), hidden = 4, flows = 2, context = h);
    }
  }
}
)";
  Setting setting;
  setting.sizes = {{"N", 2}};
  setting.data["x"] = {0.4, -1.2, 2.0, 0.1, 0.7, -0.3};
  setting.options.objective = GENERATE("elbo", "sampled_elbo");
  Objective fit(text, setting);
  scatter_parameters(fit, 0.3);
  check_gradients(fit);
  setting.options.objective = "stl";
  Objective held(text, setting);
  held.inputs.parameters = fit.inputs.parameters;
  setting.options.objective = "sampled_elbo";
  Objective sampled(text, setting);
  sampled.inputs.parameters = fit.inputs.parameters;
  CHECK(held.evaluate().elbo == Approx(sampled.evaluate().elbo).margin(1e-9));
  // The context is read: a row's draw changes with it.
  const double before = estimate(fit);
  for (double& weight : parameter(fit, "z.flow1.context"))
    weight += 0.5;
  CHECK(std::abs(estimate(fit) - before) > 1e-6);
}

TEST_CASE("an automatic guide draws a correlation matrix with the density of its draws") {
  const std::string family = GENERATE("normal", "full_rank");
  INFO(family);
  // Without data the weights p(L)/q(L) have mean 1.
  Setting setting;
  setting.options.objective = "sampled_elbo";
  Objective fit("const K = 3;\nmodel { L ~ lkj_corr_cholesky(2.5, K); }\nguide auto(" + family +
                    ", scale = 0.6);\n",
                setting);
  scatter_parameters(fit, 0.2);
  std::vector<double> weights(20'000);
  for (std::size_t k = 0; k < weights.size(); ++k) {
    fit.inputs.step = static_cast<std::uint32_t>(k);
    weights[k] = std::exp(estimate(fit));
  }
  const auto count = static_cast<double>(weights.size());
  const double mean = std::accumulate(weights.begin(), weights.end(), 0.0) / count;
  double squares = 0;
  for (double weight : weights)
    squares += (weight - mean) * (weight - mean);
  CHECK(std::abs(mean - 1) < 4 * std::sqrt(squares) / count);
  CHECK(std::sqrt(squares) / count < 0.03);
  check_gradients(fit);
}
