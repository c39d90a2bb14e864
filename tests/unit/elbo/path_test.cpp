// Finite variables along a `for`, of higher order or summed out in the guide, against sums over every path.
#include "tests/unit/elbo/gradients.hpp"

#include <bit>
#include <cmath>
#include <functional>

using namespace plait;
using test::check_gradients;
using test::Objective;
using test::Setting;

namespace {

using Path = std::vector<unsigned>;
using Density = std::function<double(std::size_t row, const Path& path)>;

const std::vector<std::vector<int>> rows{{0, 2, 1, 2, 0}, {1}, {2, 2}, {0, 1, 1}};
const double emission[2][3] = {{.5, .4, .1}, {.1, .3, .6}};
const double first[2] = {.6, .4};
const double second[2][2] = {{.7, .3}, {.2, .8}};
const double third[2][2][2] = {{{.9, .1}, {.35, .65}}, {{.5, .5}, {.15, .85}}}; // [two before][before][now]
const double proposal[2][2] = {{.55, .45}, {.25, .75}};

const std::string head = "data y : ragged index<3>[N, T];\n"
                         "const E = [[0.5, 0.4, 0.1], [0.1, 0.3, 0.6]]; const P = [0.6, 0.4];\n"
                         "const A = [[0.7, 0.3], [0.2, 0.8]]; const R = [[0.55, 0.45], [0.25, 0.75]];\n"
                         "const B = [[[0.9, 0.1], [0.35, 0.65]], [[0.5, 0.5], [0.15, 0.85]]];\n";

Setting data() {
  Setting setting;
  setting.sizes = {{"N", static_cast<std::int64_t>(rows.size())}, {"max(T)", 5}};
  setting.ragged["y"] = test::ragged_input(rows);
  return setting;
}

/// Calls `visit` with every path of `bits` bits a step.
void for_each_path(std::size_t length, unsigned values, const std::function<void(const Path&)>& visit) {
  Path path(length, 0);
  for (;;) {
    visit(path);
    std::size_t t = 0;
    while (t < length && ++path[t] == values)
      path[t++] = 0;
    if (t == length)
      return;
  }
}

double log_evidence(std::size_t row, unsigned values, const Density& joint) {
  double total = 0;
  for_each_path(rows[row].size(), values, [&](const Path& path) { total += joint(row, path); });
  return std::log(total);
}

double bound(std::size_t row, const Density& p, const Density& q) {
  double total = 0;
  for_each_path(rows[row].size(), 2, [&](const Path& path) {
    const double weight = q(row, path);
    total += weight * (std::log(p(row, path)) - std::log(weight));
  });
  return total;
}

double over_rows(const std::function<double(std::size_t)>& of_row) {
  double total = 0;
  for (std::size_t row = 0; row < rows.size(); ++row)
    total += of_row(row);
  return total;
}

double seen(std::size_t row, const Path& path) {
  double p = 1;
  for (std::size_t t = 0; t < path.size(); ++t)
    p *= emission[path[t]][rows[row][t]];
  return p;
}

double first_order(std::size_t row, const Path& path) {
  double p = seen(row, path);
  for (std::size_t t = 0; t < path.size(); ++t)
    p *= t == 0 ? first[path[0]] : second[path[t - 1]][path[t]];
  return p;
}

double second_order(std::size_t row, const Path& path) {
  double p = seen(row, path);
  for (std::size_t t = 0; t < path.size(); ++t)
    p *= t == 0   ? first[path[0]]
         : t == 1 ? second[path[0]][path[1]]
                  : third[path[t - 2]][path[t - 1]][path[t]];
  return p;
}

double guide_path(std::size_t, const Path& path) {
  double q = 1;
  for (std::size_t t = 0; t < path.size(); ++t)
    q *= proposal[t == 0 ? 0 : path[t - 1]][path[t]];
  return q;
}

double value_of(const std::string& text) {
  return Objective(text, data()).evaluate().elbo;
}

/// Every subset of two rows once: their mean is the value on all rows.
double mean_over_subsets(const std::string& text) {
  Objective objective(text, data());
  double total = 0;
  int subsets = 0;
  for (unsigned mask = 0; mask < 1U << rows.size(); ++mask) {
    if (std::popcount(mask) != 2)
      continue;
    std::vector<std::uint32_t> drawn;
    for (std::uint32_t row = 0; row < rows.size(); ++row)
      if (mask >> row & 1)
        drawn.push_back(row);
    objective.set_rows(0, drawn);
    total += objective.evaluate().elbo;
    ++subsets;
  }
  return total / subsets;
}

std::string model(const std::string& body, const std::string& subsample = "") {
  return head + "model { iarange n in N" + subsample + " { " + body + " } }\n";
}

const std::string by_lags = "for t in 0..T[n] { z[t] ~ categorical(t == 0 ? P : t == 1 ? A[z[t - 1]] : "
                            "B[z[t - 2], z[t - 1]]) using enumerate; y[n, t] ~ categorical(E[z[t]]); }";

} // namespace

TEST_CASE("a chain of second order", "[path]") {
  const double expected = over_rows([](std::size_t row) { return log_evidence(row, 2, second_order); });
  SECTION("by lags") {
    CHECK(value_of(model(by_lags)) == Approx(expected).epsilon(0).margin(1e-10));
  }
  SECTION("by carried states") {
    CHECK(value_of(
              model("u = 0; v = 0; for t in 0..T[n] { z[t] ~ categorical(t == 0 ? P : t == 1 ? A[v] : B[u, "
                    "v]) using enumerate; y[n, t] ~ categorical(E[z[t]]); u = v; v = z[t]; }")) ==
          Approx(expected).epsilon(0).margin(1e-10));
  }
  SECTION("by one carried number that holds two states") {
    CHECK(value_of(model("h = 0; for t in 0..T[n] { z[t] ~ categorical(t == 0 ? P : t == 1 ? A[h] : "
                         "[B[0, 0], B[0, 1], B[1, 0], B[1, 1]][h]) using enumerate; y[n, t] ~ "
                         "categorical(E[z[t]]); h = t == 0 ? z[t] : 2 * z[t - 1] + z[t]; }")) ==
          Approx(expected).epsilon(0).margin(1e-10));
  }
  SECTION("in a subsampled plate") {
    CHECK(mean_over_subsets(model(by_lags, " subsample 2")) == Approx(expected).epsilon(0).margin(1e-10));
  }
}

TEST_CASE("the state two steps before, not the last one", "[path]") {
  const double expected = over_rows([](std::size_t row) {
    return log_evidence(row, 2, [](std::size_t n, const Path& path) {
      double p = seen(n, path);
      for (std::size_t t = 0; t < path.size(); ++t)
        p *= t < 2 ? first[path[t]] : second[path[t - 2]][path[t]];
      return p;
    });
  });
  CHECK(value_of(model("for t in 0..T[n] { z[t] ~ categorical(t < 2 ? P : A[z[t - 2]]) using enumerate; "
                       "y[n, t] ~ categorical(E[z[t]]); }")) == Approx(expected).epsilon(0).margin(1e-10));
}

TEST_CASE("two chains in sequences of different lengths", "[path]") {
  // y depends on both; one chain of second order beside one of first order.
  const double expected = over_rows([](std::size_t row) {
    return log_evidence(row, 4, [](std::size_t n, const Path& path) {
      double p = 1;
      for (std::size_t t = 0; t < path.size(); ++t) {
        const auto a = [&](std::size_t s) { return path[s] & 1; };
        const auto b = [&](std::size_t s) { return path[s] >> 1; };
        p *= t == 0 ? first[a(0)] : second[a(t - 1)][a(t)];
        p *= t < 2 ? first[b(t)] : third[b(t - 2)][b(t - 1)][b(t)];
        p *= .5 * (emission[a(t)][rows[n][t]] + emission[b(t)][rows[n][t]]);
      }
      return p;
    });
  });
  const std::string body =
      "for t in 0..T[n] { a[t] ~ categorical(t == 0 ? P : A[a[t - 1]]) using enumerate;\n"
      "b[t] ~ categorical(t < 2 ? P : B[b[t - 2], b[t - 1]]) using enumerate;\n"
      "y[n, t] ~ categorical(0.5 * (E[a[t]] + E[b[t]])); }";
  CHECK(value_of(model(body)) == Approx(expected).epsilon(0).margin(1e-10));
  CHECK(mean_over_subsets(model(body, " subsample 2")) == Approx(expected).epsilon(0).margin(1e-10));
}

TEST_CASE("derivatives of a chain of second order", "[path]") {
  Objective objective(
      "data y : ragged index<3>[N, T];\nmodel { param p : simplex[2]; param b : simplex[2, 2, 2];\n"
      "param e : simplex[2, 3]; iarange n in N { for t in 0..T[n] {\n"
      "z[t] ~ categorical(t < 2 ? p : b[z[t - 2], z[t - 1]]) using enumerate;\n"
      "y[n, t] ~ categorical(e[z[t]]); } } }\n",
      data());
  check_gradients(objective, {{"p", {0.3}}, {"b", {-0.2, 0.7, 0.4, -0.9}}, {"e", {0.1, -0.5, 0.9, 0.2}}});
}

namespace {

std::string with_guide(const std::string& model_body, const std::string& guide_body,
                       const std::string& subsample = "") {
  return model(model_body, subsample) + "guide { iarange n in N { " + guide_body + " } }\n";
}

const std::string chain_model =
    "for t in 0..T[n] { z[t] ~ categorical(t == 0 ? P : A[z[t - 1]]); y[n, t] ~ categorical(E[z[t]]); }";
const std::string chain_guide =
    "for t in 0..T[n] { z[t] ~ categorical(t == 0 ? R[0] : R[z[t - 1]]) using enumerate; }";

} // namespace

TEST_CASE("a chain summed out in the guide is an expectation over every path", "[path]") {
  const double expected = over_rows([](std::size_t row) { return bound(row, first_order, guide_path); });
  SECTION("by lags") {
    CHECK(value_of(with_guide(chain_model, chain_guide)) == Approx(expected).epsilon(0).margin(1e-10));
  }
  SECTION("by carried states") {
    CHECK(value_of(with_guide(
              "s = 0; for t in 0..T[n] { z[t] ~ categorical(t == 0 ? P : A[s]); y[n, t] ~ "
              "categorical(E[z[t]]); s = z[t]; }",
              "s = 0; for t in 0..T[n] { z[t] ~ categorical(R[s]) using enumerate; s = z[t]; }")) ==
          Approx(expected).epsilon(0).margin(1e-10));
  }
  SECTION("with rows drawn") {
    CHECK(mean_over_subsets(with_guide(chain_model, chain_guide, " subsample 2")) ==
          Approx(expected).epsilon(0).margin(1e-10));
  }
}

TEST_CASE("a guide without memory for a chain", "[path]") {
  const double q[3] = {.3, .5, .8};
  const std::string guide =
      "for t in 0..T[n] { z[t] ~ bernoulli([0.3, 0.5, 0.8][y[n, t]]) using enumerate; }";
  const auto path_q = [&](std::size_t row, const Path& path) {
    double total = 1;
    for (std::size_t t = 0; t < path.size(); ++t) {
      const double one = q[rows[row][t]];
      total *= path[t] ? one : 1 - one;
    }
    return total;
  };
  const auto bernoulli_model = [](const std::string& rate) {
    return "for t in 0..T[n] { z[t] ~ bernoulli(" + rate + "); y[n, t] ~ categorical(E[z[t]]); }";
  };
  SECTION("of first order") {
    CHECK(value_of(with_guide(bernoulli_model("t == 0 ? P[1] : A[z[t - 1], 1]"), guide)) ==
          Approx(over_rows([&](std::size_t row) { return bound(row, first_order, path_q); }))
              .epsilon(0)
              .margin(1e-10));
  }
  SECTION("of second order") {
    CHECK(value_of(with_guide(
              bernoulli_model("t == 0 ? P[1] : t == 1 ? A[z[t - 1], 1] : B[z[t - 2], z[t - 1], 1]"),
              guide)) == Approx(over_rows([&](std::size_t row) { return bound(row, second_order, path_q); }))
                             .epsilon(0)
                             .margin(1e-10));
  }
  SECTION("of no order") {
    CHECK(value_of(with_guide(bernoulli_model("P[1]"), guide)) == Approx(over_rows([&](std::size_t row) {
                                                                    return bound(
                                                                        row,
                                                                        [&](std::size_t n, const Path& path) {
                                                                          double p = seen(n, path);
                                                                          for (unsigned z : path)
                                                                            p *= first[z];
                                                                          return p;
                                                                        },
                                                                        path_q);
                                                                  }))
                                                                      .epsilon(0)
                                                                      .margin(1e-10));
  }
  SECTION("the other way round, where only this iteration's value is read") {
    CHECK(value_of(with_guide(bernoulli_model("P[1]"),
                              "for t in reverse 0..T[n] { z[t] ~ bernoulli([0.3, 0.5, 0.8][y[n, t]]) using "
                              "enumerate; }")) ==
          Approx(value_of(with_guide(bernoulli_model("P[1]"), guide))).epsilon(0).margin(1e-10));
  }
}

TEST_CASE("a chain summed out in the guide beside a variable of the model that is summed out", "[path]") {
  // w is summed inside the logarithm, given z.
  const auto p = [](std::size_t row, const Path& path) {
    double total = 1;
    for (std::size_t t = 0; t < path.size(); ++t) {
      total *= t == 0 ? first[path[0]] : second[path[t - 1]][path[t]];
      double mixed = 0;
      for (unsigned w = 0; w < 2; ++w)
        mixed += second[path[t]][w] * emission[w][rows[row][t]];
      total *= mixed;
    }
    return total;
  };
  CHECK(
      value_of(with_guide("for t in 0..T[n] { z[t] ~ categorical(t == 0 ? P : A[z[t - 1]]);\n"
                          "w[t] ~ categorical(A[z[t]]) using enumerate; y[n, t] ~ categorical(E[w[t]]); }",
                          chain_guide)) ==
      Approx(over_rows([&](std::size_t row) { return bound(row, p, guide_path); })).epsilon(0).margin(1e-10));
}

TEST_CASE("two chains summed out in the guide, one of which follows the other", "[path]") {
  double expected = 0;
  for (std::size_t row = 0; row < rows.size(); ++row)
    for_each_path(rows[row].size(), 4, [&](const Path& path) {
      double p = 1, q = 1;
      for (std::size_t t = 0; t < path.size(); ++t) {
        const unsigned a = path[t] & 1, b = path[t] >> 1, was = t ? path[t - 1] & 1 : 0;
        p *= (t == 0 ? first[a] : second[was][a]) * first[b] * emission[a][rows[row][t]] * emission[b][1];
        q *= proposal[was][a] * second[a][b];
      }
      expected += q * (std::log(p) - std::log(q));
    });
  CHECK(value_of(with_guide(
            "for t in 0..T[n] { a[t] ~ categorical(t == 0 ? P : A[a[t - 1]]); b[t] ~ "
            "categorical(P); y[n, t] ~ categorical(E[a[t]]); factor(log(E[b[t], 1])); }",
            "for t in 0..T[n] { a[t] ~ categorical(t == 0 ? R[0] : R[a[t - 1]]) using enumerate; "
            "b[t] ~ categorical(A[a[t]]) using enumerate; }")) == Approx(expected).epsilon(0).margin(1e-10));
}

TEST_CASE("derivatives of a chain summed out in the guide", "[path]") {
  Objective objective(
      "data y : ragged index<3>[N, T];\nmodel { param p : simplex[2]; param a : simplex[2, 2];\n"
      "param e : simplex[2, 3]; iarange n in N { for t in 0..T[n] {\n"
      "z[t] ~ categorical(t == 0 ? p : a[z[t - 1]]); y[n, t] ~ categorical(e[z[t]]); } } }\n"
      "guide { param r : simplex[3, 2, 2]; iarange n in N { for t in 0..T[n] { z[t] ~ "
      "categorical(r[y[n, t], t == 0 ? 1 : z[t - 1]]) using enumerate; } } }\n",
      data());
  check_gradients(objective, {{"p", {0.3}},
                              {"a", {-0.2, 0.7}},
                              {"e", {0.1, -0.5, 0.9, 0.2}},
                              {"r", {0.4, -0.3, 0.2, 0.6, -0.7, 0.1}}});
}

TEST_CASE("uses of a chain of the guide that have no exact expectation are refused", "[path]") {
  const auto refused = [](const std::string& text) {
    return plait::test::refusal(text, {{"N", 4}, {"max(T)", 5}});
  };
  CHECK_THAT(refused(with_guide(chain_model + " factor(z[0]);", chain_guide)),
             Catch::Contains("after its loop"));
  CHECK_THAT(
      refused(with_guide(chain_model, "for t in reverse 0..T[n] { z[t] ~ categorical(P) using enumerate; }")),
      Catch::Contains("the other way"));
  CHECK_THAT(refused(with_guide("for t in 0..T[n] { z[t] ~ categorical(P);\n"
                                "w[t] ~ categorical(t == 0 ? P : A[w[t - 1]]) using enumerate;\n"
                                "y[n, t] ~ categorical(E[w[t]]); }",
                                "for t in 0..T[n] { z[t] ~ categorical(P) using enumerate; }")),
             Catch::Contains("in which the guide sums z out"));
}
