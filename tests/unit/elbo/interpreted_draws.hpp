/** \file
 * From program text to draws, by the interpreter: what the tests of drawing share.
 */
#pragma once

#include "compiler/elbo/build_draws.hpp"
#include "tests/unit/elbo/build.hpp"

namespace plait::test {

/** The graph that draws the latents of a program, or with `predict` what the predict walk makes, without the
 * data `absent`; no outputs yet. */
inline elbo::PosteriorDraws draws_of(const std::string& text,
                                     const std::map<std::string, std::int64_t>& sizes, bool predict,
                                     const std::set<std::string>& absent = {}) {
  const Source source{"test.ppl", text};
  Diagnostics diagnostics;
  const program::Program program = checked(source, sizes, diagnostics);
  auto built = elbo::build_draws(program, {}, {predict, absent}, diagnostics);
  INFO(render(source, diagnostics));
  REQUIRE(built);
  return std::move(*built);
}

/** The numbers of every output by its name. */
inline std::map<std::string, std::vector<double>> numbers_of(const ir::Graph& graph,
                                                             const ir::Inputs& inputs) {
  const ir::Results results = ir::interpret(graph, inputs);
  std::map<std::string, std::vector<double>> numbers;
  for (std::size_t k = 0; k < results.outputs.size(); ++k)
    numbers[graph.outputs[k].name] = results.outputs[k].numbers;
  return numbers;
}

} // namespace plait::test
