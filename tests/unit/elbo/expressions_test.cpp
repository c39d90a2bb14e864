// Values that statements and functions leave, against plain arithmetic: each program is one factor.
#include "build.hpp"

#include <cmath>

using plait::test::Objective;
using plait::test::Setting;

namespace {

/** The log joint density of a program without latents. */
double value_of(const std::string& text, Setting setting = {}) {
  return Objective(text, std::move(setting)).evaluate().elbo;
}

} // namespace

TEST_CASE("a call among the arguments of a call of the same function keeps its own parameters") {
  const std::string functions =
      "fun f(a : real, b : real) -> real { s = a; for k in 0..3 { s = 0.5 * s + b * k; } return s; }\n"
      "net g(a : real[2], b : real[2]) -> real[2] { return a - 2 * b; }\n";
  const auto f = [](double a, double b) { return a / 8 + 2.5 * b; };
  CHECK(value_of(functions + "model { factor(f(1, f(2, 3))); }\n") == Approx(f(1, f(2, 3))));
  CHECK(value_of(functions + "model { factor(f(f(1, 2), f(3, f(4, 5)))); }\n") ==
        Approx(f(f(1, 2), f(3, f(4, 5)))));
  // 1 - 2 (2 - 2 * 3) = 9 for each of two entries.
  CHECK(value_of(functions + "model { factor(sum(g([1, 1], g([2, 2], [3, 3])))); }\n") == Approx(18));
}

TEST_CASE("an array that a loop inside fills is carried as a whole") {
  // (a, b) ← (b + t, a / 2), from (0, 0): after t = 0, 1, 2, 3 it is (3.5, 1).
  CHECK(value_of("model { y = zeros(2); for t in 0..4 {\n"
                 "  for k in 0..2 { next[k] = k == 0 ? y[1] + t : y[0] / 2; }\n"
                 "  y = next;\n"
                 "} factor(y[0] + 10 * y[1]); }\n") == Approx(13.5));
}

TEST_CASE("sums, products and extremes of ints") {
  CHECK(
      value_of("model { n = [3, 1, 2]; factor(sum(n) + 10 * max(n) + 100 * min(n) + 1000 * prod(n)); }\n") ==
      Approx(6136));
  CHECK(value_of("model { n = [3, 1, 2]; factor(sum(n) / 4 + max(n) / 2); }\n") == Approx(3));
}
