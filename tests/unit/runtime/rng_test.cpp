#include "runtime/permutation.hpp"
#include "runtime/rng.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <vector>

using namespace plait::runtime;

namespace {

// The statistic sum (observed - expected)^2 / expected for equal expectations.
template <typename Counts>
double chi_square(const Counts& counts, double cells, double total) {
  const double expected = total / cells;
  double sum = (cells - static_cast<double>(counts.size())) * expected; // cells never seen
  for (const auto& [cell, count] : counts)
    sum += (count - expected) * (count - expected) / expected;
  return sum;
}

// Within five deviations of the mean of a chi-square with that many degrees of freedom, on both sides: a
// generator that is too even fails as well.
void check_chi_square(double statistic, double degrees) {
  CAPTURE(statistic, degrees);
  CHECK(std::fabs(statistic - degrees) < 5.0 * std::sqrt(2.0 * degrees));
}

} // namespace

TEST_CASE("Philox4x32-10 gives the published known answers") {
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == PhiloxBlock{0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u});
  CHECK(philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}) ==
        PhiloxBlock{0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu});
  CHECK(philox({0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u}, {0xa4093822u, 0x299f31d0u}) ==
        PhiloxBlock{0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u});
}

TEST_CASE("A draw's place maps to counter and key as documented") {
  const DrawPlace place{.seed = 0x1122334455667788u, .step = 3, .stream = 4, .row = 2, .element = 1};
  CHECK(draw_block(place) == philox({1, 2, 3, 4}, {0x55667788u, 0x11223344u}));
  CHECK(draw_block(place, 0) == philox({1, 2, 3, 4}, {0x55667788u, 0x11223344u ^ 0x9E3779B9u}));
  CHECK(draw_block(place, 2) ==
        philox({1, 2, 3, 4}, {0x55667788u, 0x11223344u ^ static_cast<std::uint32_t>(3 * 0x9E3779B9ull)}));
}

TEST_CASE("Streams are stable and distinct") {
  CHECK(fnv1a("") == 0x811C9DC5u);
  CHECK(fnv1a("a") == 0xE40C292Cu);
  CHECK(fnv1a("foobar") == 0xBF9CF968u);
  static_assert(site_stream("z", 0) == mix_word(fnv1a("z")));
  std::set<std::uint32_t> seen;
  for (const char* name : {"z", "theta", "i", "image"})
    for (std::uint32_t particle = 0; particle < 100; ++particle)
      seen.insert(site_stream(name, particle));
  for (const char* name : {"z", "theta", "i", "image"})
    seen.insert(plate_stream(name));
  CHECK(seen.size() == 404);
}

TEST_CASE("Uniforms stay inside (0, 1) and hit their exact grid") {
  CHECK(uniform01_24(0) == 0x1p-25);
  CHECK(uniform01_24(~0u) == 1.0 - 0x1p-25);
  CHECK(uniform01_32(0) == 0x1p-33);
  CHECK(uniform01_32(~0u) == 1.0 - 0x1p-33);
  CHECK(uniform_open(0, 0) == 0x1p-53);
  CHECK(uniform_open(~0u, ~0u) == 1.0 - 0x1p-53);
  CHECK(uniform_f32(0) == 0x1p-25f);
  CHECK(uniform_f32(~0u) == 1.0f - 0x1p-24f);
  for (std::uint32_t word = 0; word < 0xFF000000u; word += 0x00FEDCBAu)
    CHECK(std::fabs(static_cast<double>(uniform_f32(word)) - uniform01_24(word)) <= 0x1p-25);
}

TEST_CASE("Standard normals have the moments of a normal in both modes") {
  for (const DrawPrecision precision : {DrawPrecision::f32, DrawPrecision::f64}) {
    const int count = 200000;
    double moments[5] = {};
    for (int row = 0; row < count; ++row) {
      const double z = standard_normal(
          {.seed = 7, .step = 1, .stream = site_stream("z", 0), .row = std::uint32_t(row)}, precision);
      for (int power = 1; power <= 4; ++power)
        moments[power] += std::pow(z, power) / count;
    }
    // Standard errors of the four moments: sqrt of 1, 2, 15, 96 over the count.
    CHECK(std::fabs(moments[1]) < 4.5 * std::sqrt(1.0 / count));
    CHECK(std::fabs(moments[2] - 1) < 4.5 * std::sqrt(2.0 / count));
    CHECK(std::fabs(moments[3]) < 4.5 * std::sqrt(15.0 / count));
    CHECK(std::fabs(moments[4] - 3) < 4.5 * std::sqrt(96.0 / count));
  }
}

TEST_CASE("bounded_integer is the high word of the product") {
  CHECK(bounded_integer(0, 10) == 0);
  CHECK(bounded_integer(~0ull, 10) == 9);
  CHECK(bounded_integer(~0ull, ~0ull) == ~0ull - 1);
  for (std::uint64_t bits = 1; bits != 0; bits <<= 3) {
    const std::uint64_t bound = 0x123456789ABCDEFull;
    CHECK(bounded_integer(bits * 0x9E3779B97F4A7C15ull, bound) ==
          static_cast<std::uint64_t>((static_cast<unsigned __int128>(bits * 0x9E3779B97F4A7C15ull) * bound) >>
                                     64));
  }
}

TEST_CASE("Subsets hold distinct rows in range and repeat for the same key") {
  SubsetSampler sampler, other;
  for (const auto& [row_count, size] : std::vector<std::pair<std::uint64_t, std::size_t>>{
           {1, 1}, {5, 0}, {5, 5}, {7, 6}, {1000, 999}, {60000, 256}, {std::uint64_t{1} << 32, 5000}}) {
    std::vector<std::uint32_t> rows(size), again(size);
    sampler.draw(row_count, rows, 42, 9, plate_stream("i"));
    other.draw(row_count, again, 42, 9, plate_stream("i"));
    CHECK(rows == again);
    CHECK(std::set<std::uint32_t>(rows.begin(), rows.end()).size() == size);
    CHECK(std::all_of(rows.begin(), rows.end(), [&](std::uint32_t row) { return row < row_count; }));
  }
  std::vector<std::uint32_t> first(256), second(256);
  sampler.draw(60000, first, 42, 9, plate_stream("i"));
  for (const auto& [seed, step, name] : std::vector<std::tuple<std::uint64_t, std::uint32_t, const char*>>{
           {43, 9, "i"}, {42, 10, "i"}, {42, 9, "j"}}) {
    sampler.draw(60000, second, seed, step, plate_stream(name));
    CHECK(first != second);
  }
}

TEST_CASE("Subsets are uniform over all subsets") {
  SubsetSampler sampler;
  std::map<std::set<std::uint32_t>, int> counts;
  const int draws = 70000;
  for (int step = 0; step < draws; ++step) {
    std::vector<std::uint32_t> rows(3);
    sampler.draw(8, rows, 1, std::uint32_t(step), plate_stream("i"));
    ++counts[{rows.begin(), rows.end()}];
  }
  check_chi_square(chi_square(counts, 56, draws), 55);
}

TEST_CASE("An epoch visits every row once") {
  for (const std::uint64_t row_count :
       {1ull, 2ull, 3ull, 4ull, 5ull, 17ull, 64ull, 65ull, 1000ull, 60000ull}) {
    const RowPermutation permutation(row_count, 5, 2, plate_stream("i"));
    std::vector<bool> seen(row_count, false);
    for (std::uint64_t position = 0; position < row_count; ++position) {
      const std::uint64_t row = permutation(position);
      REQUIRE(row < row_count);
      REQUIRE_FALSE(seen[row]);
      seen[row] = true;
    }
  }
  const RowPermutation large(std::uint64_t{1} << 32, 5, 2, 9);
  CHECK(large(0) != large(1));
  CHECK(large((std::uint64_t{1} << 32) - 1) < (std::uint64_t{1} << 32));
}

TEST_CASE("Epochs are uniform over all permutations of a few rows") {
  for (const std::uint64_t row_count : {2u, 3u, 4u, 5u}) {
    std::map<std::vector<std::uint64_t>, int> counts;
    const int epochs = 60000;
    for (int epoch = 0; epoch < epochs; ++epoch) {
      const RowPermutation permutation(row_count, 3, std::uint32_t(epoch), plate_stream("i"));
      std::vector<std::uint64_t> rows(row_count);
      for (std::uint64_t position = 0; position < row_count; ++position)
        rows[position] = permutation(position);
      ++counts[rows];
    }
    double cells = 1;
    for (std::uint64_t factor = 2; factor <= row_count; ++factor)
      cells *= static_cast<double>(factor);
    CAPTURE(row_count);
    check_chi_square(chi_square(counts, cells, epochs), cells - 1);
  }
}

TEST_CASE("Neighbouring positions of an epoch land on independent rows") {
  const std::uint64_t row_count = 1000;
  std::map<std::pair<std::uint64_t, std::uint64_t>, int> counts;
  const int epochs = 40000;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    const RowPermutation permutation(row_count, 11, std::uint32_t(epoch), plate_stream("i"));
    ++counts[{permutation(500) / 100, permutation(501) / 100}];
  }
  // Equal blocks are hit with probability 99/999 instead of 100/999; far below what this count resolves.
  check_chi_square(chi_square(counts, 100, epochs), 99);
}
