// Steps of programs whose branches sample a latent, compiled: the numbers of the interpreter.
#include "tests/support/run_step.hpp"
#include "tests/unit/elbo/branches.hpp"

using namespace plait;
using namespace plait::test;
using namespace plait::test::branches;

TEST_CASE("a compiled step of branches with latents is the interpreter's") {
  for (const Program& program : programs()) {
    INFO(program.name);
    const Setting setting = setting_of(program, "elbo", true);
    const Source source{"test.ppl", program.text};
    Diagnostics diagnostics;
    const auto checked = program::check(parse(source, diagnostics), {{}, setting.sizes}, diagnostics);
    REQUIRE(checked);
    auto elbo = elbo::build_elbo(*checked, setting.options, diagnostics);
    REQUIRE(elbo);
    const int slots = elbo::add_update(*elbo, {}).all;
    const ir::Graph& graph = *elbo->graph;
    Objective values = make(program, program.text, "elbo", true);
    REQUIRE(values.graph().parameters.size() == graph.parameters.size());
    if (!graph.minibatches.empty())
      values.set_rows(0, {0, 2, 3});
    ir::Inputs inputs = values.inputs;
    inputs.inputs = {{"step", 3}, {"learning_rate", 0.01}, {"kl_weight", 1}};
    for (const std::vector<double>& parameter : inputs.parameters)
      inputs.slots.emplace_back(static_cast<std::size_t>(slots), std::vector<double>(parameter.size(), 1.0));
    codegen::CodegenOptions options;
    options.use_cache = false;
    options.single_precision = false;
    require_agreement(graph, inputs, options);
  }
}
