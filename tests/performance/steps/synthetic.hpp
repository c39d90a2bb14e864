/** \file
 * Data of the measured shapes, for machines without the real files. A pure function of the sizes.
 */
#pragma once

#include "tests/performance/steps/models.hpp"

#include <cstdint>
#include <vector>

namespace plait::performance {

/** Rubin 1981. */
std::vector<double> school_effects();
std::vector<double> school_errors();

/** Standard normal features, labels from a logistic model with slopes of about 1 / sqrt(columns). */
template <class Element>
LogisticData<Element> synthetic_logistic(std::size_t rows, std::size_t columns);

/** Counties of uneven sizes, an effect of the floor and normal noise. */
RadonData synthetic_radon(std::size_t rows, std::size_t counties);

/** Bits in blobs: about a fifth of them set, neighbours alike. */
std::vector<std::uint8_t> synthetic_images(std::size_t rows, std::int64_t pixels);

/** Rows of 1 to `longest` time steps, three or four keys down at a time, most of them held. */
Chorales synthetic_chorales(std::size_t rows, std::int64_t longest, std::int64_t keys);

} // namespace plait::performance
