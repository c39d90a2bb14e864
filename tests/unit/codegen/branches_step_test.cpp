// Steps of programs whose branches sample a latent, compiled: the numbers of the interpreter.
#include "tests/support/run_step.hpp"
#include "tests/unit/elbo/branches.hpp"
#include "tests/unit/elbo/step_inputs.hpp"

using namespace plait;
using namespace plait::test;
using namespace plait::test::branches;

TEST_CASE("a compiled step of branches with latents is the interpreter's") {
  for (const Program& program : programs()) {
    INFO(program.name);
    const Setting setting = setting_of(program, "elbo", true);
    Objective values = make(program, program.text, "elbo", true);
    if (!values.graph().minibatches.empty())
      values.set_rows(0, {0, 2, 3});
    const TrainingStep step = training_step(program.text, setting, values);
    codegen::CodegenOptions options;
    options.use_cache = false;
    options.single_precision = false;
    require_agreement(*step.elbo.graph, step.inputs, options);
  }
}
