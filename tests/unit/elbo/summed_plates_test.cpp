// Finite variables summed out in different plates: in which order, and against the sum over all their values
// together.
#include "tests/unit/elbo/outcomes.hpp"

using namespace plait;
using namespace plait::test;

namespace {

const std::vector<double> observed{0.4, 1.2, -0.3, 2.2, 1.7, -0.9}; // [N = 3, M = 2]

double elbo_of(const std::string& text) {
  Setting setting;
  setting.sizes = {{"N", 3}, {"M", 2}};
  setting.data["y"] = observed;
  return Objective(text, setting).evaluate().elbo;
}

/// Log of the sum of exp(joint(bits)) over all values of `count` bits.
double log_sum(std::size_t count, const std::function<double(const std::vector<double>&)>& joint) {
  double total = 0;
  for (std::size_t mask = 0; mask < std::size_t{1} << count; ++mask) {
    std::vector<double> bits;
    for (std::size_t k = 0; k < count; ++k)
      bits.push_back(static_cast<double>(mask >> k & 1));
    total += std::exp(joint(bits));
  }
  return std::log(total);
}

double weigh(double value, double probability) {
  return std::log(value == 1 ? probability : 1 - probability);
}

/// k outside the plates, a in N, b in N > M.
double nested(const std::vector<double>& bits) {
  const double k = bits[0];
  double sum = weigh(k, 0.3);
  for (std::size_t i = 0; i < 3; ++i) {
    const double a = bits[1 + i];
    sum += weigh(a, 0.4 + 0.2 * k);
    for (std::size_t j = 0; j < 2; ++j) {
      const double b = bits[4 + 2 * i + j];
      sum += weigh(b, 0.5 - 0.3 * a) + log_normal(observed[2 * i + j], a + 2 * b - k, 1.3);
    }
  }
  return sum;
}

} // namespace

TEST_CASE("the order in which finite variables are written does not matter") {
  const double expected = log_sum(10, nested);
  const std::string head = "data y : real[N, M];\nmodel {\n", tail = "}\nguide {}\n";
  CHECK(elbo_of(head + R"(
    k ~ bernoulli(0.3) using enumerate;
    iarange i in N {
      a ~ bernoulli(0.4 + 0.2 * k) using enumerate;
      iarange j in M {
        b ~ bernoulli(0.5 - 0.3 * a) using enumerate;
        y[i, j] ~ normal(a + 2 * b - k, 1.3);
      }
    })" + tail) == Approx(expected).epsilon(1e-12));
  // Outermost last: p(k) p(a | k) = p(a) p(k | a) does not hold for several a, so the prior of k is a factor.
  CHECK(elbo_of(head + R"(
    iarange i in N {
      a ~ bernoulli(0.5) using enumerate;
      iarange j in M { b ~ bernoulli(0.5 - 0.3 * a) using enumerate; }
    }
    k ~ bernoulli(0.3) using enumerate;
    iarange i in N {
      factor((a == 1 ? log(0.4 + 0.2 * k) : log(0.6 - 0.2 * k)) - log(0.5));
      iarange j in M { y[i, j] ~ normal(a + 2 * b - k, 1.3); }
    })" + tail) == Approx(expected).epsilon(1e-12));
}

TEST_CASE("a variable of one plate is summed out for all elements of another that read it") {
  // Every row reads the b of each column; the a of a row is its own.
  const double expected = log_sum(5, [](const std::vector<double>& bits) {
    double sum = 0;
    for (std::size_t j = 0; j < 2; ++j) {
      sum += weigh(bits[j], 0.4);
      for (std::size_t i = 0; i < 3; ++i)
        sum += log_normal(observed[2 * i + j], 2 * bits[j] - 1, 1.3);
    }
    for (std::size_t i = 0; i < 3; ++i)
      sum += weigh(bits[2 + i], 0.7) + log_normal(observed[2 * i], bits[2 + i], 0.8);
    return sum;
  });
  CHECK(elbo_of(R"(
data y : real[N, M];
model {
  iarange j in M { b ~ bernoulli(0.4) using enumerate; }
  iarange i in N {
    a ~ bernoulli(0.7) using enumerate;
    iarange j in M { y[i, j] ~ normal(2 * b - 1, 1.3); }
    factor(-0.5 * ((y[i, 0] - a) / 0.8)^2 - log(0.8) - 0.91893853320467274178);
  }
}
guide {}
)") == Approx(expected).epsilon(1e-12));
}

TEST_CASE("in a for, too, the variables of a plate are summed out before those they share") {
  const double expected = [] {
    double sum = 0;
    for (std::size_t j = 0; j < 2; ++j)
      sum += log_sum(4, [&](const std::vector<double>& bits) {
        double joint = weigh(bits[3], 0.3);
        for (std::size_t i = 0; i < 3; ++i)
          joint += weigh(bits[i], 0.4) + log_normal(observed[2 * i + j], bits[i] - 2 * bits[3], 1.3);
        return joint;
      });
    return sum;
  }();
  CHECK(elbo_of(R"(
data y : real[N, M];
model {
  for t in 0..M {
    iarange i in N { a[t] ~ bernoulli(0.4) using enumerate; }
    k[t] ~ bernoulli(0.3) using enumerate;
    iarange i in N { y[i, t] ~ normal(a[t] - 2 * k[t], 1.3); }
  }
}
guide {}
)") == Approx(expected).epsilon(1e-12));
}

TEST_CASE("a variable that the guide sums out may be read by another plate's elements") {
  // E_q is linear: in every contribution the b of its own column alone.
  const auto joint = [](const std::vector<double>& b) {
    double sum = 0;
    for (std::size_t j = 0; j < 2; ++j) {
      sum += weigh(b[j], 0.4) - weigh(b[j], 0.3);
      for (std::size_t i = 0; i < 3; ++i)
        sum += log_normal(observed[2 * i + j], 2 * b[j] - 1, 1.3);
    }
    return sum;
  };
  double expected = 0;
  for (double first : {0.0, 1.0})
    for (double second : {0.0, 1.0})
      expected += std::exp(weigh(first, 0.3) + weigh(second, 0.3)) * joint({first, second});
  CHECK(elbo_of(R"(
data y : real[N, M];
model {
  iarange j in M { b ~ bernoulli(0.4); }
  iarange i in N { iarange j in M { y[i, j] ~ normal(2 * b - 1, 1.3); } }
}
guide { iarange j in M { b ~ bernoulli(0.3) using enumerate; } }
)") == Approx(expected).epsilon(1e-12));
}

TEST_CASE("a value that cannot be has no part in the gradient, whatever its derivative") {
  // At k = 0 every count above 0 has density -inf, and the logarithm of the rate an infinite derivative.
  const std::string rate = GENERATE(as<std::string>(), "poisson(r * k)", "poisson_log(log(r * k))");
  const std::string guide =
      GENERATE(as<std::string>(), "",
               "guide { iarange i in N { k ~ categorical([0, 0.4, 0.6]) using enumerate; } }\n");
  INFO(rate << " " << guide);
  Setting setting;
  setting.sizes = {{"N", 3}};
  setting.data["y"] = {3, 2, 1};
  Objective fit(
      "data y : int[N];\nparam r : real = 1;\nmodel { iarange i in N { k ~ categorical([0.2, 0.3, 0.5])" +
          std::string(guide.empty() ? " using enumerate" : "") + "; y[i] ~ " + rate + "; } }\n" + guide,
      setting);
  const auto bound = [&](const std::vector<double>& at) {
    double total = 0;
    for (double y : {3.0, 2.0, 1.0}) {
      double sum = 0;
      for (int k = 0; k < 3; ++k) {
        const double prior = k == 0 ? 0.2 : k == 1 ? 0.3 : 0.5, q = k == 0 ? 0 : k == 1 ? 0.4 : 0.6;
        const double log_rate = std::log(at[0] * k);
        const double log_joint = std::log(prior) + y * log_rate - at[0] * k - std::lgamma(y + 1);
        sum += guide.empty() ? std::exp(log_joint) : q == 0 ? 0 : q * (log_joint - std::log(q));
      }
      total += guide.empty() ? std::log(sum) : sum;
    }
    return total;
  };
  fit.set_parameter("r", {1.3});
  const auto value = fit.evaluate();
  CHECK(value.elbo == Approx(bound({1.3})).epsilon(1e-10));
  CHECK(value.gradient.at("r")[0] == Approx(derivative(bound, {1.3}, 0)).epsilon(1e-8));
}
