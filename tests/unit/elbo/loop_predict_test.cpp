// What the predict walk makes inside a `for`: arrays over the loop.
#include "tests/unit/elbo/interpreted_draws.hpp"

using namespace plait;

namespace {

/** Numbers of every result of the predict walk; ragged `y` has rows of 3 and 1 elements, all 0. */
std::map<std::string, std::vector<double>> results_of(const std::string& text) {
  const std::map<std::string, std::int64_t> sizes{{"N", 2}, {"max(T)", 3}};
  elbo::PosteriorDraws built = test::draws_of(text, sizes, true);
  for (const auto& [name, drawn] : built.results)
    built.builder->output({ir::OutputKind::value, name, drawn.value.id(), -1, -1});
  ir::Inputs inputs;
  inputs.extents = sizes;
  inputs.data = {{{0, 0, 0, 0}, {0, 3}, {3, 1}}};
  return test::numbers_of(*built.graph, inputs);
}

using Numbers = std::map<std::string, std::vector<double>>;

} // namespace

TEST_CASE("data drawn in a loop become an array over it, locals of the model do not", "[loop][predict]") {
  CHECK(results_of("data y : ragged real[N, T];\n"
                   "model { iarange n in N { total = 0; for t in 0..T[n] {\n"
                   "  h[t] = t == 0 ? n + 1 : 2 * h[t - 1];\n"
                   "  total = total + h[t];\n"
                   "  if (t == 1) { y[n, t] ~ delta(-h[t]); } else { y[n, t] ~ delta(h[t]); }\n"
                   "} } }\n") == Numbers{{"y", {1, -2, 4, 2, 0, 0}}});
}

TEST_CASE("the state of a loop reads the data as they were drawn", "[loop][predict]") {
  CHECK(results_of("data y : ragged real[N, T];\n"
                   "fun next(total : real, y : real) -> real { h = total + y; return h; }\n"
                   "model { iarange n in N { total = n; for t in 0..T[n] {\n"
                   "  y[n, t] ~ delta(total + 1);\n"
                   "  total = next(total, y[n, t]);\n"
                   "} } }\n") == Numbers{{"y", {1, 2, 4, 2, 0, 0}}});
}

TEST_CASE("values of the predict block come with its loops, and read the data as given", "[loop][predict]") {
  Numbers numbers =
      results_of("data y : ragged real[N, T];\n"
                 "model { iarange n in N { h = n + 1; for t in 0..T[n] { y[n, t] ~ delta(h); } } }\n"
                 "predict { iarange n in N { last = 0; for t in 0..T[n] {\n"
                 "  twice[t] = 2 * h + y[n, t];\n"
                 "  last = twice[t];\n"
                 "} } }\n");
  CHECK(numbers.size() == 2);
  CHECK(numbers["last"] == std::vector<double>{2, 4});
  numbers["twice"].resize(4); // what follows lies beyond the end of the second row
  CHECK(numbers["twice"] == std::vector<double>{2, 2, 2, 4});
}
