// Data of which every element is observed once, in ways that look like twice.
#include "compiler/guide/pairing.hpp"
#include "compiler/program/check.hpp"
#include "grammar/parse.hpp"

#include <catch2/catch.hpp>

using namespace plait;

namespace {

std::string report(const std::string& text, const std::map<std::string, std::int64_t>& sizes) {
  Source source{"test.ppl", text};
  Diagnostics diagnostics;
  const ast::Program file = parse(source, diagnostics);
  if (!diagnostics.has_errors())
    if (auto program = program::check(file, {{}, sizes}, diagnostics))
      guide::pair(*program, diagnostics);
  return render(source, diagnostics);
}

/// `body` is the model.
std::string of_body(const std::string& body, const std::map<std::string, std::int64_t>& sizes = {}) {
  return report(R"(
data y : real[N];
data x : real[N, T];
data w : real[N, N];
data c : bit[N];
data d : bit[N];
data k : index<N>[M];
data r : ragged real[N, L];
model {
  mu ~ normal(0, 1);
)" + body + "\n}\n",
                sizes);
}

} // namespace

TEST_CASE("different elements of the data may be observed by different statements") {
  const std::string body = GENERATE(
      // The first apart from the rest, in a loop, a slice, backwards.
      "y[0] ~ normal(mu, 1); for t in 1..N { y[t] ~ normal(y[t - 1], 1); }",
      "y[0..2] ~ normal(mu, 1); y[2..N] ~ normal(0, 1);",
      "y[0..2] ~ normal(mu, 1); for t in reverse 2..N { y[t] ~ normal(0, 1); }",
      "iarange i in N { x[i, 0] ~ normal(mu, 1); for t in 1..T { x[i, t] ~ normal(x[i, t - 1], 1); } }",
      "iarange i in N { r[i, 0] ~ normal(mu, 1); for t in 1..L[i] { r[i, t] ~ normal(mu, 1); } }",
      // Above a diagonal and below it, and the diagonal.
      "for i in 0..N { for t in i..T { x[i, t] ~ normal(mu, 1); } } x[1, 0] ~ normal(0, 1);",
      "for i in 0..N { w[i, i] ~ normal(mu, 1); } w[0, 1] ~ normal(0, 1);",
      // Branches, and conditions that may exclude each other.
      "iarange i in N { if (c[i] == 1) { y[i] ~ normal(mu, 1); } else { y[i] ~ normal(0, 1); } }",
      "iarange i in N { if (c[i] == 1) { y[i] ~ normal(mu, 1); } if (c[i] == 0) { y[i] ~ normal(0, 1); } }",
      "iarange i in N { if (c[i] == 1) { y[i] ~ normal(mu, 1); } if (d[i] == 1) { y[i] ~ normal(0, 1); } }",
      "for t in 0..N { if (t > 0) { y[t] ~ normal(y[t - 1], 1); } } y[0] ~ normal(mu, 1);",
      "for t in 0..N { if (t == 0) { y[t] ~ normal(mu, 1); } else { y[t] ~ normal(y[t - 1], 1); } }",
      // Only where the rows are gathered is known.
      "iarange m in M { y[k[m]] ~ normal(mu, 1); }", "y[k[0]] ~ normal(mu, 1); y[k[1]] ~ normal(mu, 1);",
      // In the last step of a loop.
      "for t in 0..T { iarange i in N { if (t == T - 1) { y[i] ~ normal(mu, 1); } } }");
  INFO(body);
  CHECK(of_body(body) == "");
}

TEST_CASE("with the sizes of the data the same statements may meet") {
  CHECK(of_body("y[0..3] ~ normal(mu, 1); y[N - 2..N] ~ normal(mu, 1);") == ""); // not certain without N
  CHECK(of_body("y[0..3] ~ normal(mu, 1); y[N - 2..N] ~ normal(mu, 1);", {{"N", 4}}).find("observed twice") !=
        std::string::npos);
  CHECK(of_body("y[0..3] ~ normal(mu, 1); y[2..N] ~ normal(mu, 1);", {{"N", 5}}).find("observed twice") !=
        std::string::npos);
  CHECK(of_body("y[0..3] ~ normal(mu, 1); y[3..N] ~ normal(mu, 1);", {{"N", 5}}) == "");
  // A loop that runs once observes once.
  CHECK(of_body("for t in 0..1 { y ~ normal(mu, 1); }") == "");
  CHECK(of_body("for t in 0..2 { y ~ normal(mu, 1); }").find("every iteration") != std::string::npos);
}
