/** \file
 * Hand-written training steps: what a careful C++ programmer would write for one model, to measure compiled
 * steps against. Each does the work of one step of `plait fit` for the model file of the same name under
 * examples/: minibatch, Philox draws with the same keys, ELBO with the same closed forms, gradient by hand,
 * Adam.
 *
 * These files are compiled with -O3 -march=native and relaxed floating-point arithmetic, so that loops over
 * the C library's exp, log and cos become calls of its vector versions.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace plait::performance {

/** A double, whatever the arithmetic options of the file, is finite. */
bool is_finite(double value);

/** Parameters, gradient of the loss −ELBO and Adam's state of one model, each one flat array. */
template <class Scalar>
class Baseline {
public:
  virtual ~Baseline() = default;

  /** One training step: number `step` from 0. Returns the ELBO estimate before the update; a step whose
   * estimate is not finite changes nothing. */
  double step(std::uint32_t step, double learning_rate);

  /** Fills `gradients()` at the current parameters with the draws of step `step` and returns the ELBO
   * estimate. With several threads the sum over them may be left to the update. */
  virtual double differentiate(std::uint32_t step) = 0;

  /** The ELBO estimate at `parameters`, with the random choices held where step `step` makes them at the
   * current parameters. Differs from `differentiate` only where draws depend on parameters through rejection.
   */
  virtual double value_at(std::uint32_t step, std::span<const Scalar> parameters);

  /** Padded with zeros to whole vector registers. */
  std::vector<Scalar>& parameters() { return parameters_; }
  const std::vector<Scalar>& gradients() const { return gradients_; }

protected:
  explicit Baseline(std::size_t parameter_count);

  /** Adam over parameters [begin, end). Kingma & Ba 2015, the form of PyTorch. */
  void adam(std::size_t begin, std::size_t end, double learning_rate);
  virtual void update(double learning_rate) { adam(0, parameters_.size(), learning_rate); }

  std::vector<Scalar> parameters_, gradients_;

private:
  std::vector<Scalar> mean_, mean_square_;
  double beta1_power_ = 1, beta2_power_ = 1;
};

extern template class Baseline<float>;
extern template class Baseline<double>;

} // namespace plait::performance
