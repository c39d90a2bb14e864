#include "runtime/dense.hpp"
#include "runtime/gemm.hpp"
#include "runtime/jit_functions.hpp"
#include "runtime/rng.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

using namespace plait::runtime;

namespace {

// Normal draws, the same for the same `stream`.
template <typename Scalar>
std::vector<Scalar> random_values(std::size_t count, std::uint32_t stream) {
  std::vector<Scalar> values(count);
  for (std::size_t index = 0; index < count; ++index)
    values[index] = static_cast<Scalar>(
        standard_normal({.seed = 99, .stream = stream, .row = std::uint32_t(index)}, DrawPrecision::f64));
  return values;
}

// Compares one product with the defining sum in double. The bound is the usual one of k roundings of sum |a|
// |b|.
template <typename Scalar>
void check_product(std::int64_t m, std::int64_t n, std::int64_t k, bool transpose_a, bool transpose_b,
                   bool accumulate, Scalar alpha, std::int64_t padding, std::uint32_t stream, int use) {
  CAPTURE(m, n, k, transpose_a, transpose_b, accumulate, padding, use, sizeof(Scalar));
  const std::int64_t a_leading = (transpose_a ? m : k) + padding;
  const std::int64_t b_leading = (transpose_b ? k : n) + 2 * padding;
  const std::int64_t c_leading = n + padding;
  const auto a = random_values<Scalar>(std::size_t((transpose_a ? k : m) * a_leading), stream);
  const auto b = random_values<Scalar>(std::size_t((transpose_b ? n : k) * b_leading), stream + 1);
  const auto before = random_values<Scalar>(std::size_t(m * c_leading), stream + 2);
  auto c = before;
  GemmCall<Scalar> call{m,        n,         k,           alpha,    a.data(),  a_leading, transpose_a,
                        b.data(), b_leading, transpose_b, c.data(), c_leading, accumulate};
  call.a_is_constant = use != 0;
  // The first product with a constant matrix packs it, the second finds it packed, also for fewer columns.
  if (use == 2) {
    std::vector<Scalar> other(std::size_t(m * c_leading));
    GemmCall<Scalar> first = call;
    first.n = std::max<std::int64_t>(2, n / 2);
    first.accumulate = false;
    if (n >= 2) {
      first.c = other.data();
      gemm(first);
    }
  }
  gemm(call);
  bool close = true, untouched = true;
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < c_leading; ++j) {
      const std::size_t place = std::size_t(i * c_leading + j);
      if (j >= n) {
        untouched = untouched && c[place] == before[place];
        continue;
      }
      double sum = 0, size = 0;
      for (std::int64_t p = 0; p < k; ++p) {
        const double left =
            transpose_a ? a[std::size_t(p * a_leading + i)] : a[std::size_t(i * a_leading + p)];
        const double right =
            transpose_b ? b[std::size_t(j * b_leading + p)] : b[std::size_t(p * b_leading + j)];
        sum += left * right;
        size += std::fabs(left * right);
      }
      const double start = accumulate ? static_cast<double>(before[place]) : 0.0;
      const double expected = start + double(alpha) * sum;
      const double bound = double(std::numeric_limits<Scalar>::epsilon()) *
                           (double(k) * std::fabs(double(alpha)) * size + std::fabs(start) + 1e-30);
      close = close && std::fabs(double(c[place]) - expected) <= bound;
    }
  CHECK(close);
  CHECK(untouched);
}

template <typename Scalar>
void check_all_products() {
  struct Extents {
    std::int64_t m, n, k;
  };
  std::uint32_t index = 0;
  for (const Extents& extents : std::vector<Extents>{{1, 1, 1},
                                                     {2, 3, 4},
                                                     {1, 17, 9},
                                                     {17, 1, 9},
                                                     {1, 1, 50},
                                                     {5, 7, 0},
                                                     {0, 4, 3},
                                                     {3, 0, 2},
                                                     {16, 16, 16},
                                                     {33, 65, 17},
                                                     {64, 48, 31},
                                                     {13, 1, 1},
                                                     {1, 300, 7},
                                                     {7, 3, 257},
                                                     {130, 9, 300},
                                                     {300, 1, 129},
                                                     {97, 101, 103}})
    for (const bool transpose_a : {false, true})
      for (const bool transpose_b : {false, true})
        for (const bool accumulate : {false, true}) {
          for (const int use : {0, 1, 2}) {
            begin_constant_matrices();
            check_product<Scalar>(extents.m, extents.n, extents.k, transpose_a, transpose_b, accumulate,
                                  accumulate ? Scalar(-0.75) : Scalar(1), index % 3, 3 * index, use);
          }
          ++index;
        }
}

// A symmetric positive definite matrix.
std::vector<double> positive_matrix(std::int64_t n, std::uint32_t stream) {
  const auto root = random_values<double>(std::size_t(n * n), stream);
  std::vector<double> a(std::size_t(n * n), 0.0);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      for (std::int64_t p = 0; p < n; ++p)
        a[std::size_t(i * n + j)] += root[std::size_t(i * n + p)] * root[std::size_t(j * n + p)];
      if (i == j)
        a[std::size_t(i * n + j)] += 1.0;
    }
  return a;
}

// sum of weights[i, j] l_ij over the lower triangle.
double weighted_factor(std::int64_t n, const std::vector<double>& a, const std::vector<double>& weights) {
  std::vector<double> l(a.size());
  REQUIRE(plait_cholesky_f64(n, a.data(), l.data()) == 0);
  double sum = 0;
  for (std::size_t index = 0; index < l.size(); ++index)
    sum += weights[index] * l[index]; // 0 above the diagonal
  return sum;
}

} // namespace

TEST_CASE("Products equal their definition on every instruction set of this machine") {
  for (const GemmTarget target : {GemmTarget::baseline, GemmTarget::avx2, GemmTarget::avx512}) {
    if (!select_gemm_target(target))
      continue;
    INFO(gemm_target_name());
    check_all_products<float>();
    check_all_products<double>();
  }
  CHECK(select_gemm_target(GemmTarget::automatic));
}

TEST_CASE("Constant matrices are packed once, and anew after they may have changed") {
  constexpr std::int64_t m = 70, n = 20, k = 300;
  auto a = random_values<float>(m * k, 1);
  const auto b = random_values<float>(k * n, 2);
  const auto product = [&](bool constant) {
    std::vector<float> c(m * n);
    plait_gemm_f32(m, n, k, 1.0f, a.data(), k, constant ? gemm_constant : 0, b.data(), n, 0, c.data(), n, 0);
    return c;
  };
  plait_gemm_begin();
  const auto first = product(true);
  CHECK(product(true) == first);
  for (float& value : a)
    value = -value;
  plait_gemm_begin();
  const auto second = product(true);
  for (std::size_t index = 0; index < first.size(); ++index)
    CHECK(second[index] == -first[index]);
}

TEST_CASE("A product that does not accumulate overwrites even NaN") {
  const std::vector<float> a(64, 1.0f), b(64, 2.0f);
  for (const std::int64_t n : {1, 8}) {
    std::vector<float> c(64, std::numeric_limits<float>::quiet_NaN());
    plait_gemm_f32(8, n, 8, 1.0f, a.data(), 8, 0, b.data(), 8, 0, c.data(), n, 0);
    for (std::int64_t index = 0; index < 8 * n; ++index)
      CHECK(c[std::size_t(index)] == 16.0f);
  }
}

TEST_CASE("The Cholesky factor multiplies back, in place too") {
  for (const std::int64_t n : {1, 2, 5, 20}) {
    const auto a = positive_matrix(n, std::uint32_t(1000 + n));
    auto l = a;
    REQUIRE(plait_cholesky_f64(n, l.data(), l.data()) == 0);
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < n; ++j) {
        double sum = 0;
        for (std::int64_t p = 0; p < n; ++p)
          sum += l[std::size_t(i * n + p)] * l[std::size_t(j * n + p)];
        CHECK(sum == Approx(a[std::size_t(i * n + j)]).epsilon(1e-12).margin(1e-12));
        if (j > i)
          CHECK(l[std::size_t(i * n + j)] == 0.0);
      }
    std::vector<float> single(a.begin(), a.end()), factor(a.size());
    REQUIRE(plait_cholesky_f32(n, single.data(), factor.data()) == 0);
    for (std::size_t index = 0; index < l.size(); ++index)
      CHECK(factor[index] == Approx(l[index]).epsilon(1e-4).margin(1e-4));
  }
}

TEST_CASE("A matrix that is not positive definite names its pivot") {
  const std::vector<double> a{4, 0, 0, 2, 1, 0, 0, 0, 5};
  std::vector<double> l(9);
  CHECK(plait_cholesky_f64(3, a.data(), l.data()) == 2);
  CHECK(std::isnan(l[0]));
  CHECK(std::isnan(l[8]));
  CHECK(l[1] == 0.0);
}

TEST_CASE("The reverse derivative of the Cholesky factor equals central differences") {
  const std::int64_t n = 6;
  const auto a = positive_matrix(n, 77);
  const auto weights = random_values<double>(std::size_t(n * n), 78);
  std::vector<double> l(a.size());
  REQUIRE(plait_cholesky_f64(n, a.data(), l.data()) == 0);
  auto adjoint = weights;
  plait_cholesky_reverse_f64(n, l.data(), adjoint.data(), adjoint.data());
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      auto above = a, below = a;
      above[std::size_t(i * n + j)] += 1e-5;
      below[std::size_t(i * n + j)] -= 1e-5;
      const double slope = (weighted_factor(n, above, weights) - weighted_factor(n, below, weights)) / 2e-5;
      CHECK(adjoint[std::size_t(i * n + j)] == Approx(slope).epsilon(1e-7).margin(1e-8));
    }
}

TEST_CASE("Triangular solves and their reverse derivatives") {
  const std::int64_t n = 5, columns = 3;
  auto l = positive_matrix(n, 55);
  REQUIRE(plait_cholesky_f64(n, l.data(), l.data()) == 0);
  l[1] = 1e9; // above the diagonal: must not be read
  const auto b = random_values<double>(std::size_t(n * columns), 56);
  const auto weights = random_values<double>(std::size_t(n * columns), 57);
  for (const std::int32_t transpose : {0, 1}) {
    CAPTURE(transpose);
    std::vector<double> x(b.size());
    plait_triangular_solve_f64(n, columns, l.data(), transpose, b.data(), x.data());
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t column = 0; column < columns; ++column) {
        double sum = 0;
        for (std::int64_t p = 0; p < n; ++p)
          if (transpose ? p >= i : p <= i)
            sum += l[std::size_t(transpose ? p * n + i : i * n + p)] * x[std::size_t(p * columns + column)];
        CHECK(sum == Approx(b[std::size_t(i * columns + column)]).epsilon(1e-12));
      }
    const auto weighted = [&](const std::vector<double>& matrix, const std::vector<double>& right) {
      auto solution = right;
      plait_triangular_solve_f64(n, columns, matrix.data(), transpose, solution.data(), solution.data());
      double sum = 0;
      for (std::size_t index = 0; index < solution.size(); ++index)
        sum += weights[index] * solution[index];
      return sum;
    };
    auto b_adjoint = weights;
    std::vector<double> l_adjoint(l.size(), 1.0);
    plait_triangular_solve_reverse_f64(n, columns, l.data(), transpose, x.data(), b_adjoint.data(),
                                       b_adjoint.data(), l_adjoint.data());
    const double h = 1e-5;
    for (std::size_t index = 0; index < b.size(); ++index) {
      auto above = b, below = b;
      above[index] += h;
      below[index] -= h;
      CHECK(b_adjoint[index] ==
            Approx((weighted(l, above) - weighted(l, below)) / (2 * h)).epsilon(1e-7).margin(1e-8));
    }
    for (std::size_t index = 0; index < l.size(); ++index) {
      auto above = l, below = l;
      above[index] += h;
      below[index] -= h;
      CHECK(l_adjoint[index] - 1.0 ==
            Approx((weighted(above, b) - weighted(below, b)) / (2 * h)).epsilon(1e-6).margin(1e-7));
    }
  }
}

TEST_CASE("The JIT's table names each function once") {
  std::set<std::string> names;
  for (const JitFunction& function : jit_functions()) {
    CHECK(function.address != nullptr);
    CHECK(names.insert(function.name).second);
  }
  CHECK(names.count("plait_gemm_f32") == 1);
  CHECK(names.count("plait_log_gamma_sample_derivative") == 1);
}
