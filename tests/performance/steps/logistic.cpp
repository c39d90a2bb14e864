#include "runtime/minibatch.hpp"
#include "tests/performance/steps/lanes.hpp"
#include "tests/performance/steps/models.hpp"

#include <array>
#include <cmath>

namespace plait::performance {
namespace {

constexpr double intercept_scale = 5, beta_scale = 2;
constexpr std::size_t tile = 64; // rows whose features stay in the first-level cache between the two products
constexpr std::size_t lookahead = 16; // rows fetched ahead: their places are random

// u = loc + L e, L lower triangular with diagonal exp(d); u = (intercept, beta). Parameters: loc, d, then the
// rows of L left of its diagonal, one after the other.
template <class Element, std::size_t D>
class Logistic final : public Baseline<double> {
  static constexpr std::size_t n = D + 1;

public:
  Logistic(LogisticData<Element> data, std::int64_t batch, std::uint64_t seed)
      : Baseline(2 * n + n * (n - 1) / 2), data_(std::move(data)), seed_(seed),
        minibatch_("N", static_cast<std::int64_t>(data_.late.size()), batch, seed,
                   runtime::MinibatchPolicy::uniform) {
    for (std::size_t k = 0; k < n; ++k) {
      parameters_[k] = location_start(seed, "auto.loc", k);
      parameters_[n + k] = std::log(0.1);
    }
    // Entropy and priors, without the parts that depend on parameters.
    constant_ = static_cast<double>(n) * (0.5 + half_log_two_pi) -
                (std::log(intercept_scale) + half_log_two_pi) -
                static_cast<double>(D) * (std::log(beta_scale) + half_log_two_pi);
  }

  double differentiate(std::uint32_t step) override {
    minibatch_.rows(step, rows_);
    const double* const loc = parameters_.data();
    const double* const log_diagonal = loc + n;
    const double* const lower = loc + 2 * n;
    std::array<double, n> noise, diagonal, u;
    standard_normals<double>(
        seed_, step, n, [](std::size_t k) { return static_cast<std::uint32_t>(k); },
        [](std::size_t) { return 0u; }, [stream = stream_](std::size_t) { return stream; }, noise.data());
    double elbo = constant_;
    for (std::size_t i = 0; i < n; ++i) {
      diagonal[i] = std::exp(log_diagonal[i]);
      elbo += log_diagonal[i];
    }
    const double* row = lower;
    for (std::size_t i = 0; i < n; row += i, ++i) {
      double sum = loc[i] + diagonal[i] * noise[i];
      for (std::size_t j = 0; j < i; ++j)
        sum += row[j] * noise[j];
      u[i] = sum;
    }
    // The slopes in the precision of the features, so that the inner products need no conversions.
    alignas(64) std::array<Element, D> beta;
    for (std::size_t k = 0; k < D; ++k)
      beta[k] = static_cast<Element>(u[k + 1]);

    alignas(64) std::array<double, D> d_beta{};
    double d_intercept = 0, likelihood = 0;
    for (std::size_t begin = 0; begin < rows_.size(); begin += tile) {
      const std::size_t length = std::min(tile, rows_.size() - begin);
      alignas(64) std::array<double, tile> logit, y;
      for (std::size_t r = 0; r < length; ++r) {
        if (begin + r + lookahead < rows_.size())
          fetch(rows_[begin + r + lookahead]);
        const Element* const x = data_.x.data() + std::size_t{rows_[begin + r]} * D;
        Element sum = 0;
        for (std::size_t k = 0; k < D; ++k)
          sum += x[k] * beta[k];
        logit[r] = u[0] + static_cast<double>(sum);
        y[r] = data_.late[rows_[begin + r]];
      }
      // log p = log sigmoid((2 y - 1) logit), d log p / d logit = y - sigmoid(logit).
      alignas(64) std::array<Element, tile> residual;
      for (std::size_t r = 0; r < length; ++r) {
        const double t = (2 * y[r] - 1) * logit[r];
        const double e = std::exp(-std::fabs(t));
        likelihood += std::min(t, 0.0) - std::log1p(e);
        const double d = (2 * y[r] - 1) * ((t >= 0 ? e : 1.0) / (1 + e));
        d_intercept += d;
        residual[r] = static_cast<Element>(d);
      }
      alignas(64) std::array<Element, D> sums{};
      for (std::size_t r = 0; r < length; ++r) {
        const Element* const x = data_.x.data() + std::size_t{rows_[begin + r]} * D;
        for (std::size_t k = 0; k < D; ++k)
          sums[k] += residual[r] * x[k];
      }
      for (std::size_t k = 0; k < D; ++k)
        d_beta[k] += static_cast<double>(sums[k]);
    }

    const double scale = static_cast<double>(data_.late.size()) / static_cast<double>(rows_.size());
    elbo += scale * likelihood;
    std::array<double, n> d_u;
    d_u[0] = u[0] / (intercept_scale * intercept_scale) - scale * d_intercept;
    elbo -= 0.5 * u[0] * u[0] / (intercept_scale * intercept_scale);
    for (std::size_t k = 0; k < D; ++k) {
      d_u[k + 1] = u[k + 1] / (beta_scale * beta_scale) - scale * d_beta[k];
      elbo -= 0.5 * u[k + 1] * u[k + 1] / (beta_scale * beta_scale);
    }
    double* const d_loc = gradients_.data();
    double* d_row = d_loc + 2 * n;
    for (std::size_t i = 0; i < n; d_row += i, ++i) {
      d_loc[i] = d_u[i];
      d_loc[n + i] = d_u[i] * diagonal[i] * noise[i] - 1;
      for (std::size_t j = 0; j < i; ++j)
        d_row[j] = d_u[i] * noise[j];
    }
    return elbo;
  }

private:
  void fetch(std::uint32_t row) const {
    const Element* const x = data_.x.data() + std::size_t{row} * D;
    for (std::size_t k = 0; k < D; k += 64 / sizeof(Element))
      __builtin_prefetch(x + k);
    __builtin_prefetch(data_.late.data() + row);
  }

  LogisticData<Element> data_;
  std::uint64_t seed_;
  std::uint32_t stream_ = runtime::site_stream("auto", 0);
  runtime::Minibatch minibatch_;
  std::vector<std::uint32_t> rows_;
  double constant_;
};

} // namespace

template <class Element>
BaselinePointer make_logistic(LogisticData<Element> data, std::int64_t batch, std::uint64_t seed) {
  if (data.columns == 8)
    return std::make_unique<Logistic<Element, 8>>(std::move(data), batch, seed);
  if (data.columns == 64)
    return std::make_unique<Logistic<Element, 64>>(std::move(data), batch, seed);
  return nullptr;
}

template BaselinePointer make_logistic(LogisticData<float>, std::int64_t, std::uint64_t);
template BaselinePointer make_logistic(LogisticData<double>, std::int64_t, std::uint64_t);

} // namespace plait::performance
