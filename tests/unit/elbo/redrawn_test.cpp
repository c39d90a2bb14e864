// Data drawn anew come in the order in which they are declared, whatever statements, plates and loops draw
// them; what no statement draws is as given.
#include "tests/unit/elbo/interpreted_draws.hpp"

using namespace plait;

namespace {

using Numbers = std::vector<double>;

/** Numbers of `y` and, after " exists", where they are; `data` in the order of the declarations. */
std::map<std::string, Numbers> redrawn(const std::string& text,
                                       const std::map<std::string, std::int64_t>& sizes,
                                       const std::vector<ir::DataInput>& data,
                                       const std::set<std::string>& absent = {}) {
  elbo::PosteriorDraws built = test::draws_of(text, sizes, true, absent);
  for (const auto& [name, drawn] : built.results) {
    built.builder->output({ir::OutputKind::value, name, drawn.value.id(), -1, -1});
    if (drawn.exists)
      built.builder->output({ir::OutputKind::value, name + " exists", drawn.exists->id(), -1, -1});
  }
  ir::Inputs inputs;
  inputs.extents = sizes;
  inputs.data = data;
  return test::numbers_of(*built.graph, inputs);
}

ir::DataInput array(Numbers numbers) {
  return {std::move(numbers), {}, {}};
}

using Results = std::map<std::string, Numbers>;

} // namespace

TEST_CASE("a plate inside a loop and plates out of order leave data in their own order", "[predict]") {
  const ir::DataInput zeros = array(Numbers(12));
  CHECK(redrawn("data y : real[N, 3, D];\n"
                "model { iarange n in N { for t in 0..3 { iarange d in D {\n"
                "  y[n, t, d] ~ delta(100 * n + 10 * t + d);\n"
                "} } } }\n",
                {{"N", 2}, {"D", 2}},
                {zeros}) == Results{{"y", {0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121}}});
  CHECK(redrawn("data y : real[D, 2, N];\n"
                "model { for t in 0..2 { iarange n in N { iarange d in D {\n"
                "  y[d, t, n] ~ delta(100 * n + 10 * t + d);\n"
                "} } } }\n",
                {{"N", 2}, {"D", 3}},
                {zeros}) == Results{{"y", {0, 100, 10, 110, 1, 101, 11, 111, 2, 102, 12, 112}}});
}

TEST_CASE("draws at computed subscripts lie where these point", "[predict]") {
  const std::map<std::string, std::int64_t> sizes{{"T", 4}};
  const std::vector<ir::DataInput> given{array({7, 8, 9, 6})};
  const std::string data = "data y : real[T];\n";
  CHECK(redrawn(data + "model { iarange t in T - 2 { y[t + 2] ~ delta(10 + t); } }\n", sizes, given) ==
        Results{{"y", {7, 8, 10, 11}}});
  CHECK(redrawn(data + "model { for t in 0..T - 1 { y[t + 1] ~ delta(10 + t); } }\n", sizes, given) ==
        Results{{"y", {7, 10, 11, 12}}});
  CHECK(redrawn(data + "model { y[0] ~ delta(-1); for t in 2..T { y[t] ~ delta(10 + t); } }\n", sizes,
                given) == Results{{"y", {-1, 8, 12, 13}}});
  CHECK(redrawn(data + "model { y[1..3] ~ delta([20, 21]); }\n", sizes, given) ==
        Results{{"y", {7, 20, 21, 6}}});
}

TEST_CASE("rows that begin late keep their first elements as given", "[predict]") {
  CHECK(redrawn("data y : ragged real[N, T];\n"
                "model { iarange n in N { for t in 1..T[n] { y[n, t] ~ delta(10 * n + t); } } }\n",
                {{"N", 2}, {"max(T)", 3}},
                {{{7, 8, 9, 6}, {0, 3}, {3, 1}}}) == Results{{"y", {7, 1, 2, 6, 0, 0}}});
}

TEST_CASE("statements of the same data in different plates draw each its elements", "[predict]") {
  CHECK(redrawn(
            "data y : real[N]; data a : index<N>[A]; data b : index<N>[B];\n"
            "model { iarange i in A { y[a[i]] ~ delta(10 + i); } iarange i in B { y[b[i]] ~ delta(-i); } }\n",
            {{"N", 6}, {"A", 2}, {"B", 3}}, {array({1, 2, 3, 4, 5, 6}), array({5, 0}), array({1, 2, 4})}) ==
        Results{{"y", {11, 0, -1, 4, -2, 10}}});
  CHECK(redrawn("data y : real[R, C]; data row : index<R>[N]; data column : index<C>[N];\n"
                "model { iarange i in N { y[row[i], column[i]] ~ delta(10 + i); } }\n",
                {{"R", 2}, {"C", 3}, {"N", 3}},
                {array({1, 2, 3, 4, 5, 6}), array({1, 0, 1}), array({0, 2, 2})}) ==
        Results{{"y", {1, 2, 11, 10, 5, 12}}});
}

TEST_CASE("where a branch draws nothing data are as given, or do not exist", "[predict]") {
  const std::string text = "data y : real[N]; data seen : bit[N];\n"
                           "model { iarange i in N { if (seen[i] == 1) { y[i] ~ delta(10 + i); } } }\n";
  const std::vector<ir::DataInput> data{array({1, 2, 3}), array({1, 0, 1})};
  CHECK(redrawn(text, {{"N", 3}}, data) == Results{{"y", {10, 2, 12}}});
  CHECK(redrawn(text, {{"N", 3}}, data, {"y"}) == Results{{"y", {10, 0, 12}}, {"y exists", {1, 0, 1}}});
}

TEST_CASE("states that are drawn under a condition are carried through a loop of predictions", "[predict]") {
  // The last step that exists is the draw of the step before; beyond it nothing is drawn.
  const Results numbers = redrawn("data y : bit[N, 3]; data steps : int[N];\n"
                                  "model { iarange n in N { for t in 0..3 { if (t < steps[n]) {\n"
                                  "  x[t] ~ bernoulli(t == 0 ? 1 : x[t - 1]) using enumerate;\n"
                                  "  y[n, t] ~ bernoulli(x[t]);\n"
                                  "} } } }\n",
                                  {{"N", 2}}, {array({1, 1, 1, 1, 0, 0}), array({3, 1})});
  CHECK(numbers == Results{{"y", {1, 1, 1, 1, 0, 0}}});
}
