// A subsample of a plate whose rows have different lengths. Every row draws its own elements with one uniform
// number u; for a row of T elements of which m are drawn there are T subsets, each with probability 1/T. A
// program without other noise takes finitely many values, all equally likely, and their mean is the value on
// all elements.
#include "build.hpp"

#include <map>

using plait::test::Objective;
using plait::test::Setting;
namespace ir = plait::ir;

namespace {

const std::vector<std::vector<double>> rows{{0.4, -1.2, 2.0, 0.3, -0.6}, {1.1, 0.7}, {-0.9, 0.2, 1.7}, {}};

Setting setting(bool subsample, std::int64_t most = 2) {
  Setting result;
  result.sizes = {{"N", 4}, {"max(T)", 5}, {"T[n].rows", most}, {"B", most}};
  result.ragged["y"] = plait::test::ragged_input(rows);
  result.options.subsample = subsample;
  return result;
}

struct Program {
  std::string name, text;
  std::map<std::string, std::vector<double>> parameters;
};

// No noise but the subset's: points and closed forms.
const std::vector<Program> programs{
    {"observed",
     R"(
data y : ragged real[N, T];
model { mu ~ normal(0, 2); iarange n in N { iarange t in T[n] subsample 2 { y[n, t] ~ normal(mu, 0.5 + 0.1 * t); } } }
guide { param m : real = 0; mu ~ delta(m); }
)",
     {{"m", {0.3}}}},
    {"a latent for each element, amortized",
     R"(
data y : ragged real[N, T];
model {
  iarange n in N { iarange t in T[n] subsample 2 { z ~ normal(0, 1); y[n, t] ~ normal(z, 1); } }
}
guide {
  param a : real = 0; param b : real = 0;
  iarange n in N { iarange t in T[n] { z ~ delta(a + b * y[n, t]); } }
}
)",
     {{"a", {0.1}}, {"b", {0.4}}}},
    {"closed-form divergence",
     R"(
data y : ragged real[N, T];
model { iarange n in N { iarange t in T[n] subsample 2 { z ~ normal(t, 1); } } }
guide {
  param a : real = 0; param s : positive = 1;
  iarange n in N { iarange t in T[n] { z ~ normal(a * y[n, t], s); } }
}
)",
     {{"a", {0.4}}, {"s", {-0.3}}}},
    {"summed out inside",
     R"(
data y : ragged real[N, T];
model {
  iarange n in N { iarange t in T[n] subsample 2 { k ~ bernoulli(0.3) using enumerate; y[n, t] ~ normal(m * k, 1); } }
  factor(0);
}
param m : real = 0;
)",
     {{"m", {0.6}}}},
    {"summed out in the guide outside",
     R"(
data y : ragged real[N, T];
model {
  iarange n in N { k ~ bernoulli(0.3); iarange t in T[n] subsample 2 { y[n, t] ~ normal(2 * k, 1); } }
}
guide { param l : real = 0; iarange n in N { k ~ bernoulli_logit(l) using enumerate; } }
)",
     {{"l", {0.4}}}},
};

Objective make(const Program& program, bool subsample) {
  Objective result(program.text, setting(subsample));
  for (const auto& [name, values] : program.parameters)
    result.set_parameter(name, values);
  return result;
}

/// Values of all 5 * 1 * 3 * 1 choices of elements, found by drawing until no new one comes.
std::vector<Objective::Value> all_choices(Objective& objective) {
  std::vector<Objective::Value> found;
  for (std::uint32_t step = 0; step < 600; ++step) {
    objective.inputs.step = step;
    const Objective::Value value = objective.evaluate();
    bool is_new = true;
    for (const Objective::Value& known : found)
      is_new = is_new && std::abs(known.elbo - value.elbo) > 1e-9;
    if (is_new)
      found.push_back(value);
  }
  return found;
}

} // namespace

TEST_CASE("the mean over the choices of elements of ragged rows is the value on all of them",
          "[ragged-subset]") {
  for (const Program& program : programs) {
    INFO(program.name);
    const auto whole = make(program, false).evaluate();
    Objective part = make(program, true);
    const std::vector<Objective::Value> choices = all_choices(part);
    REQUIRE(choices.size() == 15);
    double elbo = 0;
    std::map<std::string, double> gradient;
    for (const Objective::Value& choice : choices) {
      elbo += choice.elbo / 15;
      for (const auto& [name, numbers] : choice.gradient)
        gradient[name] += numbers.at(0) / 15;
    }
    CHECK(elbo == Approx(whole.elbo).epsilon(0).margin(1e-9));
    for (const auto& [name, mean] : gradient) {
      INFO(name);
      CHECK(mean == Approx(whole.gradient.at(name).at(0)).epsilon(0).margin(1e-9));
    }
  }
}

TEST_CASE("rows that are not longer than the subsample are seen whole", "[ragged-subset]") {
  const Program& program = programs.front();
  std::string text = program.text;
  text.replace(text.find("subsample 2"), 11, "subsample 5");
  Objective all(text, setting(true, 5));
  all.set_parameter("m", {0.3});
  const double whole = make(program, false).evaluate().elbo;
  for (std::uint32_t step = 0; step < 20; ++step) {
    all.inputs.step = step;
    CHECK(all.evaluate().elbo == Approx(whole).epsilon(0).margin(1e-12));
  }
}

TEST_CASE("the score function in a ragged subset has no bias, with and without an outer subsample",
          "[ragged-subset]") {
  const std::string outer = GENERATE("", " subsample 2");
  const std::string text = R"(
data y : ragged real[N, T];
model {
  iarange n in N)" + outer +
                           R"( {
    a ~ bernoulli(0.4);
    iarange t in T[n] subsample 2 { h ~ bernoulli(0.3); y[n, t] ~ normal(h + a, 1); }
  }
}
guide {
  param l : real = 0; param c : real = 0;
  iarange n in N {
    a ~ bernoulli_logit(c);
    iarange t in T[n] { h ~ bernoulli_logit(l * y[n, t]); }
  }
}
)";
  // Exactly: all values of the latents summed out in the guide.
  std::string exact = text;
  for (const std::string site : {"bernoulli_logit(c)", "bernoulli_logit(l * y[n, t])"})
    exact.insert(exact.find(site) + site.size(), " using enumerate");
  Objective whole(exact, setting(false));
  Objective part(text, setting(true));
  for (Objective* objective : {&whole, &part}) {
    objective->set_parameter("l", {0.7});
    objective->set_parameter("c", {-0.2});
  }
  const auto expected = whole.evaluate();
  const int draws = 9000;
  double sum = 0, squares = 0;
  std::map<std::string, double> total, total_squares;
  for (int draw = 0; draw < draws; ++draw) {
    part.inputs.step = static_cast<std::uint32_t>(draw);
    if (!outer.empty()) // six pairs in turn: all of them equally often
      part.set_rows(
          0, std::vector<std::vector<std::uint32_t>>{{0, 1}, {0, 2}, {0, 3}, {1, 2}, {1, 3}, {2, 3}}.at(
                 static_cast<std::size_t>(draw % 6)));
    const auto value = part.evaluate();
    sum += value.elbo / draws;
    squares += value.elbo * value.elbo / draws;
    for (const auto& [name, numbers] : value.gradient) {
      if (name != "l" && name != "c")
        continue;
      total[name] += numbers.at(0) / draws;
      total_squares[name] += numbers.at(0) * numbers.at(0) / draws;
    }
  }
  const auto error = [&](double mean, double mean_square) {
    return std::sqrt((mean_square - mean * mean) / draws);
  };
  CHECK(std::abs(sum - expected.elbo) < 4 * error(sum, squares));
  for (const std::string name : {"l", "c"}) {
    INFO(name << " " << total[name] << " exactly " << expected.gradient.at(name).at(0));
    CHECK(std::abs(total[name] - expected.gradient.at(name).at(0)) <
          4 * error(total[name], total_squares[name]));
    CHECK(error(total[name], total_squares[name]) < 0.1);
  }
}
