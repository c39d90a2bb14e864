#include "runtime/threads.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <numeric>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace plait::runtime;

TEST_CASE("Every chunk runs exactly once") {
  for (const std::size_t threads : {1u, 2u, 5u})
    for (const Assignment assignment : {Assignment::fixed, Assignment::dynamic}) {
      ThreadPool pool(threads);
      CHECK(pool.thread_count() == threads);
      for (const std::size_t chunks : {0u, 1u, 2u, 7u, 1000u}) {
        std::vector<std::atomic<int>> hits(chunks);
        pool.run(chunks, [&](std::size_t chunk) { ++hits[chunk]; }, assignment);
        for (const auto& hit : hits)
          CHECK(hit == 1);
      }
    }
}

TEST_CASE("Plain writes of a run are visible after it, over many short runs") {
  ThreadPool pool(3);
  std::vector<std::uint64_t> sums(8, 0);
  for (std::uint64_t round = 0; round < 20000; ++round)
    pool.run(
        sums.size(), [&](std::size_t chunk) { sums[chunk] += round + chunk; },
        round % 2 == 0 ? Assignment::fixed : Assignment::dynamic);
  for (std::size_t chunk = 0; chunk < sums.size(); ++chunk)
    CHECK(sums[chunk] == 20000ull * 19999 / 2 + 20000 * chunk);
}

TEST_CASE("Runs wake threads that went to sleep") {
  ThreadPool pool(2);
  for (int round = 0; round < 20; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    std::atomic<int> hits = 0;
    pool.run(4, [&](std::size_t) { ++hits; });
    CHECK(hits == 4);
  }
}

TEST_CASE("Fixed assignment gives a chunk to the same thread each time") {
  ThreadPool pool(3);
  for (int round = 0; round < 100; ++round) {
    std::vector<std::size_t> owner(10, 99);
    std::vector<std::thread::id> identity(10);
    pool.run(owner.size(), [&](std::size_t chunk, std::size_t thread) {
      owner[chunk] = thread;
      identity[chunk] = std::this_thread::get_id();
    });
    for (std::size_t chunk = 0; chunk < owner.size(); ++chunk) {
      CHECK(owner[chunk] == chunk % 3);
      CHECK(identity[chunk] == identity[chunk % 3]);
    }
    CHECK(std::set<std::thread::id>(identity.begin(), identity.end()).size() == 3);
  }
}

TEST_CASE("A failing chunk is reported after the others have run, and the pool lives on") {
  for (const std::size_t threads : {1u, 3u}) {
    ThreadPool pool(threads);
    std::atomic<int> hits = 0;
    const auto fail = [&](std::size_t chunk) {
      ++hits;
      if (chunk == 3)
        throw std::runtime_error("chunk 3");
    };
    CHECK_THROWS_WITH(pool.run(8, fail), "chunk 3");
    CHECK(hits == 8);
    pool.run(8, [&](std::size_t) { ++hits; });
    CHECK(hits == 16);
  }
}

TEST_CASE("A run inside a chunk is executed by the chunk's own thread") {
  ThreadPool pool(3);
  std::atomic<int> hits = 0;
  std::atomic<int> strangers = 0;
  pool.run(6, [&](std::size_t, std::size_t outer) {
    pool.run(5, [&](std::size_t, std::size_t inner) {
      ++hits;
      strangers += inner != outer;
    });
  });
  CHECK(hits == 30);
  CHECK(strangers == 0);
}

TEST_CASE("Pools come and go without work") {
  for (int round = 0; round < 50; ++round)
    ThreadPool pool(4);
  CHECK(ThreadPool(0).thread_count() >= 1);
}
