#include "runtime/rng.hpp"
#include "runtime/samplers.hpp"
#include "runtime/special.hpp"
#include "tests/performance/steps/models.hpp"

#include <cmath>

namespace plait::performance {
namespace {

using namespace plait::runtime;

constexpr double prior_alpha = 10, prior_beta = 10;

// fairness = g / (g + h), log g ~ log Gamma(alpha), log h ~ log Gamma(beta); alpha and beta are exponentials
// of the parameters. ELBO = sum_i log Bernoulli(flip_i | fairness) - KL(Beta(alpha, beta) || Beta(10, 10)).
class Coin final : public Baseline<double> {
public:
  Coin(std::vector<std::uint8_t> flips, std::uint64_t seed)
      : Baseline(2), flips_(std::move(flips)), seed_(seed) {
    parameters_[0] = parameters_[1] = std::log(15.0);
  }

  double differentiate(std::uint32_t step) override {
    const double alpha = std::exp(parameters_[0]), beta = std::exp(parameters_[1]);
    const double log_g = sample_log_gamma(alpha, {seed_, step, g_stream_, 0, 0});
    const double log_h = sample_log_gamma(beta, {seed_, step, h_stream_, 0, 0});
    double d_log_odds = 0;
    const double likelihood = log_likelihood(log_g - log_h, d_log_odds);

    const double total = alpha + beta;
    const double excess_alpha = alpha - prior_alpha, excess_beta = beta - prior_beta;
    const double common = (excess_alpha + excess_beta) * trigamma(total);
    const double d_alpha =
        d_log_odds * log_gamma_sample_derivative(alpha, log_g) - (excess_alpha * trigamma(alpha) - common);
    const double d_beta =
        -d_log_odds * log_gamma_sample_derivative(beta, log_h) - (excess_beta * trigamma(beta) - common);
    gradients_[0] = -d_alpha * alpha;
    gradients_[1] = -d_beta * beta;
    return likelihood - divergence(alpha, beta);
  }

  // The draws at other parameters are those at the same level of the gamma distribution functions.
  double value_at(std::uint32_t step, std::span<const double> parameters) override {
    const auto moved = [&](std::size_t k, std::uint32_t stream) {
      const double shape = std::exp(parameters_[k]);
      const double level = gamma_p(shape, std::exp(sample_log_gamma(shape, {seed_, step, stream, 0, 0})));
      double low = -20, high = 20;
      for (int halving = 0; halving < 200; ++halving) {
        const double middle = 0.5 * (low + high);
        (gamma_p(std::exp(parameters[k]), std::exp(middle)) < level ? low : high) = middle;
      }
      return 0.5 * (low + high);
    };
    double ignored = 0;
    return log_likelihood(moved(0, g_stream_) - moved(1, h_stream_), ignored) -
           divergence(std::exp(parameters[0]), std::exp(parameters[1]));
  }

private:
  double log_likelihood(double log_odds, double& derivative) const {
    const double fairness = 1 / (1 + std::exp(-log_odds));
    const double log_heads = std::log(fairness), log_tails = std::log1p(-fairness);
    double sum = 0, heads = 0;
    for (const std::uint8_t flip : flips_) {
      sum += flip ? log_heads : log_tails;
      heads += flip;
    }
    derivative = heads - static_cast<double>(flips_.size()) * fairness;
    return sum;
  }

  // log B(p) - log B(q) + (a - a_p) psi(a) + (b - b_p) psi(b) - (a - a_p + b - b_p) psi(a + b)
  double divergence(double alpha, double beta) const {
    const double excess_alpha = alpha - prior_alpha, excess_beta = beta - prior_beta;
    return log_beta_prior_ - log_beta(alpha, beta) + excess_alpha * digamma(alpha) +
           excess_beta * digamma(beta) - (excess_alpha + excess_beta) * digamma(alpha + beta);
  }

  std::vector<std::uint8_t> flips_;
  std::uint64_t seed_;
  std::uint32_t g_stream_ = site_stream("fairness", 0), h_stream_ = site_stream("fairness#1", 0);
  double log_beta_prior_ = log_beta(prior_alpha, prior_beta);
};

} // namespace

BaselinePointer make_coin(std::vector<std::uint8_t> flips, std::uint64_t seed) {
  return std::make_unique<Coin>(std::move(flips), seed);
}

} // namespace plait::performance
