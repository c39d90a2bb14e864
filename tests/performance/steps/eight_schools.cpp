#include "tests/performance/steps/lanes.hpp"
#include "tests/performance/steps/models.hpp"

#include <cmath>
#include <numeric>

namespace plait::performance {
namespace {

constexpr double mu_scale = 5, tau_scale = 5;

// Lanes 0 … J-1 are the schools, J is mu, J+1 is log tau, the rest padding; parameters are all locations,
// then all log scales. Closed-form KL of mu and the schools' effects, closed-form entropy of tau.
class EightSchools final : public Baseline<double> {
public:
  EightSchools(std::vector<double> y, const std::vector<double>& sigma, std::uint64_t seed)
      : Baseline((y.size() + 2 + 7) / 8 * 8 * 2), schools_(y.size()), lanes_((schools_ + 2 + 7) / 8 * 8),
        seed_(seed), y_(std::move(y)), row_(lanes_), stream_(lanes_), noise_(lanes_), scale_(lanes_),
        draw_(lanes_), d_draw_(lanes_) {
    using runtime::site_stream;
    for (std::size_t j = 0; j < schools_; ++j) {
      row_[j] = static_cast<std::uint32_t>(j);
      stream_[j] = site_stream("standardized", 0);
      precision_.push_back(1 / sigma[j]);
      constant_ -= std::log(sigma[j]) + half_log_two_pi;
    }
    stream_[schools_] = site_stream("mu", 0);
    stream_[schools_ + 1] = site_stream("tau", 0);
    for (std::size_t k = 0; k < schools_ + 2; ++k)
      parameters_[lanes_ + k] = std::log(0.1);
    for (std::size_t j = 0; j < schools_; ++j)
      parameters_[j] = location_start(seed, "standardized.loc", j);
    parameters_[schools_] = location_start(seed, "mu.loc", 0);
    parameters_[schools_ + 1] = location_start(seed, "tau.loc", 0);
    // Priors and entropy: log 5 of mu's KL; entropy of log tau; log(2 / (pi 5)) of the half-Cauchy density.
    constant_ += 0.5 * static_cast<double>(schools_) + 0.5 - std::log(mu_scale) + 0.5 + half_log_two_pi +
                 std::log(2 / 3.14159265358979323846) - std::log(tau_scale);
  }

  double differentiate(std::uint32_t step) override {
    const double* const loc = parameters_.data();
    const double* const log_scale = parameters_.data() + lanes_;
    double* const d_loc = gradients_.data();
    double* const d_log_scale = gradients_.data() + lanes_;
    standard_normals<double>(
        seed_, step, lanes_, [](std::size_t) { return 0u; },
        [row = row_.data()](std::size_t k) { return row[k]; },
        [stream = stream_.data()](std::size_t k) { return stream[k]; }, noise_.data());
    for (std::size_t k = 0; k < lanes_; ++k) {
      scale_[k] = std::exp(log_scale[k]);
      draw_[k] = loc[k] + scale_[k] * noise_[k];
    }
    const std::size_t mu_lane = schools_, tau_lane = schools_ + 1;
    const double mu = draw_[mu_lane], tau = std::exp(draw_[tau_lane]);

    double elbo = constant_, d_mu = 0, d_tau = 0;
#pragma GCC ivdep
    for (std::size_t j = 0; j < schools_; ++j) {
      const double z = (y_[j] - mu - tau * draw_[j]) * precision_[j];
      const double pull = z * precision_[j];
      elbo -= 0.5 * (z * z + scale_[j] * scale_[j] + loc[j] * loc[j]) - log_scale[j];
      d_mu += pull;
      d_tau += pull * draw_[j];
      const double d_draw = pull * tau;
      d_loc[j] = loc[j] - d_draw;
      d_log_scale[j] = scale_[j] * scale_[j] - 1 - d_draw * scale_[j] * noise_[j];
    }
    const double mu_square = scale_[mu_lane] * scale_[mu_lane] + loc[mu_lane] * loc[mu_lane];
    elbo += log_scale[mu_lane] - 0.5 * mu_square / (mu_scale * mu_scale);
    d_loc[mu_lane] = loc[mu_lane] / (mu_scale * mu_scale) - d_mu;
    d_log_scale[mu_lane] = scale_[mu_lane] * scale_[mu_lane] / (mu_scale * mu_scale) - 1 -
                           d_mu * scale_[mu_lane] * noise_[mu_lane];

    const double ratio = tau * tau / (tau_scale * tau_scale);
    elbo += log_scale[tau_lane] + draw_[tau_lane] - std::log1p(ratio);
    const double d_log_tau = d_tau * tau - 2 * ratio / (1 + ratio) + 1;
    d_loc[tau_lane] = -d_log_tau;
    d_log_scale[tau_lane] = -d_log_tau * scale_[tau_lane] * noise_[tau_lane] - 1;
    return elbo;
  }

private:
  std::size_t schools_, lanes_;
  std::uint64_t seed_;
  std::vector<double> y_, precision_;
  std::vector<std::uint32_t> row_, stream_;
  std::vector<double> noise_, scale_, draw_, d_draw_;
  double constant_ = 0;
};

} // namespace

BaselinePointer make_eight_schools(std::vector<double> y, std::vector<double> sigma, std::uint64_t seed) {
  return std::make_unique<EightSchools>(std::move(y), sigma, seed);
}

} // namespace plait::performance
