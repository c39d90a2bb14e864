// Latents in the branches of an `if` on data: beside programs that say the same with `? :`, over all subsets
// of a subsampled plate, against finite differences; what is drawn; and what an `if` in a predict block
// makes.
#include "tests/unit/elbo/branches.hpp"
#include "tests/unit/elbo/gradients.hpp"
#include "tests/unit/elbo/interpreted_draws.hpp"
#include "tests/unit/elbo/outcomes.hpp"

#include <bit>

using namespace plait;
using namespace plait::test;
using namespace plait::test::branches;

namespace {

void check_same(const Objective::Value& found, const Objective::Value& expected, bool gradients = true) {
  CHECK(found.elbo == Approx(expected.elbo).epsilon(1e-12));
  if (!gradients)
    return;
  double largest = 0;
  for (const auto& [name, numbers] : expected.gradient) {
    if (name.find(".average") != std::string::npos)
      continue; // state of baselines, one for each branch
    REQUIRE(found.gradient.contains(name));
    for (std::size_t k = 0; k < numbers.size(); ++k) {
      INFO(name << " " << k);
      CHECK(found.gradient.at(name).at(k) == Approx(numbers[k]).epsilon(1e-10).margin(1e-11));
      largest = std::max(largest, std::abs(numbers[k]));
    }
  }
  CHECK(largest > 0.01); // there is something to compare
}

bool by_score(const Program& program) {
  return program.text.find("score") != std::string::npos ||
         (program.text.find("bernoulli_logit") != std::string::npos &&
          program.text.find("enumerate") == std::string::npos);
}

/** Numbers of draws: latents, or results of the predict walk, and where latents exist. */
std::map<std::string, std::vector<double>> drawn(const std::string& text, bool predict) {
  const Setting setting = setting_of({}, "elbo", false);
  elbo::PosteriorDraws built = draws_of(text, setting.sizes, predict);
  for (const auto& [name, value] : predict ? built.results : built.latents) {
    built.builder->output({ir::OutputKind::value, name, value.value.id(), -1, -1});
    if (value.exists)
      built.builder->output({ir::OutputKind::value, name + " exists", value.exists->id(), -1, -1});
  }
  ir::Inputs inputs;
  inputs.extents = setting.sizes;
  for (const ir::DataArray& array : built.graph->data)
    inputs.data.push_back({setting.data.at(array.name), {}, {}});
  inputs.seed = 3;
  return numbers_of(*built.graph, inputs);
}

using Numbers = std::map<std::string, std::vector<double>>;

} // namespace

TEST_CASE("branches that sample a latent are a choice of its distribution", "[branches]") {
  for (const Program& program : programs())
    for (const std::string objective : {"elbo", "sampled_elbo", "stl"}) {
      INFO(program.name << ", " << objective);
      check_same(make(program, program.text, objective, false).evaluate(),
                 make(program, program.same, objective, false).evaluate(), program.same_gradient);
    }
}

TEST_CASE("branches under objectives that weigh draws", "[branches]") {
  for (Program program : programs()) {
    if (program.particles > 1 || program.text.find("enumerate;") != std::string::npos)
      continue;
    program.particles = 3;
    const bool discrete = by_score(program);
    std::vector<std::string> objectives{discrete ? "vimco" : "renyi"};
    if (program.text.find("auto(") == std::string::npos && program.text.find("exp(") == std::string::npos)
      objectives.push_back("rws");
    if (!discrete && program.text.find("param") != std::string::npos)
      objectives.push_back("iwae");
    for (const std::string& objective : objectives) {
      INFO(program.name << ", " << objective);
      check_same(make(program, program.text, objective, false).evaluate(),
                 make(program, program.same, objective, false).evaluate());
    }
  }
}

TEST_CASE("branches in subsampled plates: the mean over all subsets is the full step", "[branches]") {
  for (const Program& program : programs()) {
    if (program.text.find("subsample") == std::string::npos)
      continue;
    INFO(program.name);
    const auto whole = make(program, program.text, "elbo", false).evaluate();
    Objective part = make(program, program.text, "elbo", true);
    Objective::Value mean;
    int subsets = 0;
    for (std::uint32_t mask = 0; mask < 16; ++mask) {
      if (std::popcount(mask) != 2)
        continue;
      ++subsets;
      std::vector<std::uint32_t> rows;
      for (std::uint32_t row = 0; row < 4; ++row)
        if (mask >> row & 1)
          rows.push_back(row);
      part.set_rows(0, rows);
      const auto value = part.evaluate();
      mean.elbo += value.elbo / 6;
      for (const auto& [name, numbers] : value.gradient) {
        const auto index = static_cast<std::size_t>(part.elbo().parameters->find(name));
        const bool local = !part.graph().parameters[index].axes.empty();
        mean.gradient[name].resize(local ? 4 : numbers.size());
        for (std::size_t k = 0; k < numbers.size(); ++k)
          mean.gradient[name][local ? rows[k] : k] += numbers[k] / 6;
      }
    }
    REQUIRE(subsets == 6);
    check_same(mean, whole);
  }
}

TEST_CASE("gradients of pathwise draws in branches are those of finite differences", "[branches]") {
  for (const Program& program : programs()) {
    if (by_score(program))
      continue;
    INFO(program.name);
    Objective fit = make(program, program.text, "sampled_elbo", false);
    check_gradients(fit);
  }
}

TEST_CASE("draws by score function in branches have the exact mean, with baselines of their own",
          "[branches]") {
  const auto text = [](const std::string& first, const std::string& second) {
    return data + R"(
model { iarange i in N {
  if (c[i] == 1) { h ~ bernoulli(0.3); } else { h ~ bernoulli(0.8); } x[i] ~ normal(2 * h, 1); } }
guide { param l : real; param b : real; iarange i in N {
  if (c[i] == 1) { h ~ bernoulli_logit(l) using )" +
           first + "; } else { h ~ bernoulli_logit(l - 1) using " + second + "; } } }\n";
  };
  Program program;
  program.parameters = {{"l", {0.7}}, {"b", {-0.5}}};
  const std::vector<double> labels{1, 0, 0, 1};
  const auto exact = make(program, text("enumerate", "enumerate"), "sampled_elbo", false).evaluate();
  for (const auto& [first, second] : std::vector<std::pair<std::string, std::string>>{
           {"score(baseline = none)", "score(baseline = none)"},
           {"score", "score"},
           {"score(baseline = b + c[i], decay = 0.5)", "score(baseline = average)"}}) {
    INFO(first << ", " << second);
    Objective fit = make(program, text(first, second), "sampled_elbo", false);
    const bool averages = first != "score(baseline = none)";
    CHECK((fit.elbo().parameters->find("h.average") >= 0) == averages);
    CHECK((fit.elbo().parameters->find("h.2.average") >= 0) == averages);
    if (averages) {
      fit.set_parameter("h.average", {-2.0, 0.5});
      fit.set_parameter("h.2.average", {-7.0, 1});
    }
    const auto mean = exact_mean(fit, 16, [&](const Draws& draws) {
      double probability = 1;
      for (std::size_t k = 0; k < 4; ++k)
        probability *= bit(draws.at("h")[k], labels[k] == 1 ? 0.7 : -0.3);
      return probability;
    });
    CHECK(mean.elbo == Approx(exact.elbo).epsilon(1e-11));
    CHECK(mean.gradient.at("l")[0] == Approx(exact.gradient.at("l")[0]).epsilon(1e-9));
  }
}

TEST_CASE("draws by score function in branches along a `for` have the exact mean", "[branches]") {
  for (const Program& program : programs()) {
    if (program.same_gradient)
      continue;
    const double l = program.parameters.at("l")[0];
    const std::vector<double> logits{l * 0.3, l, l * 1.4, l};
    const auto mean_of = [&](const std::string& text) {
      Objective fit = make(program, text, "sampled_elbo", false);
      return exact_mean(fit, 16, [&](const Draws& draws) {
        double probability = 1;
        for (std::size_t t = 0; t < 4; ++t)
          probability *= bit(draws.at("h")[t], logits[t]);
        return probability;
      });
    };
    const auto found = mean_of(program.text), expected = mean_of(program.same);
    CHECK(found.elbo == Approx(expected.elbo).epsilon(1e-12));
    CHECK(found.gradient.at("l")[0] == Approx(expected.gradient.at("l")[0]).epsilon(1e-10));
    CHECK(std::abs(expected.gradient.at("l")[0]) > 0.01);
  }
}

TEST_CASE("branches with other distributions of the same support", "[branches]") {
  // A guide of points: every density is taken at a known value.
  Program program;
  program.parameters = {{"m", {0.4}}};
  const auto found = make(program, data + R"(
model { iarange i in N {
  if (c[i] == 1) { z ~ gamma(2, 3); } else { z ~ lognormal(0.3, 0.6); } x[i] ~ normal(z, 1); } }
guide { param m : real; iarange i in N { if (c[i] == 1) { z ~ delta(exp(m)); } else { z ~ delta(2 * exp(m)); } } }
)",
                          "elbo", false)
                         .evaluate();
  const std::vector<double> labels{1, 0, 0, 1}, x{0.4, 1.2, 2.0, 0.3};
  double expected = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const double z = (labels[i] == 1 ? 1 : 2) * std::exp(0.4);
    expected += labels[i] == 1 ? 2 * std::log(3.0) + std::log(z) - 3 * z
                               : log_normal(std::log(z), 0.3, 0.6) - std::log(z);
    expected += log_normal(x[i], z, 1);
  }
  CHECK(found.elbo == Approx(expected).epsilon(1e-12));
}

TEST_CASE("a latent that the guide sums out counts once where it does not exist", "[branches]") {
  Program program;
  program.parameters = {{"l", {0.7}}};
  const auto found = make(program, data + R"(
model { iarange i in N { mean = 0.5;
  if (c[i] == 1) { h ~ bernoulli(0.3); mean = 2 * h; } x[i] ~ normal(mean, 1); } }
guide { param l : real; iarange i in N { if (c[i] == 1) { h ~ bernoulli_logit(l) using enumerate; } } }
)",
                          "elbo", false)
                         .evaluate();
  const std::vector<double> labels{1, 0, 0, 1}, x{0.4, 1.2, 2.0, 0.3};
  double expected = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    if (labels[i] == 0) {
      expected += log_normal(x[i], 0.5, 1);
      continue;
    }
    for (const double h : {0.0, 1.0})
      expected += bit(h, 0.7) * (log_normal(x[i], 2 * h, 1) + std::log(h == 1 ? 0.3 : 0.7) - log_bit(h, 0.7));
  }
  CHECK(found.elbo == Approx(expected).epsilon(1e-12));
}

TEST_CASE("constant conditions leave out what they do not take", "[branches]") {
  Program program;
  const std::string rest = "iarange i in N { x[i] ~ normal(mu, 1); } }\nguide auto(full_rank);\n";
  check_same(make(program,
                  data +
                      "model { if (K > 2) { mu ~ normal(1, 2); } else { mu ~ normal(0, 1); u ~ "
                      "normal(0, 1)[7]; } " +
                      rest,
                  "elbo", false)
                 .evaluate(),
             make(program, data + "model { mu ~ normal(1, 2); " + rest, "elbo", false).evaluate());
}

TEST_CASE("a drawn latent has the value of the branch that is taken, and exists where one is", "[branches]") {
  const Numbers both = drawn(data + R"(
model { iarange i in N { if (c[i] == 1) { z ~ normal(0, 1); } else { z ~ normal(1, 1); } x[i] ~ normal(z, 1); } }
guide { iarange i in N { if (c[i] == 1) { z ~ delta(x[i]); } else { z ~ delta(-x[i]); } } }
)",
                             false);
  CHECK(both == Numbers{{"z", {0.4, -1.2, -2.0, 0.3}}});
  const Numbers given = drawn(data + R"(
model { iarange i in N { if (c[i] == 1) { h = 5 * x[i]; } else { h ~ normal(1, 1); } x[i] ~ normal(h, 1); } }
guide { iarange i in N { if (c[i] == 0) { h ~ delta(-x[i]); } } }
)",
                              false);
  CHECK(given == Numbers{{"h", {2.0, -1.2, -2.0, 1.5}}});
  const Numbers partial = drawn(data + R"(
model { iarange i in N { mean = 0; if (c[i] == 0) { z ~ normal(1, 1); mean = z; } x[i] ~ normal(mean, 1);
  for t in 0..T { if (seen[t] == 1 && c[i] == 1) { u[t] ~ normal(0, 1); } else if (t == 0) { u[t] = 7; } } } }
guide { iarange i in N { if (c[i] == 0) { z ~ delta(x[i]); }
  for t in 0..T { if (c[i] == 1 && seen[t] == 1) { u[t] ~ delta(t); } } } }
)",
                                false);
  CHECK(partial.at("z exists") == std::vector<double>{0, 1, 1, 0});
  CHECK(partial.at("z")[1] == 1.2);
  CHECK(partial.at("u exists") == std::vector<double>{1, 1, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 1});
}

TEST_CASE("states that are summed out are drawn as they are known", "[branches]") {
  const Numbers found = drawn(data + R"(
model { iarange i in N { for t in 0..T {
  past = t == 0 ? 0 : h[t - 1];
  if (seen[t] == 0) { h[t] ~ categorical(past == 1 ? [0, 0, 1] : [0, 1, 0]) using enumerate; } else { h[t] = s[t]; }
  y[i, t] ~ normal(h[t], 1); } } }
)",
                              false);
  CHECK(found == Numbers{{"h", {1, 1, 2, 0, 1, 1, 2, 0, 1, 1, 2, 0, 1, 1, 2, 0}}});
}

TEST_CASE("an `if` of a predict block makes the values of the branch that is taken", "[branches]") {
  const Numbers found = drawn(data + R"(
model { iarange i in N { if (c[i] == 1) { z ~ normal(0, 1); } else { z = 9; } x[i] ~ normal(z, 1); } }
guide { iarange i in N { if (c[i] == 1) { z ~ delta(x[i]); } } }
predict { iarange i in N {
  if (c[i] == 1) { w = 1; } else { w = 2; }
  first = 5;
  if (k[i] == 2) { first = 6; only = 3; }
  if (k[i] == 0) { d ~ delta(x[i]); } else if (v[i] == 1) { d ~ delta(-x[i]); } else { d = 8; }
  read = z; } }
)",
                              true);
  CHECK(found == Numbers{{"w", {1, 2, 2, 1}},
                         {"first", {5, 6, 5, 6}},
                         {"only", {0, 3, 0, 3}},
                         {"d", {0.4, -1.2, 8, -0.3}},
                         {"read", {0.4, 9, 9, 0.3}}});
}
