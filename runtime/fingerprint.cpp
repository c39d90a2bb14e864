#include "runtime/dataset.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstring>

namespace plait::runtime {

// XXH64 with seed 0, as specified by Y. Collet, "xxHash fast digest algorithm", format revision 0.1.
namespace {

constexpr std::uint64_t prime_1 = 0x9E3779B185EBCA87, prime_2 = 0xC2B2AE3D27D4EB4F,
                        prime_3 = 0x165667B19E3779F9, prime_4 = 0x85EBCA77C2B2AE63,
                        prime_5 = 0x27D4EB2F165667C5;

std::uint64_t word_at(const char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

std::uint64_t round(std::uint64_t lane, std::uint64_t word) {
  return std::rotl(lane + word * prime_2, 31) * prime_1;
}

std::uint64_t xxh64(std::string_view bytes) {
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t hash = prime_5;
  if (left >= 32) {
    std::uint64_t lanes[4] = {prime_1 + prime_2, prime_2, 0, 0 - prime_1};
    for (; left >= 32; left -= 32, at += 32)
      for (int lane = 0; lane < 4; ++lane)
        lanes[lane] = round(lanes[lane], word_at(at + 8 * lane));
    hash =
        std::rotl(lanes[0], 1) + std::rotl(lanes[1], 7) + std::rotl(lanes[2], 12) + std::rotl(lanes[3], 18);
    for (std::uint64_t lane : lanes)
      hash = (hash ^ round(0, lane)) * prime_1 + prime_4;
  }
  hash += bytes.size();
  for (; left >= 8; left -= 8, at += 8)
    hash = std::rotl(hash ^ round(0, word_at(at)), 27) * prime_1 + prime_4;
  if (left >= 4) {
    std::uint32_t half = 0;
    std::memcpy(&half, at, sizeof half);
    hash = std::rotl(hash ^ half * prime_1, 23) * prime_2 + prime_3;
    left -= 4;
    at += 4;
  }
  for (; left > 0; --left, ++at)
    hash = std::rotl(hash ^ static_cast<unsigned char>(*at) * prime_5, 11) * prime_1;
  hash = (hash ^ hash >> 33) * prime_2;
  hash = (hash ^ hash >> 29) * prime_3;
  return hash ^ hash >> 32;
}

} // namespace

std::string content_fingerprint(std::string_view bytes) {
  return fmt::format("xxh64:{:016x}", xxh64(bytes));
}

} // namespace plait::runtime
