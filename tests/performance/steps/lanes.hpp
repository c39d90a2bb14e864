/** \file
 * Draws of runtime/rng.hpp for many places at once, in loops that compilers turn into vector code.
 */
#pragma once

#include "runtime/rng.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace plait::performance {

inline constexpr std::size_t draw_block_size = 64;

/** out[k], k < count: the standard normal of place(k) = {element, row, stream} at (seed, step). The places
 * are functors so that counters which follow from k are not read from memory. */
template <class Scalar, class Element, class Row, class Stream>
inline void standard_normals(std::uint64_t seed, std::uint32_t step, std::size_t count, Element element,
                             Row row, Stream stream, Scalar* out) {
  using namespace plait::runtime;
  const PhiloxKey key = philox_key(seed);
  for (std::size_t begin = 0; begin < count; begin += draw_block_size) {
    alignas(64) std::uint32_t first[draw_block_size];
    alignas(64) std::uint32_t second[draw_block_size];
    const std::size_t length = std::min(draw_block_size, count - begin);
#pragma GCC ivdep
    for (std::size_t k = 0; k < length; ++k) {
      std::uint32_t c0 = element(begin + k), c1 = row(begin + k), c2 = step, c3 = stream(begin + k);
      std::uint32_t k0 = key[0], k1 = key[1];
#pragma GCC unroll 10
      for (int round = 0; round < philox_rounds; ++round) {
        const std::uint64_t product_0 = std::uint64_t{philox_multiplier_0} * c0;
        const std::uint64_t product_1 = std::uint64_t{philox_multiplier_1} * c2;
        c0 = static_cast<std::uint32_t>(product_1 >> 32) ^ c1 ^ k0;
        c1 = static_cast<std::uint32_t>(product_1);
        c2 = static_cast<std::uint32_t>(product_0 >> 32) ^ c3 ^ k1;
        c3 = static_cast<std::uint32_t>(product_0);
        k0 += philox_weyl_0;
        k1 += philox_weyl_1;
      }
      first[k] = c0;
      second[k] = c1;
    }
    constexpr Scalar two_pi = Scalar(6.283185307179586476925286766559);
    Scalar* const target = out + begin;
#pragma GCC ivdep
    for (std::size_t k = 0; k < length; ++k) {
      Scalar u, v;
      if constexpr (std::is_same_v<Scalar, float>) {
        u = std::min(static_cast<float>(static_cast<std::int32_t>(first[k] >> 8)) + 0.5f, 16777215.0f) *
            0x1p-24f;
        v = std::min(static_cast<float>(static_cast<std::int32_t>(second[k] >> 8)) + 0.5f, 16777215.0f) *
            0x1p-24f;
      } else {
        u = (static_cast<double>(first[k]) + 0.5) * 0x1p-32;
        v = (static_cast<double>(second[k]) + 0.5) * 0x1p-32;
      }
      target[k] = std::sqrt(Scalar(-2) * std::log(u)) * std::cos(two_pi * v);
    }
  }
}

/** Where element `k` of a location parameter of an automatic guide starts: uniform in (-1, 1). */
inline double location_start(std::uint64_t seed, std::string_view parameter, std::size_t k) {
  using namespace plait::runtime;
  const std::uint32_t stream = site_stream("start " + std::string(parameter), 0);
  return 2 * uniform01_32(draw_block({seed, 0, stream, 0, static_cast<std::uint32_t>(k)})[0]) - 1;
}

inline constexpr double half_log_two_pi = 0.91893853320467274178032973640562;

} // namespace plait::performance
