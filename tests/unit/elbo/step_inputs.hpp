/** \file
 * Training steps with inputs: what the tests of compiled steps share.
 */
#pragma once

#include "tests/unit/elbo/build.hpp"

namespace plait::test {

struct TrainingStep {
  elbo::Elbo elbo;
  ir::Inputs
      inputs; ///< parameters, rows and data of the objective; state k of the optimizer is 1 + k everywhere
};

/** The fourth step of a program with the default optimizer, from where `values`, its objective, stands. */
inline TrainingStep training_step(const std::string& text, const Setting& setting, const Objective& values) {
  const Source source{"test.ppl", text};
  Diagnostics diagnostics;
  auto elbo = elbo::build_elbo(checked(source, setting.sizes, diagnostics), setting.options, diagnostics);
  REQUIRE(elbo);
  const int slots = elbo::add_update(*elbo, {}).all;
  REQUIRE(values.graph().parameters.size() == elbo->graph->parameters.size());
  TrainingStep step{std::move(*elbo), values.inputs};
  step.inputs.inputs = {{"step", 3}, {"learning_rate", 0.01}, {"kl_weight", 1}};
  for (const std::vector<double>& parameter : step.inputs.parameters) {
    step.inputs.slots.emplace_back();
    for (int slot = 0; slot < slots; ++slot)
      step.inputs.slots.back().emplace_back(parameter.size(), 1.0 + slot);
  }
  return step;
}

} // namespace plait::test
