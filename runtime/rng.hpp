#pragma once

// Counter-based random numbers. A draw is a pure function of (seed, step, stream, row, element), so it is the
// same whatever the batch order, the number of threads, the SIMD width or the tiling. Generated code mirrors
// this file.
//
// Layout of a draw (all words u32):
//   key     = (seed low, seed high)
//   counter = (element, row, step, stream)
//     element  flattened index within the site's event
//     row      global row, flattened over the plates of the site
//     step     optimization step (or draw number)
//     stream   site_stream(site name, particle), or plate_stream(plate name)
// A sampler that needs more than the four words of one block uses attempt a = 0, 1, 2, ...: the high key word
// is xor-ed with attempt_constant * (a + 1). A draw without attempts uses the key unchanged.
//
// Standard variates (w0, w1 = words 0 and 1 of the block):
//   f32 mode   u(w) = min(float(w >> 8) + 0.5f, 2^24 - 1) * 2^-24       every operation rounded to float
//   f64 mode   u(w) = (w + 0.5) * 2^-32                                 exact
//   uniform    u(w0)
//   normal     sqrt(-2 ln u(w0)) * cos(2 pi u(w1))                      Box & Muller 1958, cosine branch
// The minimum in f32 mode matters: 2^24 - 1/2 is no float and would round to 2^24, that is u = 1. u lies in
// (0, 1).

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

namespace plait::runtime {

using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;
using PhiloxBlock = std::array<std::uint32_t, 4>;

inline constexpr std::uint32_t philox_multiplier_0 = 0xD2511F53u;
inline constexpr std::uint32_t philox_multiplier_1 = 0xCD9E8D57u;
inline constexpr std::uint32_t philox_weyl_0 = 0x9E3779B9u;
inline constexpr std::uint32_t philox_weyl_1 = 0xBB67AE85u;
inline constexpr int philox_rounds = 10;
inline constexpr std::uint32_t attempt_constant = 0x9E3779B9u;

// Philox4x32-10: ten rounds of two 32x32 -> 64 bit products, the key advanced by a Weyl sequence between
// rounds. Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
constexpr PhiloxBlock philox(PhiloxCounter counter, PhiloxKey key) {
  for (int round = 0; round < philox_rounds; ++round) {
    const std::uint64_t product_0 = std::uint64_t{philox_multiplier_0} * counter[0];
    const std::uint64_t product_1 = std::uint64_t{philox_multiplier_1} * counter[2];
    counter = {static_cast<std::uint32_t>(product_1 >> 32) ^ counter[1] ^ key[0],
               static_cast<std::uint32_t>(product_1),
               static_cast<std::uint32_t>(product_0 >> 32) ^ counter[3] ^ key[1],
               static_cast<std::uint32_t>(product_0)};
    key[0] += philox_weyl_0;
    key[1] += philox_weyl_1;
  }
  return counter;
}

// Names one draw; see the layout above.
struct DrawPlace {
  std::uint64_t seed = 0;
  std::uint32_t step = 0;
  std::uint32_t stream = 0;
  std::uint32_t row = 0;
  std::uint32_t element = 0;
};

constexpr PhiloxKey philox_key(std::uint64_t seed) {
  return {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
}

// The block of a draw without attempts.
constexpr PhiloxBlock draw_block(const DrawPlace& place) {
  return philox({place.element, place.row, place.step, place.stream}, philox_key(place.seed));
}

// The block of attempt `attempt` (from 0) of a draw.
constexpr PhiloxBlock draw_block(const DrawPlace& place, std::uint32_t attempt) {
  PhiloxKey key = philox_key(place.seed);
  key[1] ^= attempt_constant * (attempt + 1);
  return philox({place.element, place.row, place.step, place.stream}, key);
}

// 32-bit FNV-1a (Fowler, Noll & Vo) of `text`, continued from `state`.
constexpr std::uint32_t fnv1a(std::string_view text, std::uint32_t state = 0x811C9DC5u) {
  for (const char character : text) {
    state ^= static_cast<unsigned char>(character);
    state *= 0x01000193u;
  }
  return state;
}

// A bijection of 32-bit words that spreads every input bit (the finalizer of MurmurHash3, Appleby).
constexpr std::uint32_t mix_word(std::uint32_t word) {
  word ^= word >> 16;
  word *= 0x85EBCA6Bu;
  word ^= word >> 13;
  word *= 0xC2B2AE35u;
  word ^= word >> 16;
  return word;
}

// The stream of particle `particle` of a site whose name hashes to `site_hash` = fnv1a(name). For one site
// the streams of different particles are distinct.
constexpr std::uint32_t particle_stream(std::uint32_t site_hash, std::uint32_t particle) {
  return mix_word(site_hash + particle * 0x9E3779B9u);
}

constexpr std::uint32_t site_stream(std::string_view name, std::uint32_t particle) {
  return particle_stream(fnv1a(name), particle);
}

// The stream from which a plate's subsample is drawn; a site of the same name has another stream.
constexpr std::uint32_t plate_stream(std::string_view name) {
  return mix_word(fnv1a(name, fnv1a("plate ")));
}

enum class DrawPrecision { f32, f64 };

// ((word >> 8) + 1/2) * 2^-24, exact in double; lies in (0, 1).
constexpr double uniform01_24(std::uint32_t word) {
  return (static_cast<double>(word >> 8) + 0.5) * 0x1p-24;
}

// (word + 1/2) * 2^-32, exact in double; lies in (0, 1). The f64-mode uniform.
constexpr double uniform01_32(std::uint32_t word) {
  return (static_cast<double>(word) + 0.5) * 0x1p-32;
}

// The f32-mode uniform: uniform01_24 as float arithmetic gives it, held below 1.
constexpr float uniform_f32(std::uint32_t word) {
  return std::min(static_cast<float>(word >> 8) + 0.5f, 16777215.0f) * 0x1p-24f;
}

// A uniform in (0, 1) on the grid (k + 1/2) * 2^-52, from 52 bits of two words.
// (52 bits, not 53: k + 1/2 must itself be a double, or the largest value would round to 1.)
constexpr double uniform_open(std::uint32_t high, std::uint32_t low) {
  const std::uint64_t bits = (std::uint64_t{high} << 20) | (low >> 12);
  return (static_cast<double>(bits) + 0.5) * 0x1p-52;
}

// The uniform of one word in the given mode, widened to double.
constexpr double uniform_of(std::uint32_t word, DrawPrecision precision) {
  return precision == DrawPrecision::f32 ? static_cast<double>(uniform_f32(word)) : uniform01_32(word);
}

// sqrt(-2 ln u1) cos(2 pi u2), u1 and u2 in (0, 1).
inline double box_muller(double u1, double u2) {
  return std::sqrt(-2.0 * std::log(u1)) * std::cos(6.283185307179586476925286766559 * u2);
}

inline double standard_uniform(const PhiloxBlock& block, DrawPrecision precision) {
  return uniform_of(block[0], precision);
}

// In f32 mode the uniforms are the floats of that mode and the transformation is done in double: generated
// float code agrees to float rounding.
inline double standard_normal(const PhiloxBlock& block, DrawPrecision precision) {
  return box_muller(uniform_of(block[0], precision), uniform_of(block[1], precision));
}

inline double standard_uniform(const DrawPlace& place, DrawPrecision precision) {
  return standard_uniform(draw_block(place), precision);
}

inline double standard_normal(const DrawPlace& place, DrawPrecision precision) {
  return standard_normal(draw_block(place), precision);
}

// floor(bits * bound / 2^64): an integer in [0, bound), each with probability 1/bound up to bound * 2^-64.
constexpr std::uint64_t bounded_integer(std::uint64_t bits, std::uint64_t bound) {
#if defined(__SIZEOF_INT128__)
  return static_cast<std::uint64_t>((static_cast<unsigned __int128>(bits) * bound) >> 64);
#else
  const std::uint64_t bits_low = bits & 0xFFFFFFFFu, bits_high = bits >> 32;
  const std::uint64_t bound_low = bound & 0xFFFFFFFFu, bound_high = bound >> 32;
  const std::uint64_t middle_0 = bits_high * bound_low + ((bits_low * bound_low) >> 32);
  const std::uint64_t middle_1 = bits_low * bound_high + (middle_0 & 0xFFFFFFFFu);
  return bits_high * bound_high + (middle_0 >> 32) + (middle_1 >> 32);
#endif
}

} // namespace plait::runtime
