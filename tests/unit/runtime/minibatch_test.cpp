#include "runtime/minibatch.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

using namespace plait::runtime;

namespace {

using Rows = std::vector<std::uint32_t>;

Rows rows_of(Minibatch& minibatch, std::uint32_t step) {
  Rows rows;
  minibatch.rows(step, rows);
  return rows;
}

bool strictly_ascending(const Rows& rows) {
  return std::adjacent_find(rows.begin(), rows.end(), std::greater_equal<>()) == rows.end();
}

} // namespace

TEST_CASE("uniform minibatches are ascending subsets of the plate") {
  for (std::int64_t batch : {1, 2, 7, 99}) {
    Minibatch minibatch("i", 100, batch, 5, MinibatchPolicy::uniform);
    std::set<Rows> seen;
    for (std::uint32_t step = 0; step < 50; ++step) {
      Rows rows = rows_of(minibatch, step);
      CHECK(static_cast<std::int64_t>(rows.size()) == batch);
      CHECK(strictly_ascending(rows));
      CHECK(rows.back() < 100);
      seen.insert(rows);
    }
    CHECK(seen.size() > 20);
  }
}

TEST_CASE("uniform minibatches draw every subset equally often") {
  // 15 subsets of 2 out of 6; chi-square with 14 degrees of freedom exceeds 36.1 with probability 0.001.
  Minibatch minibatch("i", 6, 2, 11, MinibatchPolicy::uniform);
  std::map<Rows, int> counts;
  constexpr int draws = 15000;
  for (std::uint32_t step = 0; step < draws; ++step)
    ++counts[rows_of(minibatch, step)];
  REQUIRE(counts.size() == 15);
  double chi_square = 0;
  for (const auto& [rows, count] : counts)
    chi_square += std::pow(count - draws / 15.0, 2) / (draws / 15.0);
  CHECK(chi_square < 36.1);
}

TEST_CASE("epochs visit each row once, the last batch being shorter") {
  Minibatch minibatch("i", 103, 10, 3, MinibatchPolicy::epoch);
  REQUIRE(minibatch.steps_per_epoch() == 11);
  std::vector<Rows> first_batches;
  for (std::uint32_t epoch = 0; epoch < 4; ++epoch) {
    std::multiset<std::uint32_t> visited;
    for (std::uint32_t k = 0; k < 11; ++k) {
      Rows rows = rows_of(minibatch, epoch * 11 + k);
      CHECK(rows.size() == (k == 10 ? 3 : 10));
      CHECK(strictly_ascending(rows));
      visited.insert(rows.begin(), rows.end());
      if (k == 0)
        first_batches.push_back(rows);
    }
    CHECK(visited.size() == 103);
    CHECK(std::set<std::uint32_t>(visited.begin(), visited.end()).size() == 103);
    CHECK(*visited.rbegin() == 102);
  }
  CHECK(first_batches[0] != first_batches[1]);
  CHECK(first_batches[1] != first_batches[2]);
}

TEST_CASE("rows depend on seed, plate and step alone") {
  for (MinibatchPolicy policy : {MinibatchPolicy::uniform, MinibatchPolicy::epoch}) {
    Minibatch one("i", 1000, 20, 7, policy), same("i", 1000, 20, 7, policy);
    Rows later = rows_of(one, 123);
    rows_of(one, 5);
    CHECK(rows_of(one, 123) == later);
    CHECK(rows_of(same, 123) == later);
    Minibatch other_plate("j", 1000, 20, 7, policy), other_seed("i", 1000, 20, 8, policy);
    CHECK(rows_of(other_plate, 123) != later);
    CHECK(rows_of(other_seed, 123) != later);
    CHECK(rows_of(one, 124) != later);
  }
}

TEST_CASE("a batch as large as the plate is the plate") {
  for (MinibatchPolicy policy : {MinibatchPolicy::uniform, MinibatchPolicy::epoch}) {
    Minibatch minibatch("i", 4, 10, 1, policy);
    CHECK(minibatch.batch_size() == 4);
    CHECK(rows_of(minibatch, 9) == Rows{0, 1, 2, 3});
  }
}

TEST_CASE("a plate of four thousand million rows costs no more than its batch") {
  for (MinibatchPolicy policy : {MinibatchPolicy::uniform, MinibatchPolicy::epoch}) {
    Minibatch minibatch("i", std::int64_t{1} << 32, 64, 1, policy);
    Rows rows = rows_of(minibatch, 1000000);
    CHECK(rows.size() == 64);
    CHECK(strictly_ascending(rows));
    // The chance that all of 64 rows lie in one half is 2^-63.
    CHECK(rows.front() < 1u << 31);
    CHECK(rows.back() >= 1u << 31);
  }
}
