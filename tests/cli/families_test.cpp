// Automatic guides from the command line: every family on three models, flows on a bent density, and the
// Gaussian of auto(laplace) against closed forms.
#include "tests/support/process.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <random>

using namespace plait::test;
using nlohmann::json;

namespace {

/** A model of examples/ with another guide. */
std::string with_guide(const std::string& example, const std::string& family) {
  std::string text = read_file(source_folder() / "examples" / example / "model.ppl");
  const std::size_t begin = text.find("\nguide ") + 1;
  const std::size_t end =
      text.compare(begin, 11, "guide auto(") == 0 ? text.find(";", begin) + 1 : text.find("\n}", begin) + 2;
  return text.replace(begin, end - begin, "guide auto(" + family + ");");
}

/** Houses in 30 counties, made from the model of examples/radon. */
std::string radon_data() {
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  json data;
  std::vector<double> intercepts(30);
  for (double& intercept : intercepts)
    intercept = 1.3 + 0.4 * normal(random);
  for (int house = 0; house < 700; ++house) {
    const std::size_t county = house < 30 ? static_cast<std::size_t>(house) : random() % intercepts.size();
    const double floor = random() % 3 == 0 ? 1 : 0;
    data["county"].push_back(county + 1);
    data["floor"].push_back(floor);
    data["y"].push_back(intercepts[county] - 0.6 * floor + 0.7 * normal(random));
  }
  return data.dump();
}

std::vector<std::string> fit_command(const std::vector<std::string>& more) {
  std::vector<std::string> arguments{"fit", "model.ppl", "--out", "a.run", "--seed", "3", "--quiet"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

/** Draws of `plait sample`, a column for each number. */
std::vector<std::vector<double>> draws_of(const fs::path& folder, int count) {
  const Outcome sample =
      run_plait({"sample", "a.run", "-n", std::to_string(count), "--out", "draws.csv"}, folder);
  INFO(sample.error);
  REQUIRE(sample.code == 0);
  const std::vector<std::string> lines = split_lines(read_file(folder / "draws.csv"));
  REQUIRE(lines.size() == static_cast<std::size_t>(count) + 1);
  std::vector<std::vector<double>> columns;
  for (std::size_t row = 1; row < lines.size(); ++row) {
    std::istringstream fields(lines[row]);
    std::size_t column = 0;
    for (std::string field; std::getline(fields, field, ','); ++column) {
      columns.resize(std::max(columns.size(), column + 1));
      columns[column].push_back(std::stod(field));
    }
  }
  return columns;
}

double mean_of(const std::vector<double>& a) {
  double sum = 0;
  for (double number : a)
    sum += number / static_cast<double>(a.size());
  return sum;
}

double covariance_of(const std::vector<double>& a, const std::vector<double>& b) {
  const double center_a = mean_of(a);
  const double center_b = mean_of(b);
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k)
    sum += (a[k] - center_a) * (b[k] - center_b) / static_cast<double>(a.size());
  return sum;
}

/** The bound of a fit of a model without data, from 40000 estimates, with its standard error. */
std::pair<double, double> fitted_bound(const std::string& model) {
  const TemporaryFolder work;
  write_file(work.path() / "model.ppl", model);
  const Outcome fit = run_plait(fit_command({"--steps", "10000", "--decay", "0.1"}), work.path());
  INFO(fit.error);
  REQUIRE(fit.code == 0);
  const Outcome evaluate = run_plait({"evaluate", "a.run", "-n", "40000"}, work.path());
  INFO(evaluate.error);
  REQUIRE(evaluate.code == 0);
  return {std::stod(evaluate.out.substr(5)), std::stod(evaluate.out.substr(evaluate.out.find("+-") + 2))};
}

} // namespace

TEST_CASE("every automatic guide fits coin, eight schools and radon") {
  const std::string example = GENERATE("coin", "eight_schools", "radon");
  const std::string family =
      GENERATE("normal", "structured", "iaf", "coupling", "full_rank", "low_rank", "delta", "laplace");
  INFO(example << " " << family);
  const TemporaryFolder work;
  std::string text = with_guide(example, family);
  std::string data = "data.json";
  if (example == "radon")
    write_file(work.path() / data, radon_data());
  else
    data = (source_folder() / "examples" / example / data).string();
  // The density of the centered model has no bound at tau = 0: no mode for a point to find.
  const std::string centered = "a ~ normal(mu, tau)";
  if (const std::size_t place = text.find(centered); place != std::string::npos && family == "laplace")
    text.replace(place, centered.size(), "e ~ normal(0, 1); a = mu + tau * e");
  write_file(work.path() / "model.ppl", text);
  const Outcome fit =
      run_plait(fit_command({"--data", data, "--steps", "3000", "--decay", "0.1"}), work.path());
  INFO(fit.error);
  REQUIRE(fit.code == 0);
  const json summary = json::parse(read_file(work.path() / "a.run/summary.json"));
  CHECK(summary.at("status") == "finished");
  REQUIRE(summary.at("elbo").is_number());
  for (const std::vector<double>& column : draws_of(work.path(), 400)) {
    CHECK(std::isfinite(mean_of(column)));
    CHECK((covariance_of(column, column) > 1e-12) == (family != "delta"));
  }
  // The coin's posterior is beta(16, 14): mean 0.533, standard deviation 0.0896.
  if (example == "coin") {
    const auto draws = draws_of(work.path(), 4000);
    CHECK(mean_of(draws[0]) == Approx(16.0 / 30).margin(0.02));
    if (family != "delta")
      CHECK(std::sqrt(covariance_of(draws[0], draws[0])) == Approx(0.0896).margin(0.015));
  }
}

TEST_CASE("a model without latents takes every automatic guide") {
  const std::string family =
      GENERATE("normal", "structured", "iaf", "coupling", "full_rank", "low_rank", "delta", "laplace");
  INFO(family);
  const TemporaryFolder work;
  write_file(work.path() / "model.ppl",
             "data y : real[N];\n"
             "model { param m : real = 0; iarange i in N { y[i] ~ normal(m, 1); } }\n"
             "guide auto(" +
                 family + ");\n");
  write_file(work.path() / "data.json", R"({"y": [1, 2]})");
  const Outcome fit = run_plait(fit_command({"--data", "data.json", "--steps", "20"}), work.path());
  INFO(fit.error);
  CHECK(fit.code == 0);
}

TEST_CASE("options of automatic guides that make no sense are errors") {
  const std::string family = GENERATE("normal, scale = 0", "structured, scale = -1", "iaf, flows = 0",
                                      "coupling, flows = 1.5", "coupling, hidden = -3",
                                      "full_rank, scale = 0", "normal, radius = -1", "delta, radius = -0.5");
  INFO(family);
  const TemporaryFolder work;
  write_file(work.path() / "model.ppl", "model { x ~ normal(0, 1); }\nguide auto(" + family + ");\n");
  const Outcome fit = run_plait(fit_command({"--steps", "20"}), work.path());
  INFO(fit.error);
  CHECK(fit.code == 1);
  CHECK(fit.error.find(" must be a ") != std::string::npos);
  CHECK(fit.error.find("model.ppl:2:12") != std::string::npos);
}

TEST_CASE("what a point climbs is called the log joint density, not a bound") {
  const auto [family, name] = GENERATE(table<std::string, std::string>(
      {{"delta", "log joint"}, {"laplace", "log joint"}, {"normal", "elbo"}, {"iaf", "elbo"}}));
  INFO(family);
  const TemporaryFolder work;
  write_file(work.path() / "model.ppl", "model { x ~ normal(0, 1); }\nguide auto(" + family + ");\n");
  const Outcome fit = run_plait({"fit", "model.ppl", "--steps", "20", "--out", "a.run"}, work.path());
  REQUIRE(fit.code == 0);
  CHECK(fit.error.find("step 20/20  " + name + " -") != std::string::npos);
  CHECK(fit.out.find("\n" + name + " -") != std::string::npos);
  const Outcome evaluate = run_plait({"evaluate", "a.run", "--gradients"}, work.path());
  CHECK(evaluate.out.starts_with(name + " -"));
  CHECK(evaluate.out.find("\nd " + name + " / d ") != std::string::npos);
}

TEST_CASE("flows bend where a normal cannot") {
  const std::string model = "model { x ~ normal(0, 1); y ~ normal(0.3 * x ^ 2, 0.3); }\nguide auto(";
  const auto [plain, plain_error] = fitted_bound(model + "normal);\n");
  const std::string family = GENERATE("iaf", "coupling");
  const auto [bound, error] = fitted_bound(model + family + ");\n");
  INFO(family);
  // log p() = 0: no bound lies above it.
  CHECK(bound < 4 * error);
  CHECK(bound > plain + 0.05 + 4 * (error + plain_error));
}

TEST_CASE("auto(laplace) is exact on a Gaussian posterior") {
  const TemporaryFolder work;
  // Precision of (a, b): [[1 + 4, 4], [4, 1/4 + 4]], right side 4 * 1.5 (1, 1).
  write_file(work.path() / "model.ppl", "data y : real[N];\n"
                                        "model { a ~ normal(0, 1); b ~ normal(0, 2);\n"
                                        "  iarange i in N { y[i] ~ normal(a + b, 1); } }\n"
                                        "guide auto(laplace);\n");
  write_file(work.path() / "data.json", R"({"y": [1, 2, 2.5, 0.5]})");
  // Far from converged: the last step to the mode is Newton's.
  const Outcome fit = run_plait(fit_command({"--data", "data.json", "--steps", "100"}), work.path());
  INFO(fit.error);
  REQUIRE(fit.code == 0);
  const double det = 5 * 4.25 - 16;
  const double a = (4.25 - 4) / det * 6, b = (5 - 4) / det * 6;
  const int count = 20'000;
  const auto draws = draws_of(work.path(), count);
  const double va = 4.25 / det, vb = 5 / det, vab = -4 / det;
  CHECK(std::abs(mean_of(draws[0]) - a) < 4 * std::sqrt(va / count));
  CHECK(std::abs(mean_of(draws[1]) - b) < 4 * std::sqrt(vb / count));
  CHECK(std::abs(covariance_of(draws[0], draws[0]) - va) < 4 * va * std::sqrt(2.0 / count));
  CHECK(std::abs(covariance_of(draws[1], draws[1]) - vb) < 4 * vb * std::sqrt(2.0 / count));
  CHECK(std::abs(covariance_of(draws[0], draws[1]) - vab) < 4 * std::sqrt((va * vb + vab * vab) / count));
}

TEST_CASE("auto(laplace) lays its Gaussian in unconstrained space, over latents of plates and loops too") {
  const TemporaryFolder work;
  // u = log s has density exp(3 u - 2 e^u): mode log(3/2), curvature 3. A simplex of two from dirichlet(2,
  // 6): its logit v has density in logistic(v)^2 logistic(-v)^6: mode log(2/6), curvature 8 * 1/4 * 3/4.
  write_file(work.path() / "model.ppl", "data x : real[N];\n"
                                        "model { iarange i in N { s ~ gamma(3, 2); x[i] ~ normal(0, 1); }\n"
                                        "  for t in 0..2 { p[t] ~ beta(2, 6); } }\n"
                                        "guide auto(laplace);\n");
  write_file(work.path() / "data.json", R"({"x": [1, 2]})");
  const Outcome fit =
      run_plait(fit_command({"--data", "data.json", "--steps", "2000", "--decay", "0.01"}), work.path());
  INFO(fit.error);
  REQUIRE(fit.code == 0);
  const int count = 20'000;
  const auto draws = draws_of(work.path(), count);
  REQUIRE(draws.size() == 4);
  for (std::size_t column = 0; column < 4; ++column) {
    const bool logit = column < 2; // p[0], p[1], s[0], s[1]
    std::vector<double> u = draws[column];
    for (double& number : u)
      number = logit ? std::log(number / (1 - number)) : std::log(number);
    const double mode = logit ? std::log(2.0 / 6) : std::log(1.5);
    const double variance = logit ? 1 / 1.5 : 1 / 3.0;
    INFO(column);
    CHECK(std::abs(mean_of(u) - mode) < 4 * std::sqrt(variance / count) + 1e-4);
    CHECK(std::abs(covariance_of(u, u) - variance) < 4 * variance * std::sqrt(2.0 / count) + 1e-4);
  }
}

TEST_CASE("auto(laplace) says where there is no mode, and keeps the run") {
  const TemporaryFolder work;
  write_file(work.path() / "model.ppl", "model { x ~ normal(0, 1); y ~ normal(0, 1); factor(y ^ 2); }\n"
                                        "guide auto(laplace);\n");
  const Outcome fit = run_plait(fit_command({"--steps", "20"}), work.path());
  CHECK(fit.code == 4);
  INFO(fit.error);
  CHECK(fit.error.find("not curved downwards") != std::string::npos);
  CHECK(fit.error.find("y.point") != std::string::npos);
  CHECK(json::parse(read_file(work.path() / "a.run/summary.json")).at("status") == "failed");
  CHECK(run_plait({"sample", "a.run"}, work.path()).code == 4);
  CHECK(run_plait({"evaluate", "a.run"}, work.path()).code == 0);
}
