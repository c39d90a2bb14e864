// The sleep phase of rws: the guide learns from latents and data that the model draws. Means of the gradient
// beside a sum over everything that the model can draw.
#include "tests/unit/elbo/outcomes.hpp"

#include "grammar/diagnostic.hpp"

using namespace plait;
using namespace plait::test;

namespace {

Setting setting_of(double insomnia, int particles) {
  Setting setting;
  setting.options.objective = "rws";
  setting.options.objective_options = {{"insomnia", insomnia}};
  setting.options.particles = particles;
  return setting;
}

/** Every way to give `count` bits their values. */
std::vector<std::vector<double>> all_bits(unsigned count) {
  std::vector<std::vector<double>> result;
  for (unsigned code = 0; code < 1u << count; ++code) {
    result.emplace_back();
    for (unsigned k = 0; k < count; ++k)
      result.back().push_back(code >> k & 1);
  }
  return result;
}

/** Compares gradients of the guide with those expected: five standard errors. */
void check_gradients(Objective& fit, const std::map<std::string, double>& expected, int steps) {
  const Objective::Mean mean = fit.average(steps);
  for (const auto& [name, gradient] : expected) {
    CAPTURE(name, mean.gradient.at(name)[0], mean.error.at(name)[0], gradient);
    CHECK(mean.error.at(name)[0] < 0.05 * std::abs(gradient)); // so that the data given would be told apart
    CHECK(std::abs(mean.gradient.at(name)[0] - gradient) < 5 * mean.error.at(name)[0]);
  }
}

// A global bit, whose guide reads all data, and one for each row.
const std::string rows = R"(
data x : bit[N];
model {
  param t : real = 0;
  g ~ bernoulli_logit(t);
  iarange i in N SUBSAMPLE { z ~ bernoulli(0.3 + 0.4 * g); x[i] ~ bernoulli(z == 1 ? 0.9 : 0.2); }
}
guide {
  param a : real; param b : real; param c : real; param d : real; param e : real;
  g ~ bernoulli_logit(READS);
  iarange i in N SUBSAMPLE { z ~ bernoulli_logit(c + d * x[i] + e * g); }
}
)";

std::string rows_program(const std::string& subsample, const std::string& reads) {
  std::string text = rows;
  for (const auto& [mark, by] : {std::pair<std::string, std::string>("SUBSAMPLE", subsample),
                                 std::pair<std::string, std::string>("READS", reads)})
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark))
      text.replace(at, mark.size(), by);
  return text;
}

// Far from where the gradient is 0.
const std::map<std::string, double> point{{"t", -0.6}, {"a", -0.5}, {"b", 0.8},
                                          {"c", -1.4}, {"d", 0.3},  {"e", -1.1}};

void set_point(Objective& fit) {
  for (const auto& [name, value] : point)
    if (fit.elbo().parameters->find(name) >= 0)
      fit.set_parameter(name, {value});
}

/** Sum over g, z and x of three rows of p(g, z, x) d log q(g, z | x). */
std::map<std::string, double> expected_of_rows(bool reads_data) {
  std::map<std::string, double> expected;
  for (const std::vector<double>& bits : all_bits(7)) {
    const double g = bits[0];
    const double *z = &bits[1], *x = &bits[4];
    double probability = bit(g, point.at("t"));
    for (int i = 0; i < 3; ++i) {
      const double pz = 0.3 + 0.4 * g, px = z[i] == 1 ? 0.9 : 0.2;
      probability *= (z[i] == 1 ? pz : 1 - pz) * (x[i] == 1 ? px : 1 - px);
    }
    const double sum = x[0] + 2 * x[1] + x[2];
    const double of_g = g - sigmoid(point.at("a") + (reads_data ? point.at("b") * sum : 0));
    expected["a"] += probability * of_g;
    if (reads_data)
      expected["b"] += probability * of_g * sum;
    for (int i = 0; i < 3; ++i) {
      const double of_z = z[i] - sigmoid(point.at("c") + point.at("d") * x[i] + point.at("e") * g);
      expected["c"] += probability * of_z;
      expected["d"] += probability * of_z * x[i];
      expected["e"] += probability * of_z * g;
    }
  }
  return expected;
}

} // namespace

TEST_CASE("asleep the guide learns from what the model draws", "[sleep]") {
  Setting setting = setting_of(0, 40);
  setting.sizes = {{"N", 3}};
  setting.data["x"] = {1, 1, 1};
  Objective fit(rows_program("", "a + b * (sum(x) + x[1])"), setting);
  set_point(fit);
  check_gradients(fit, expected_of_rows(true), 600);
}

TEST_CASE("a subsample is simulated at its scale", "[sleep]") {
  Setting setting = setting_of(0, 40);
  setting.sizes = {{"N", 3}};
  setting.data["x"] = {1, 1, 1};
  // Weights of a subsampled plate have to lie in it, so that the guide of g stands alone.
  Objective fit("data x : bit[N];\n"
                "model { iarange i in N subsample 2 {\n"
                "  z ~ bernoulli(0.35); x[i] ~ bernoulli(z == 1 ? 0.9 : 0.2); } }\n"
                "guide { param c : real; param d : real;\n"
                "  iarange i in N subsample 2 { z ~ bernoulli_logit(c + d * x[i]); } }\n",
                setting);
  fit.set_rows(0, {2, 0});
  set_point(fit);
  std::map<std::string, double> expected;
  for (const std::vector<double>& bits : all_bits(2)) {
    const double z = bits[0], x = bits[1], px = z == 1 ? 0.9 : 0.2;
    const double probability = (z == 1 ? 0.35 : 0.65) * (x == 1 ? px : 1 - px);
    const double of_z = z - sigmoid(point.at("c") + point.at("d") * x);
    expected["c"] += 3 * probability * of_z;
    expected["d"] += 3 * probability * of_z * x;
  }
  check_gradients(fit, expected, 600);
}

TEST_CASE("a chain is simulated, and its guide reads what is simulated through a carried value", "[sleep]") {
  // Time is the second dimension of x and the outer loop; w is a data item that the model only reads.
  Setting setting = setting_of(0, 40);
  setting.sizes = {{"N", 2}, {"T", 2}};
  setting.data["x"] = {1, 1, 1, 1};
  setting.data["w"] = {0.2, -0.3};
  Objective fit(R"(
data x : bit[N, T];
data w : real[T];
model {
  iarange i in N { for t in 0..T {
    z[t] ~ bernoulli(t == 0 ? 0.3 : (z[t - 1] == 1 ? 0.8 : 0.25));
    x[i, t] ~ bernoulli(z[t] == 1 ? 0.9 : 0.2);
  } }
}
guide {
  param a : real; param b : real; param c : real;
  iarange i in N {
    h = 0.0;
    for t in 0..T {
      h = 0.5 * h + x[i, t] + w[t];
      z[t] ~ bernoulli_logit(a + b * h + c * (t == 0 ? 0 : z[t - 1]) + 0 * sum(x[i]));
    }
  }
}
)",
                setting);
  set_point(fit);
  std::map<std::string, double> expected;
  for (const std::vector<double>& bits : all_bits(4)) {
    double probability = 1, h = 0, before = 0;
    std::map<std::string, double> gradient;
    for (int t = 0; t < 2; ++t) {
      const double z = bits[static_cast<std::size_t>(t)], x = bits[static_cast<std::size_t>(2 + t)];
      const double pz = t == 0 ? 0.3 : before == 1 ? 0.8 : 0.25, px = z == 1 ? 0.9 : 0.2;
      probability *= (z == 1 ? pz : 1 - pz) * (x == 1 ? px : 1 - px);
      h = 0.5 * h + x + (t == 0 ? 0.2 : -0.3);
      const double of_z = z - sigmoid(point.at("a") + point.at("b") * h + point.at("c") * before);
      gradient["a"] += of_z;
      gradient["b"] += of_z * h;
      gradient["c"] += of_z * before;
      before = z;
    }
    for (const auto& [name, value] : gradient)
      expected[name] += 2 * probability * value;
  }
  check_gradients(fit, expected, 800);
}

TEST_CASE("insomnia mixes the phases, and the model learns awake", "[sleep]") {
  const auto at = [](double insomnia) {
    Setting setting = setting_of(insomnia, 3);
    setting.sizes = {{"N", 3}};
    setting.data["x"] = {1, 0, 1};
    Objective fit(rows_program("", "a + b * (sum(x) + x[1])"), setting);
    set_point(fit);
    fit.inputs.step = 4;
    return fit.evaluate();
  };
  const auto awake = at(1), asleep = at(0), mixed = at(0.3);
  CHECK(awake.elbo == asleep.elbo);
  CHECK(awake.gradient.at("t") == asleep.gradient.at("t"));
  CHECK(awake.gradient.at("t")[0] != 0);
  for (const std::string name : {"a", "b", "c", "d", "e"}) {
    INFO(name);
    CHECK(awake.gradient.at(name)[0] != Approx(asleep.gradient.at(name)[0]));
    CHECK(mixed.gradient.at(name)[0] ==
          Approx(0.3 * awake.gradient.at(name)[0] + 0.7 * asleep.gradient.at(name)[0]).epsilon(1e-12));
  }
}

TEST_CASE("continuous latents and data are simulated and held", "[sleep]") {
  // z ~ N(0, 1), x | z ~ N(z, 1), q(z | x) = N(m + k x, s): E d/dk log q = E[(z - m - k x) x] / s^2 with
  // E[z x] = 1, E[x^2] = 2, E[x] = 0; and E d/dm log q = -m / s^2.
  Setting setting = setting_of(0, 50);
  setting.sizes = {{"N", 1}};
  setting.data["x"] = {9};
  Objective fit(
      "data x : real[N];\n"
      "model { iarange i in N { z ~ normal(0, 1); x[i] ~ normal(z, 1); } }\n"
      "guide { param m : real; param k : real; iarange i in N { z ~ normal(m + k * x[i], 0.7); } }\n",
      setting);
  fit.set_parameter("m", {0.8});
  fit.set_parameter("k", {-0.3});
  check_gradients(fit, {{"m", -0.8 / 0.49}, {"k", (1 + 0.6) / 0.49}}, 800);
}

TEST_CASE("what cannot be simulated is told with its place", "[sleep]") {
  const auto message_of = [](const std::string& text) {
    return plait::test::refusal(text, {{"N", 4}, {"B", 2}}, setting_of(0.5, 2).options);
  };
  const auto contains = [](const std::string& text, const std::string& part) {
    INFO(text);
    CHECK(text.find(part) != std::string::npos);
  };
  const std::string guide = "guide { param m : real; z ~ normal(m, 1); }\n";
  contains(message_of("data x : real[N];\nmodel { z ~ normal(0, 1);\n"
                      "  x[0] ~ normal(z, 1); for t in 1..N { x[t] ~ normal(x[t - 1], 1); } }\n" +
                      guide),
           "test.ppl:3:3: error: simulating x, whose subscripts are not the indices of plates and loops");
  contains(message_of("data x : real[N];\nmodel { z ~ normal(0, 1);\n"
                      "  iarange i in N { if (i > 1) { x[i] ~ normal(z, 1); } } }\n" +
                      guide),
           "simulating x, which is observed under a condition");
  contains(
      message_of("data x : real[N];\ndata y : real[N];\nmodel { z ~ normal(0, 1);\n"
                 "  iarange i in N { x[i] ~ normal(z, 1); } iarange i in N { y[i] ~ normal(sum(x), 1); } "
                 "}\n" +
                 guide),
      "simulating x, which the model reads elsewhere than where it is drawn");
  contains(message_of("data x : real[N];\nmodel { z ~ normal(0, 1); factor(-z);\n"
                      "  iarange i in N { x[i] ~ normal(z, 1); } }\n" +
                      guide),
           "simulating the model: a `factor` is a density from which nothing is drawn");
  contains(
      message_of("data x : real[N];\nmodel { iarange i in N subsample 2 { z ~ normal(0, 1);\n"
                 "  x[i] ~ normal(z, 1); } }\n"
                 "guide { param m : real; iarange i in N subsample 2 { z ~ normal(m + sum(x), 1); } }\n"),
      "simulating x, which the guide reads for other elements of the subsampled plate");
}
