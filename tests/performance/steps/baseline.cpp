#include "tests/performance/steps/baseline.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace plait::performance {

bool is_finite(double value) {
  return (std::bit_cast<std::uint64_t>(value) >> 52 & 0x7FF) != 0x7FF;
}

template <class Scalar>
Baseline<Scalar>::Baseline(std::size_t parameter_count)
    : parameters_((parameter_count + 15) / 16 * 16), gradients_(parameters_.size()),
      mean_(parameters_.size()), mean_square_(parameters_.size()) {}

template <class Scalar>
double Baseline<Scalar>::step(std::uint32_t step, double learning_rate) {
  const double elbo = differentiate(step);
  if (!is_finite(elbo))
    return elbo;
  beta1_power_ *= 0.9;
  beta2_power_ *= 0.999;
  update(learning_rate);
  return elbo;
}

template <class Scalar>
double Baseline<Scalar>::value_at(std::uint32_t step, std::span<const Scalar> parameters) {
  const std::vector<Scalar> kept = parameters_;
  std::copy(parameters.begin(), parameters.end(), parameters_.begin());
  const double elbo = differentiate(step);
  parameters_ = kept;
  return elbo;
}

// m <- b1 m + (1 - b1) g, v <- b2 v + (1 - b2) g^2, p <- p - lr m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) +
// eps).
template <class Scalar>
void Baseline<Scalar>::adam(std::size_t begin, std::size_t end, double learning_rate) {
  const Scalar beta1 = Scalar(0.9), beta2 = Scalar(0.999), rest1 = Scalar(1 - 0.9), rest2 = Scalar(1 - 0.999);
  const Scalar rate = static_cast<Scalar>(learning_rate / (1 - beta1_power_));
  const Scalar correction = static_cast<Scalar>(1 / std::sqrt(1 - beta2_power_));
  Scalar* const parameter = parameters_.data();
  const Scalar* const gradient = gradients_.data();
  Scalar* const mean = mean_.data();
  Scalar* const mean_square = mean_square_.data();
#pragma GCC ivdep
  for (std::size_t k = begin; k < end; ++k) {
    const Scalar g = gradient[k];
    const Scalar m = beta1 * mean[k] + rest1 * g;
    const Scalar v = beta2 * mean_square[k] + rest2 * (g * g);
    mean[k] = m;
    mean_square[k] = v;
    parameter[k] -= rate * m / (std::sqrt(v) * correction + Scalar(1e-8));
  }
}

template class Baseline<float>;
template class Baseline<double>;

} // namespace plait::performance
