#include "runtime/minibatch.hpp"
#include "tests/performance/steps/lanes.hpp"
#include "tests/performance/steps/models.hpp"

#include <algorithm>
#include <cmath>

namespace plait::performance {
namespace {

constexpr double mu_scale = 10;

// Lanes 0 … J-1 are the counties' intercepts, then mu, log tau, log sigma, b. Closed-form KL of the normal
// sites, closed-form entropy of the two scales; parameters are all locations, then all log scales.
class Radon final : public Baseline<double> {
public:
  Radon(RadonData data, std::int64_t batch, std::uint64_t seed)
      : Baseline((data.counties + 4 + 7) / 8 * 8 * 2), data_(std::move(data)), counties_(data_.counties),
        lanes_((counties_ + 4 + 7) / 8 * 8), seed_(seed),
        minibatch_("N", static_cast<std::int64_t>(data_.y.size()), batch, seed,
                   runtime::MinibatchPolicy::uniform),
        row_(lanes_), stream_(lanes_), noise_(lanes_), scale_(lanes_), draw_(lanes_), d_draw_(lanes_),
        d_mean_(static_cast<std::size_t>(batch)) {
    using runtime::site_stream;
    for (std::size_t j = 0; j < counties_; ++j) {
      row_[j] = static_cast<std::uint32_t>(j);
      stream_[j] = site_stream("a", 0);
    }
    const char* const names[] = {"mu", "tau", "sigma", "b"};
    for (std::size_t k = 0; k < 4; ++k) {
      stream_[counties_ + k] = site_stream(names[k], 0);
      parameters_[counties_ + k] = location_start(seed, std::string(names[k]) + ".loc", 0);
    }
    for (std::size_t j = 0; j < counties_; ++j)
      parameters_[j] = location_start(seed, "a.loc", j);
    for (std::size_t k = 0; k < counties_ + 4; ++k)
      parameters_[lanes_ + k] = std::log(0.1);
    const double log_two = 0.69314718055994530942;
    constant_ = 0.5 * (static_cast<double>(counties_) + 2) - std::log(mu_scale) // of the KL terms
                + 2 * (0.5 + half_log_two_pi) - 2 * (half_log_two_pi - log_two);
  }

  double differentiate(std::uint32_t step) override {
    minibatch_.rows(step, rows_);
    const double* const loc = parameters_.data();
    const double* const log_scale = loc + lanes_;
    double* const d_loc = gradients_.data();
    double* const d_log_scale = d_loc + lanes_;
    standard_normals<double>(
        seed_, step, lanes_, [](std::size_t) { return 0u; },
        [row = row_.data()](std::size_t k) { return row[k]; },
        [stream = stream_.data()](std::size_t k) { return stream[k]; }, noise_.data());
    double* const scale = scale_.data();
    double* const draw = draw_.data();
    double* const d_draw = d_draw_.data();
#pragma GCC ivdep
    for (std::size_t k = 0; k < lanes_; ++k) {
      scale[k] = std::exp(log_scale[k]);
      draw[k] = loc[k] + scale[k] * noise_[k];
      d_draw[k] = 0;
    }
    const std::size_t mu_lane = counties_, tau_lane = counties_ + 1, sigma_lane = counties_ + 2,
                      b_lane = counties_ + 3;
    const double mu = draw[mu_lane], log_tau = draw[tau_lane], log_sigma = draw[sigma_lane], b = draw[b_lane];
    const double tau = std::exp(log_tau), sigma = std::exp(log_sigma);
    const double weight = static_cast<double>(data_.y.size()) / static_cast<double>(rows_.size());

    // Likelihood: gathers, then the scatter of the derivatives of the means.
    const double precision = 1 / sigma;
    const std::uint32_t* const rows = rows_.data();
    double squares = 0, d_b = 0;
    double* const d_mean = d_mean_.data();
#pragma GCC ivdep
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      const std::uint32_t i = rows[r];
      const double floor = data_.floor[i];
      const double z = (data_.y[i] - draw[data_.county[i]] - b * floor) * precision;
      squares += z * z;
      const double d = z * (precision * weight);
      d_mean[r] = d;
      d_b += d * floor;
    }
    for (std::size_t r = 0; r < rows_.size(); ++r)
      d_draw[data_.county[rows[r]]] += d_mean[r];
    const double count = static_cast<double>(rows_.size());
    double elbo = constant_ - weight * (0.5 * squares + count * (log_sigma + half_log_two_pi));
    const double d_log_sigma = weight * (squares - count) - sigma * sigma + 1;
    elbo += log_sigma - 0.5 * sigma * sigma + log_scale[sigma_lane];

    // Counties: KL(N(loc, scale) || N(mu, tau)).
    const double inverse = 1 / (tau * tau);
    double spread = 0, logs = 0, d_mu = 0;
#pragma GCC ivdep
    for (std::size_t j = 0; j < counties_; ++j) {
      const double offset = loc[j] - mu;
      const double square = scale[j] * scale[j];
      spread += square + offset * offset;
      logs += log_scale[j];
      d_mu += offset;
      d_loc[j] = offset * inverse - d_draw[j];
      d_log_scale[j] = square * inverse - 1 - d_draw[j] * scale[j] * noise_[j];
    }
    const double size = static_cast<double>(counties_);
    elbo += logs - size * log_tau - 0.5 * spread * inverse;
    d_mu *= inverse;
    const double d_log_tau = spread * inverse - size - tau * tau + 1;
    elbo += log_tau - 0.5 * tau * tau + log_scale[tau_lane];

    const auto normal_site = [&](std::size_t lane, double prior_precision, double d) {
      elbo += log_scale[lane] - 0.5 * prior_precision * (scale[lane] * scale[lane] + loc[lane] * loc[lane]);
      d_loc[lane] = loc[lane] * prior_precision - d;
      d_log_scale[lane] = scale[lane] * scale[lane] * prior_precision - 1 - d * scale[lane] * noise_[lane];
    };
    normal_site(mu_lane, 1 / (mu_scale * mu_scale), d_mu);
    normal_site(b_lane, 1, d_b);
    const auto scale_site = [&](std::size_t lane, double d) {
      d_loc[lane] = -d;
      d_log_scale[lane] = -d * scale[lane] * noise_[lane] - 1;
    };
    scale_site(tau_lane, d_log_tau);
    scale_site(sigma_lane, d_log_sigma);
    return elbo;
  }

private:
  RadonData data_;
  std::size_t counties_, lanes_;
  std::uint64_t seed_;
  runtime::Minibatch minibatch_;
  std::vector<std::uint32_t> rows_, row_, stream_;
  std::vector<double> noise_, scale_, draw_, d_draw_, d_mean_;
  double constant_ = 0;
};

} // namespace

BaselinePointer make_radon(RadonData data, std::int64_t batch, std::uint64_t seed) {
  return std::make_unique<Radon>(std::move(data), batch, seed);
}

} // namespace plait::performance
