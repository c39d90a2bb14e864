// What the predict walk makes inside a `for`: arrays over the loop.
#include "tests/unit/elbo/build.hpp"

using namespace plait;

TEST_CASE("what is drawn in a loop becomes an array over it", "[loop][predict]") {
  const Source source{"test.ppl",
                      "data y : ragged real[N, T];\n"
                      "model { iarange n in N { total = 0; for t in 0..T[n] {\n"
                      "  h[t] = t == 0 ? n + 1 : 2 * h[t - 1];\n"
                      "  total = total + h[t];\n"
                      "  if (t == 1) { y[n, t] ~ delta(-h[t]); } else { y[n, t] ~ delta(h[t]); }\n"
                      "} } }\n"};
  Diagnostics diagnostics;
  const ast::Program file = parse(source, diagnostics);
  const auto program = program::check(file, {{}, {{"N", 2}, {"max(T)", 3}}}, diagnostics);
  INFO(render(source, diagnostics));
  REQUIRE(program);
  auto built = elbo::build_draws(*program, {}, true, diagnostics);
  INFO(render(source, diagnostics));
  REQUIRE(built);
  std::vector<std::string> names;
  for (const auto& [name, value] : built->results) {
    built->builder->output({ir::OutputKind::value, name, value.id(), -1, -1});
    names.push_back(name);
  }
  CHECK(names == std::vector<std::string>{"h", "total", "y"});
  ir::Inputs inputs;
  inputs.extents = {{"N", 2}, {"max(T)", 3}};
  inputs.data = {{{0, 0, 0, 0}, {0, 3}, {3, 1}}};
  const ir::Results results = ir::interpret(*built->graph, inputs);
  CHECK(results.outputs.at(1).numbers == std::vector<double>{7, 2});
  CHECK(results.outputs.at(2).numbers == std::vector<double>{1, -2, 4, 2, 0, 0});
}
