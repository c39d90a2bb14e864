// Automatic guides: a family that contains the posterior reaches log p(x); densities are normalised and those
// of their draws; derivatives are those of the estimate.
#include "gradients.hpp"

#include "compiler/catalog/ops.hpp"
#include "compiler/guide/families/masked_flow.hpp"

#include <algorithm>
#include <cmath>
#include <random>

using plait::test::check_difference_is_score;
using plait::test::check_gradients;
using plait::test::Objective;
using plait::test::scatter_parameters;
using plait::test::Setting;
using plait::test::stored_size;
namespace guide = plait::guide;
namespace ir = plait::ir;

namespace {

using Matrix = std::vector<std::vector<double>>;

/** Lower Cholesky factor of a symmetric positive definite matrix. */
Matrix cholesky(const Matrix& matrix) {
  const std::size_t n = matrix.size();
  Matrix lower(n, std::vector<double>(n, 0.0));
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      double rest = matrix[i][j];
      for (std::size_t k = 0; k < j; ++k)
        rest -= lower[i][k] * lower[j][k];
      lower[i][j] = i == j ? std::sqrt(rest) : rest / lower[j][j];
    }
  return lower;
}

/** log N(y; 0, covariance). */
double log_normal_density(const std::vector<double>& y, const Matrix& covariance) {
  const Matrix lower = cholesky(covariance);
  double result = 0;
  std::vector<double> standard(y.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    double rest = y[i];
    for (std::size_t k = 0; k < i; ++k)
      rest -= lower[i][k] * standard[k];
    standard[i] = rest / lower[i][i];
    result += -0.5 * standard[i] * standard[i] - std::log(lower[i][i]) - 0.91893853320467274178;
  }
  return result;
}

/** Adam on the interpreter's gradients, the rate falling to 0.01 of itself. */
void climb(Objective& fit, int steps, double rate) {
  std::map<std::string, std::vector<double>> mean;
  std::map<std::string, std::vector<double>> square;
  for (int step = 0; step < steps; ++step) {
    fit.inputs.step = static_cast<std::uint32_t>(step);
    const auto value = fit.evaluate();
    const double now = rate * std::pow(0.01, static_cast<double>(step) / steps);
    for (std::size_t p = 0; p < fit.graph().parameters.size(); ++p) {
      const auto& gradient = value.gradient.at(fit.graph().parameters[p].name);
      auto& m = mean[fit.graph().parameters[p].name];
      auto& v = square[fit.graph().parameters[p].name];
      m.resize(gradient.size());
      v.resize(gradient.size());
      for (std::size_t k = 0; k < gradient.size(); ++k) {
        m[k] = 0.9 * m[k] + 0.1 * gradient[k];
        v[k] = 0.999 * v[k] + 0.001 * gradient[k] * gradient[k];
        fit.inputs.parameters[p][k] += now * (m[k] / (1 - std::pow(0.9, step + 1))) /
                                       (std::sqrt(v[k] / (1 - std::pow(0.999, step + 1))) + 1e-8);
      }
    }
  }
}

// Two globals of which the data see the sum, and a group effect: all of it Gaussian.
constexpr std::size_t groups = 3;
constexpr std::size_t members = 2;
constexpr double tau = 0.8;
constexpr double sigma = 1.5;
const std::vector<double> observed{0.4, -1.2, 2.0, 0.3, -0.6, 1.9};

std::string hierarchical(const std::string& family, const std::string& subsample = "") {
  return R"(
data y : real[J, K];
model {
  mu ~ normal(0, 2);
  b ~ normal(0, 1);
  iarange j in J)" +
         subsample + R"( {
    a ~ normal(mu, 0.8);
    iarange k in K { y[j, k] ~ normal(a + b, 1.5); }
  }
}
guide auto()" +
         family + ");\n";
}

Objective hierarchical_fit(const std::string& family, const std::string& objective,
                           const std::string& subsample = "") {
  Setting setting;
  setting.sizes = {{"J", static_cast<std::int64_t>(groups)}, {"K", static_cast<std::int64_t>(members)}};
  setting.data["y"] = observed;
  setting.options.objective = objective;
  return Objective(hierarchical(family, subsample), setting);
}

double exact_evidence() {
  Matrix covariance(observed.size(), std::vector<double>(observed.size()));
  for (std::size_t i = 0; i < observed.size(); ++i)
    for (std::size_t k = 0; k < observed.size(); ++k)
      covariance[i][k] = 4 + 1 + (i / members == k / members ? tau * tau : 0) + (i == k ? sigma * sigma : 0);
  return log_normal_density(observed, covariance);
}

/** The posterior in the parameters of auto(structured). Given mu and b, group j has precision P = 1/tau^2 +
 * K/sigma^2 and mean (mu/tau^2 + (S_j - K b)/sigma^2) / P; its mean y_j is N(mu + b, v) with v = tau^2 +
 * sigma^2 / K. */
void set_posterior(Objective& fit) {
  const auto J = static_cast<double>(groups);
  const auto K = static_cast<double>(members);
  const double v = tau * tau + sigma * sigma / K;
  std::vector<double> sums(groups);
  double means = 0;
  for (std::size_t i = 0; i < observed.size(); ++i) {
    sums[i / members] += observed[i];
    means += observed[i] / K;
  }
  // Precision of (mu, b): diag(1/4, 1) + J/v (1, 1)(1, 1)'.
  const double p00 = 0.25 + J / v, p01 = J / v, p11 = 1 + J / v;
  const double det = p00 * p11 - p01 * p01;
  const Matrix lower = cholesky({{p11 / det, -p01 / det}, {-p01 / det, p00 / det}});
  const double mu = (p11 - p01) / det * means / v;
  const double b = (p00 - p01) / det * means / v;
  fit.set_parameter("auto.loc", {mu, b});
  fit.set_parameter("auto.log_diagonal", {std::log(lower[0][0]), std::log(lower[1][1])});
  fit.set_parameter("auto.lower", {9, 9, lower[1][0], 9}); // only what lies below the diagonal is read
  const double P = 1 / (tau * tau) + K / (sigma * sigma);
  fit.set_parameter("a.slope", {1 / (tau * tau) / P, -K / (sigma * sigma) / P});
  std::vector<double> loc;
  for (double sum : sums)
    loc.push_back((mu / (tau * tau) + (sum - K * b) / (sigma * sigma)) / P);
  fit.set_parameter("a.loc", loc);
  fit.set_parameter("a.log_diagonal", std::vector<double>(groups, -0.5 * std::log(P)));
}

// Supports, vectors, a site outside plates that is no scalar, one in a loop.
const std::string mixed = R"(
data x : real[N];
model {
  scale ~ gamma(2, 3);
  w ~ normal(0, 1)[2];
  for t in 0..2 { drift[t] ~ normal(0, 1); }
  iarange i in N {
    p ~ dirichlet(fill(1.5, 3));
    r ~ lognormal(0, 1);
    x[i] ~ normal(w[0] * p[0] + w[1] * p[1] + drift[0] - drift[1], scale * r);
  }
}
)";

Objective mixed_fit(const std::string& family, const std::string& objective, int particles = 1) {
  Setting setting;
  setting.sizes = {{"N", 3}};
  setting.data["x"] = {0.4, -1.2, 2.0};
  setting.options.objective = objective;
  setting.options.particles = particles;
  Objective fit(mixed + "guide auto(" + family + ");\n", setting);
  scatter_parameters(fit, 0.3);
  return fit;
}

} // namespace

TEST_CASE("auto(structured) holds the posterior of a balanced Gaussian hierarchy") {
  const double evidence = exact_evidence();
  for (std::uint32_t step = 0; step < 20; ++step) {
    // log p(x, z) - log q(z) is log p(x) on every draw, not only on average.
    Objective sampled = hierarchical_fit("structured", "sampled_elbo");
    set_posterior(sampled);
    sampled.inputs.step = step;
    CHECK(sampled.evaluate().elbo == Approx(evidence).margin(1e-9));
    // And sticking the landing has no noise left.
    Objective landed = hierarchical_fit("structured", "stl");
    set_posterior(landed);
    landed.inputs.step = step;
    const auto value = landed.evaluate();
    CHECK(value.elbo == Approx(evidence).margin(1e-9));
    for (const auto& [name, gradient] : value.gradient)
      for (double number : gradient) {
        INFO(name);
        CHECK(std::abs(number) < 1e-9);
      }
  }
  // With closed forms (the default objective), on average.
  Objective closed = hierarchical_fit("structured", "elbo");
  set_posterior(closed);
  const auto mean = closed.average(4000);
  CHECK(std::abs(mean.elbo - evidence) < 4 * mean.elbo_error);
  CHECK(mean.elbo_error < 0.05);
}

TEST_CASE("fits of a Gaussian hierarchy end at log p(x), except the mean field's") {
  struct Row {
    std::string family;
    bool exact;
  };
  const Row row = GENERATE(Row{"structured", true}, Row{"full_rank", true}, Row{"low_rank, rank = 2", false},
                           Row{"iaf, flows = 1, hidden = 8", true}, Row{"normal", false});
  INFO(row.family);
  Objective fit = hierarchical_fit(row.family, "stl");
  scatter_parameters(fit, 0.3);
  climb(fit, 2000, 0.05);
  Objective bound = hierarchical_fit(row.family, "sampled_elbo");
  bound.inputs.parameters = fit.inputs.parameters;
  const auto mean = bound.average(1000);
  const double gap = exact_evidence() - mean.elbo;
  CHECK(gap > -4 * mean.elbo_error - 1e-6);
  if (row.exact)
    CHECK(gap < 0.02);
  else if (row.family == "normal")
    CHECK(gap > 0.3);
}

TEST_CASE("auto(structured) scales and touches the drawn rows alone") {
  const auto set = [](Objective& fit) {
    set_posterior(fit);
    fit.set_parameter("a.slope", {0.1, -0.4});
    fit.inputs.step = 3;
  };
  Objective whole = hierarchical_fit("structured", "elbo");
  set(whole);
  const auto expected = whole.evaluate();
  Objective part = hierarchical_fit("structured", "elbo", " subsample 2");
  set(part);
  double elbo = 0;
  std::map<std::string, std::vector<double>> gradient;
  for (const std::vector<std::uint32_t>& rows : {std::vector<std::uint32_t>{0, 1}, {0, 2}, {1, 2}}) {
    part.set_rows(0, rows);
    const auto value = part.evaluate();
    elbo += value.elbo / 3;
    for (const auto& [name, numbers] : value.gradient) {
      // A plate-local parameter reports the drawn rows only, in their order.
      const bool local = name.starts_with("a.") && name != "a.slope";
      REQUIRE((!local || numbers.size() == 2));
      gradient[name].resize(local ? groups : numbers.size());
      for (std::size_t k = 0; k < numbers.size(); ++k)
        gradient[name][local ? rows[k] : k] += numbers[k] / 3;
    }
  }
  CHECK(elbo == Approx(expected.elbo).margin(1e-10));
  for (const auto& [name, numbers] : expected.gradient)
    for (std::size_t k = 0; k < numbers.size(); ++k) {
      INFO(name);
      CHECK(gradient.at(name)[k] == Approx(numbers[k]).margin(1e-10));
    }
}

TEST_CASE("gradients of every family are the differences of its estimate") {
  const std::string family = GENERATE("structured", "iaf, hidden = 6", "coupling, hidden = 6", "laplace",
                                      "delta", "normal", "full_rank", "low_rank");
  const std::string objective = GENERATE("elbo", "sampled_elbo");
  INFO(family << " " << objective);
  Objective fit = mixed_fit(family, objective);
  check_gradients(fit);
}

TEST_CASE("holding the parameters of log q fixed changes the gradient's noise, not its value or mean") {
  const std::string family =
      GENERATE("structured", "full_rank", "low_rank", "iaf, hidden = 5", "coupling, flows = 2, hidden = 5");
  INFO(family);
  Objective sampled = mixed_fit(family, "sampled_elbo");
  Objective held = mixed_fit(family, "stl");
  check_difference_is_score(sampled, held);
}

TEST_CASE("the density of a flow is that of its draws") {
  const std::string family =
      GENERATE("iaf, flows = 3, hidden = 6, scale = 0.8", "coupling, hidden = 6, scale = 0.8");
  INFO(family);
  Setting setting;
  setting.options.objective = "sampled_elbo";
  Objective fit("model { z ~ normal(0, 0.5)[3]; s ~ lognormal(0, 0.5); }\nguide auto(" + family + ");\n",
                setting);
  scatter_parameters(fit, 0.15);
  plait::test::check_density_of_draws(fit, 0.02);
}

TEST_CASE("the log determinant of a flow is that of its Jacobian by differences") {
  struct Row {
    std::vector<std::vector<int>> degrees;
  };
  const Row row = GENERATE(Row{{{0, 1, 2, 3}, {3, 2, 1, 0}}}, Row{{{0, 0, 1, 1}, {1, 1, 0, 0}, {0, 1, 0, 1}}},
                           Row{{{2, 0, 1, 1}}});
  constexpr std::size_t n = 4;
  ir::Graph graph;
  ir::Builder builder(graph);
  guide::Parameters parameters(builder);
  guide::FamilyContext context;
  context.builder = &builder;
  context.parameters = &parameters;
  context.options["radius"] = 1;
  guide::LatentSite site;
  site.name = "z";
  site.shape = site.unconstrained = {ir::Extent::known(n)};
  const std::vector<guide::LatentSite> sites{site};
  guide::FlowStack stack(context, guide::JointLayout(sites, graph), row.degrees, 5, 0.7);
  const ir::Value noise = parameters.declare("noise", {ir::Extent::known(n)}, {}, "guide", {});
  const auto image = stack.forward(noise);
  const std::vector<ir::NodeId> nodes{image.vector.id(), image.log_det.id(), stack.log_prob().id()};

  ir::Inputs inputs;
  std::mt19937 random(3);
  std::normal_distribution<double> normal(0, 0.6);
  for (const ir::Parameter& parameter : graph.parameters) {
    std::vector<double> values(stored_size(graph, parameter, {}));
    std::generate(values.begin(), values.end(), [&] { return normal(random); });
    inputs.parameters.push_back(std::move(values));
  }
  auto& e = inputs.parameters.at(static_cast<std::size_t>(parameters.find("noise")));
  Matrix jacobian(n, std::vector<double>(n));
  for (std::size_t k = 0; k < n; ++k) {
    const double h = 1e-5;
    e[k] += h;
    const auto high = ir::interpret(graph, inputs, nodes);
    e[k] -= 2 * h;
    const auto low = ir::interpret(graph, inputs, nodes);
    e[k] += h;
    for (std::size_t i = 0; i < n; ++i)
      jacobian[i][k] = (high[0].numbers[i] - low[0].numbers[i]) / (2 * h);
  }
  // log |det J| = log det(J J') / 2.
  Matrix product(n, std::vector<double>(n));
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < n; ++k)
      for (std::size_t l = 0; l < n; ++l)
        product[i][k] += jacobian[i][l] * jacobian[k][l];
  const Matrix lower = cholesky(product);
  double log_det = 0;
  double log_noise = 0;
  for (std::size_t i = 0; i < n; ++i) {
    log_det += std::log(lower[i][i]);
    log_noise += -0.5 * e[i] * e[i] - 0.91893853320467274178;
  }
  const auto here = ir::interpret(graph, inputs, nodes);
  CHECK(here[1].numbers[0] == Approx(log_det).margin(1e-7));
  CHECK(here[2].numbers[0] == Approx(log_noise - log_det).margin(1e-7));
  CHECK(std::abs(log_det) > 0.1);
}

TEST_CASE("a flow starts at a normal of its scale") {
  const std::string family = GENERATE("iaf, scale = 0.5", "coupling, scale = 0.5");
  Setting setting;
  setting.options.objective = "sampled_elbo";
  Objective fit("model { z ~ normal(0, 0.5)[3]; }\nguide auto(" + family + ");\n", setting);
  // The starts of the weights that are not drawn, and a location of 0: then q is the prior itself.
  for (std::size_t k = 0; k < fit.graph().parameters.size(); ++k) {
    const auto& start = fit.elbo().parameters->all()[k].start.initializer;
    const bool drawn = start.kind != plait::catalog::Initializer::Kind::constant;
    const bool loc = fit.graph().parameters[k].name == "auto.loc";
    fit.inputs.parameters[k].assign(stored_size(fit.graph(), fit.graph().parameters[k], {}),
                                    loc     ? 0.0
                                    : drawn ? 0.4
                                            : start.scale);
  }
  for (std::uint32_t step = 0; step < 5; ++step) {
    fit.inputs.step = step;
    CHECK(fit.evaluate().elbo == Approx(0).margin(1e-10));
  }
}

TEST_CASE("every family starts its locations within the option radius") {
  Setting setting;
  setting.sizes = {{"N", 2}};
  setting.data["x"] = {0.7, 0.9};
  for (const guide::FamilyRow* row : guide::families()) {
    const auto starts = [&](const std::string& options) {
      const Objective fit(
          "data x : real[N];\n"
          "model { m ~ normal(0, 1); iarange i in N { z ~ normal(m, 1); x[i] ~ normal(z, 1); } }\n"
          "guide auto(" +
              std::string(row->name) + options + ");\n",
          setting);
      std::vector<plait::catalog::Initializer> found;
      for (std::size_t k = 0; k < fit.graph().parameters.size(); ++k) {
        const std::string& name = fit.graph().parameters[k].name;
        if (name.ends_with(".loc") || name.ends_with(".point"))
          found.push_back(fit.elbo().parameters->all()[k].start.initializer);
      }
      return found;
    };
    INFO(row->name);
    using Kind = plait::catalog::Initializer::Kind;
    REQUIRE(!starts("").empty());
    for (const auto& start : starts("")) {
      CHECK(start.kind == Kind::uniform);
      CHECK(start.scale == 1);
    }
    for (const auto& start : starts(", radius = 0.25")) {
      CHECK(start.kind == Kind::uniform);
      CHECK(start.scale == 0.25);
    }
    for (const auto& start : starts(", radius = 0")) {
      CHECK(start.kind == Kind::constant);
      CHECK(start.scale == 0);
    }
  }
}

TEST_CASE("auto(laplace) climbs the density in unconstrained space") {
  Setting setting;
  setting.sizes = {{"N", 1}};
  setting.data["x"] = {0.7};
  const std::string text =
      "data x : real[N];\nmodel { s ~ gamma(3, 2); iarange i in N { x[i] ~ normal(0, s); } }\n";
  Objective laplace(text + "guide auto(laplace);\n", setting);
  Objective delta(text + "guide auto(delta);\n", setting);
  const double u = 0.3;
  laplace.set_parameter("s.point", {u});
  delta.set_parameter("s.point", {u});
  const double s = std::exp(u);
  const double joint = 3 * std::log(2.0) - std::lgamma(3.0) + 2 * std::log(s) - 2 * s -
                       0.91893853320467274178 - std::log(s) - 0.5 * 0.7 * 0.7 / (s * s);
  CHECK(delta.evaluate().elbo == Approx(joint).margin(1e-10));
  CHECK(laplace.evaluate().elbo == Approx(joint + u).margin(1e-10));
  CHECK(laplace.evaluate().gradient.at("s.point")[0] ==
        Approx(delta.evaluate().gradient.at("s.point")[0] + 1).margin(1e-10));
}
