// Steps of programs with two subsampled plates, compiled: the numbers of the interpreter, and parameters of
// rows that were not drawn keep their bits.
#include "tests/support/run_step.hpp"
#include "tests/unit/elbo/step_inputs.hpp"
#include "tests/unit/elbo/two_plates.hpp"

#include <algorithm>

using namespace plait;
using namespace plait::test;
using namespace plait::test::two_plates;

TEST_CASE("a compiled step of two subsampled plates is the interpreter's, and leaves rows not drawn alone") {
  std::vector<Program> all = programs();
  for (std::size_t k = 0; k < 4; ++k) { // some of them with plates one index at a time
    all.push_back(all[k]);
    all.back().text = one_at_a_time(all[k].text);
  }
  for (const Program& program : all) {
    INFO(program.text);
    const Setting setting = setting_of(program, "elbo", true);
    // The parameters of the same program, in the same order, with moments that are not zero.
    Objective values = make(program, "elbo", true);
    values.set_rows(0, {0, 2});
    values.set_rows(1, {1, 2});
    const TrainingStep step = training_step(program.text, setting, values);
    const ir::Graph& graph = *step.elbo.graph;
    const ir::Inputs& inputs = step.inputs;
    codegen::CodegenOptions options;
    options.use_cache = false;
    options.single_precision = false;
    require_agreement(graph, inputs, options);
    StepRun run(graph, inputs, options);
    run.run();
    for (std::size_t k = 0; k < graph.outputs.size(); ++k) {
      const ir::Output& output = graph.outputs[k];
      const bool of_parameter = output.kind == ir::OutputKind::store_parameter;
      if (!of_parameter && output.kind != ir::OutputKind::store_slot)
        continue;
      const auto index = static_cast<std::size_t>(output.index);
      const ir::Parameter& parameter = graph.parameters[index];
      if (parameter.axes.empty() || !parameter.shape.empty())
        continue;
      const Numbers before = of_parameter ? inputs.parameters[index]
                                          : inputs.slots[index][static_cast<std::size_t>(output.slot)];
      const Numbers after = run.output(k);
      REQUIRE(after.size() == before.size());
      std::size_t moved = 0;
      for (std::size_t point = 0; point < before.size(); ++point) {
        std::size_t rest = point;
        bool drawn = true;
        for (std::size_t a = parameter.axes.size(); a-- > 0;) {
          const ir::Axis& axis = graph.axis(parameter.axes[a]);
          const auto population = static_cast<std::size_t>(inputs.extents.at(ir::to_string(axis.population)));
          const auto row = static_cast<std::uint32_t>(rest % population);
          rest /= population;
          if (!axis.subsampled)
            continue;
          const Rows& rows = inputs.rows[static_cast<std::size_t>(axis.minibatch)];
          drawn = drawn && std::find(rows.begin(), rows.end(), row) != rows.end();
        }
        INFO(parameter.name << " at " << point << (of_parameter ? "" : ", slot"));
        if (!drawn)
          CHECK(after[point] == before[point]);
        moved += after[point] != before[point];
      }
      CHECK(moved > 0);
    }
  }
}
