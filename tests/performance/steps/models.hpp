/** \file
 * The hand-written step of each measured model, over data in memory. Start values are those of `plait fit`
 * with the same seed.
 */
#pragma once

#include "tests/performance/steps/baseline.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace plait::performance {

using BaselinePointer = std::unique_ptr<Baseline<double>>;

/** examples/coin: beta guide, implicit derivatives, closed-form KL. */
BaselinePointer make_coin(std::vector<std::uint8_t> flips, std::uint64_t seed);

/** examples/eight_schools: mean-field normal guide. */
BaselinePointer make_eight_schools(std::vector<double> y, std::vector<double> sigma, std::uint64_t seed);

/** Row-major `x` [late.size(), columns]; `columns` is 8 or 64. */
template <class Element>
struct LogisticData {
  std::vector<Element> x;
  std::vector<std::uint8_t> late;
  std::size_t columns = 8;
};
/** examples/logistic: full-rank normal guide, `batch` rows per step. */
template <class Element>
BaselinePointer make_logistic(LogisticData<Element> data, std::int64_t batch, std::uint64_t seed);
extern template BaselinePointer make_logistic(LogisticData<float>, std::int64_t, std::uint64_t);
extern template BaselinePointer make_logistic(LogisticData<double>, std::int64_t, std::uint64_t);

struct RadonData {
  std::vector<std::int32_t> county; ///< from 0
  std::vector<double> floor, y;
  std::size_t counties = 0;
};
/** examples/radon: mean-field normal guide, `batch` rows per step. */
BaselinePointer make_radon(RadonData data, std::int64_t batch, std::uint64_t seed);

struct VaeSizes {
  std::int64_t pixels = 784, hidden = 400, code = 50;
  std::int64_t batch = 256;
  std::int64_t tile = 128; ///< rows that run forward and backward before the next ones
};
/** examples/vae: `images` are bytes 0 and 1, row-major [rows, pixels]. `threads` share the tiles of a step.
 */
template <class Scalar>
std::unique_ptr<Baseline<Scalar>> make_vae(std::vector<std::uint8_t> images, const VaeSizes& sizes,
                                           std::uint64_t seed, int threads);
extern template std::unique_ptr<Baseline<float>> make_vae(std::vector<std::uint8_t>, const VaeSizes&,
                                                          std::uint64_t, int);
extern template std::unique_ptr<Baseline<double>> make_vae(std::vector<std::uint8_t>, const VaeSizes&,
                                                           std::uint64_t, int);

struct Chorales {
  std::vector<std::uint8_t> notes;   ///< bytes 0 and 1, row-major [rows, longest, keys]
  std::vector<std::int32_t> lengths; ///< time steps of each row, at least 1
  std::int64_t longest = 0;
};
struct MarkovSizes {
  std::int64_t keys = 88, latent = 100, emitter = 100, gate = 200, state = 600;
  std::int64_t batch = 20;
};
/** examples/dmm: a recurrent guide over sequences of different lengths, one thread. */
template <class Scalar>
std::unique_ptr<Baseline<Scalar>> make_dmm(Chorales data, const MarkovSizes& sizes, std::uint64_t seed);
extern template std::unique_ptr<Baseline<float>> make_dmm(Chorales, const MarkovSizes&, std::uint64_t);
extern template std::unique_ptr<Baseline<double>> make_dmm(Chorales, const MarkovSizes&, std::uint64_t);

/** Compares the gradient of every baseline with central differences, on small sizes. Prints a line each; true
 * when all agree. */
bool check_gradients();

} // namespace plait::performance
