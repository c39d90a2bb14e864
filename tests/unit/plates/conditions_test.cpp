// Conditions under which a latent exists: when those of the model and of the guide are the same.
#include "compiler/guide/pairing_print.hpp"
#include "compiler/program/check.hpp"
#include "grammar/parse.hpp"

#include <catch2/catch.hpp>

using namespace plait;

namespace {

const std::string data = R"(
data c : bit[N];
data k : index<3>[N];
data n : int[N];
data x : real[N];
data y : real[N];
)";

/// The site table, or the report when the program is refused.
std::string pair(const std::string& text) {
  const Source source{"test.ppl", text};
  Diagnostics diagnostics;
  const ast::Program file = parse(source, diagnostics);
  INFO(render(source, diagnostics));
  REQUIRE(!diagnostics.has_errors());
  auto program = program::check(file, {}, diagnostics);
  INFO(render(source, diagnostics));
  REQUIRE(program);
  const auto pairing = guide::pair(*program, diagnostics);
  return pairing ? print_sites(*program, *pairing) : render(source, diagnostics);
}

/// Whether `z` may be sampled under `model` in the model and under `guide` in the guide.
bool same(const std::string& model, const std::string& guide) {
  const std::string report =
      pair(data + "model { iarange i in N { a = x[i] < y[i]; b = a && c[i] == 1; " + model +
           " } }\nguide { iarange j in N { b = c[j] == 1 && !(x[j] >= y[j]); " + guide + " } }\n");
  const bool refused = report.find("but the model") != std::string::npos;
  CHECK(refused == (report.find("error: ") != std::string::npos));
  return !refused;
}

const std::string always = "z ~ normal(0, 1);";
const std::string draw = "{ " + always + " }";

std::string branch(const std::string& condition) {
  return "if (" + condition + ") " + draw;
}

} // namespace

TEST_CASE("conditions that are the same, whatever they look like") {
  for (const auto& [model, guide] : std::vector<std::pair<std::string, std::string>>{
           {"c[i] == 1", "c[j] == 1"},
           {"c[i] == 1", "c[j] != 0"},
           {"c[i] == 1", "!(c[j] == 0)"},
           {"c[i] == 1", "c[j]"},
           {"c[i] == 1", "c[j] ? 1 > 0 : 0 > 1"},
           {"k[i] == 2", "k[j] > 1"},
           {"k[i] == 2", "!(k[j] == 0 || k[j] == 1)"},
           {"k[i] >= 1 && k[i] <= 1", "1 == k[j]"},
           {"n[i] > 3", "n[j] >= 4"},
           {"x[i] < 0.5 || x[i] == 0.5", "x[j] <= 0.5"},
           {"x[i] < y[i]", "y[j] > x[j]"},
           {"b", "b"},
           {"i > 0", "0 != j"},
       }) {
    INFO(model << "  " << guide);
    CHECK(same(branch(model), branch(guide)));
    CHECK(same(branch(model) + " else " + draw, always));
    CHECK(same(always, branch(guide) + " else " + draw));
  }
}

TEST_CASE("conditions that are not the same") {
  for (const auto& [model, guide] : std::vector<std::pair<std::string, std::string>>{
           {"c[i] == 1", "c[j] == 0"},
           {"c[i] == 1", "k[j] == 1"},
           {"k[i] == 2", "k[j] >= 1"},
           {"n[i] == 0 || n[i] == 1", "n[j] <= 1"},
           {"x[i] > 3", "x[j] >= 4"},
           {"x[i] < y[i]", "x[j] <= y[j]"},
           {"a", "b"},
           {"a || c[i] == 1", "b"},
           {"i > 0", "j > 1"},
       }) {
    INFO(model << "  " << guide);
    CHECK_FALSE(same(branch(model), branch(guide)));
    CHECK_FALSE(same(branch(model), always));
    CHECK_FALSE(same(always, branch(guide)));
  }
}

TEST_CASE("branches of a chain add up") {
  const std::string all = branch("k[i] == 0") + " else if (k[i] == 1) " + draw + " else " + draw;
  CHECK(same(all, always));
  CHECK(same(branch("k[i] == 0") + " else if (k[i] == 1) " + draw + " else if (k[i] == 2) " + draw, always));
  CHECK(same(branch("k[i] == 0") + " else if (k[i] == 1) " + draw, branch("k[j] < 2")));
  CHECK(
      same(branch("k[i] == 0") + " else { if (c[i] == 1) " + draw + " }", branch("c[j] == 1 || k[j] == 0")));
  CHECK_FALSE(
      same(branch("n[i] == 0") + " else if (n[i] == 1) " + draw + " else if (n[i] == 2) " + draw, always));
  CHECK_FALSE(same(branch("k[i] == 0") + " else if (c[i] == 1) " + draw, branch("k[j] == 0")));
}

TEST_CASE("a latent of several branches is one row of the table") {
  CHECK("\n" + pair(data + R"(
model { iarange i in N {
  if (c[i] == 1) { z ~ normal(0, 1); } else { z ~ student_t(3, 0, 1); }
  if (k[i] == 0) { h ~ bernoulli(0.4); } else if (k[i] == 1) { h ~ bernoulli(0.6); } else { h = c[i]; }
  x[i] ~ normal(z + h, 1);
} }
guide { iarange i in N {
  z ~ normal(0, 1);
  if (k[i] <= 1) { if (k[i] == 1) { h ~ bernoulli(0.2) using score(baseline = none); } else { h ~ bernoulli(0.3); } }
} }
)") == R"(
site  plates  scale  shape   support  model              guide      estimator                    when
z     N       1      scalar  real     normal, student_t  normal     pathwise                     always
h     N       1      scalar  bit      bernoulli          bernoulli  score, baseline none, score  k[i] == 0 || !(k[i] == 0) && k[i] == 1
x     N       1      scalar  real     normal             observed   -                            always
)");
}
