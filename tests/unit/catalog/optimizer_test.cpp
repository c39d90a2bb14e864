#include "compiler/catalog/optimizer.hpp"

#include "tests/unit/catalog/harness.hpp"

#include <algorithm>
#include <set>

// Optimizers against ten steps in NumPy: tests/oracles/optimizers.json.

namespace {

using namespace plait;
using namespace plait::test;
using catalog::Optimizer;

/** One step: numbers of the parameter and its slots are replaced by the new ones. */
void step(const Optimizer& optimizer, const nlohmann::json& row, int time, Numbers& parameter,
          std::vector<Numbers>& slots) {
  Program program;
  const Shape shape = {Extent::known(static_cast<std::int64_t>(parameter.size()))};
  catalog::OptimizerInput input;
  input.parameter = program.parameter(shape, parameter);
  input.gradient =
      program.parameter(shape, row.at("gradients")[static_cast<std::size_t>(time - 1)].get<Numbers>());
  for (const Numbers& slot : slots)
    input.slots.push_back(program.parameter(shape, slot));
  input.time = program.builder.real(time);
  input.learning_rate = program.builder.real(row.at("learning_rate").get<double>());
  input.option = [&](std::string_view name) {
    for (const auto& option : optimizer.options.get()())
      if (option.name == name)
        return program.builder.real(row.at("options").value(std::string(name), option.value));
    FAIL("option " << name << " is not declared");
    return Value();
  };
  const catalog::OptimizerUpdate update = optimizer.update(program.builder, input);
  REQUIRE(update.slots.size() == slots.size());
  REQUIRE(update.parameter.type().shape == shape);
  parameter = program.numbers(update.parameter);
  for (std::size_t k = 0; k < slots.size(); ++k) {
    REQUIRE(update.slots[k].type().shape == shape);
    slots[k] = program.numbers(update.slots[k]);
  }
}

} // namespace

TEST_CASE("every optimizer has an oracle row, and its options are known") {
  std::set<std::string> listed;
  for (const auto& row : oracle("optimizers")) {
    listed.insert(row.at("name").get<std::string>());
    const Optimizer* optimizer = catalog::find_optimizer(row.at("name").get<std::string>());
    REQUIRE(optimizer);
    const auto options = optimizer->options.get()();
    for (const auto& [name, value] : row.at("options").items())
      CHECK(std::any_of(options.begin(), options.end(),
                        [&](const auto& option) { return option.name == name; }));
    for (const auto& option : options)
      CHECK_FALSE(option.meaning.empty());
  }
  std::vector<std::string> present;
  for (const Optimizer* optimizer : catalog::optimizers())
    present.emplace_back(optimizer->name);
  CHECK(std::is_sorted(present.begin(), present.end()));
  CHECK(listed == std::set(present.begin(), present.end()));
  CHECK_FALSE(catalog::find_optimizer("no such optimizer"));
}

TEST_CASE("ten steps equal the oracle") {
  for (const auto& row : oracle("optimizers")) {
    const Optimizer& optimizer = *catalog::find_optimizer(row.at("name").get<std::string>());
    auto parameter = row.at("start").get<Numbers>();
    std::vector<Numbers> slots(static_cast<std::size_t>(optimizer.slots.get()),
                               Numbers(parameter.size(), 0.0));
    for (int time = 1; time <= static_cast<int>(row.at("gradients").size()); ++time) {
      INFO(row.at("name") << " " << row.at("options").dump() << " step " << time);
      step(optimizer, row, time, parameter, slots);
      const auto expected = row.at("parameters")[static_cast<std::size_t>(time - 1)].get<Numbers>();
      for (std::size_t k = 0; k < expected.size(); ++k)
        CHECK(close(parameter[k], expected[k], 1e-12));
    }
  }
}
