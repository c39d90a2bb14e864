#include "tests/unit/catalog/harness.hpp"

#include <map>

// Densities and their derivatives in emulated f32: every elementwise result, sum and product is rounded to
// float. What is left of the error is the formula's own.

namespace {

using namespace plait;
using namespace plait::test;
using catalog::Distribution;

constexpr double float_epsilon = 0x1p-23;

const ir::Op round_to_float = {
    .name = "round_to_float",
    .arity = 1,
    .result = ir::ResultRule::real,
    .evaluate = +[](std::span<const double> in) { return static_cast<double>(static_cast<float>(in[0])); },
    .derivative = ir::not_differentiable,
    .lower = +[](ir::LaneBuilder&, std::span<const ir::Lane> in) { return in[0]; },
    .samples = ir::SampleRange{-1, 1},
};

/** A copy of the root region in which every real result is rounded. */
struct Rounded {
  ir::Graph graph;
  std::map<ir::NodeId, ir::NodeId> copies;

  explicit Rounded(const ir::Graph& original) {
    graph.parameters = original.parameters;
    graph.axes = original.axes;
    ir::Builder builder(graph);
    for (const ir::NodeId id : original.regions[ir::root_region].order) {
      ir::Node node = original.node(id);
      for (ir::NodeId& operand : node.operands)
        operand = copies.at(operand);
      ir::Value copy = builder.append(node);
      if (copy.type().element == ir::Element::real)
        copy = builder.map(round_to_float, {copy});
      copies[id] = copy.id();
    }
  }
};

void check_single(Program& program, const std::vector<Value>& wanted, double tolerance) {
  for (Numbers& numbers : program.inputs.parameters)
    for (double& number : numbers)
      number = static_cast<double>(static_cast<float>(number));
  const Rounded rounded(program.graph);
  for (const Value value : wanted) {
    const Numbers exact = program.numbers(value);
    const Numbers found =
        ir::interpret(rounded.graph, program.inputs, {rounded.copies.at(value.id())}).front().numbers;
    for (std::size_t k = 0; k < exact.size(); ++k) {
      INFO("entry " << k << ": " << found[k] << " in f32, " << exact[k] << " in f64");
      CHECK(close(found[k], exact[k], tolerance * float_epsilon));
    }
  }
}

void check_density(const char* name, const std::vector<Numbers>& parameters, const Numbers& point,
                   bool discrete, double tolerance) {
  INFO(name << " " << nlohmann::json(parameters).dump() << " at " << nlohmann::json(point).dump());
  const auto shape_for = [](const Numbers& numbers) {
    return numbers.size() == 1 ? Shape{} : Shape{Extent::known(static_cast<std::int64_t>(numbers.size()))};
  };
  Program program;
  std::vector<Value> inputs;
  for (const Numbers& numbers : parameters)
    inputs.push_back(program.parameter(shape_for(numbers), numbers));
  const Value value = discrete ? program.builder.literal(ir::Element::integer, shape_for(point), point)
                               : program.parameter(shape_for(point), point);
  const Value density = catalog::log_prob(program.builder, *catalog::find_distribution(name), value, inputs);
  if (!discrete)
    inputs.push_back(value);
  std::vector<Value> wanted = autodiff::gradients(program.builder, density, inputs);
  wanted.push_back(density);
  check_single(program, wanted, tolerance);
}

} // namespace

TEST_CASE("densities and derivatives of the oracle rows keep their digits in f32") {
  for (const auto& row : oracle("distributions")) {
    const Distribution* distribution = catalog::find_distribution(row.at("name").get<std::string>());
    REQUIRE(distribution);
    if (distribution->point_mass)
      continue;
    const bool discrete = row.at("discrete").get<bool>();
    for (const auto& point : row.at("points")) {
      INFO(row.at("name") << " " << row.at("parameters").dump() << " at " << point.dump());
      Program program;
      std::vector<Value> inputs =
          bind_parameters(program, row.at("parameters"), distribution->parameters.get()());
      const Shape shape = shape_of(row.at("event"));
      const auto numbers = point.get<Numbers>();
      const Value value = discrete ? program.builder.literal(ir::Element::integer, shape, numbers)
                                   : program.parameter(shape, numbers);
      const Value density = catalog::log_prob(program.builder, *distribution, value, inputs);
      std::erase_if(inputs,
                    [&](Value input) { return program.graph.node(input.id()).kind != ir::Kind::parameter; });
      if (!discrete)
        inputs.push_back(value);
      std::vector<Value> wanted = autodiff::gradients(program.builder, density, inputs);
      wanted.push_back(density);
      check_single(program, wanted, 100);
    }
  }
}

TEST_CASE("densities keep their digits where f32 is narrow") {
  check_density("bernoulli_logit", {{30.0}}, {1}, true, 8);
  check_density("bernoulli_logit", {{30.0}}, {0}, true, 8);
  check_density("bernoulli", {{1e-6}}, {0}, true, 8);
  check_density("beta", {{2.0}, {200.0}}, {1e-5}, false, 200);
  check_density("beta", {{200.0}, {2.0}}, {0.99999}, false, 200);
  check_density("geometric", {{1e-6}}, {100000}, true, 8);
  check_density("binomial_logit", {{1000.0}, {-8.0}}, {1}, true, 4000);
  check_density("ordered_logistic", {{0.0}, {20.0, 21.0}}, {1}, true, 8);
  check_density("ordered_logistic", {{0.0}, {-21.0, -20.0}}, {1}, true, 8);
  check_density("normal", {{1000.0}, {1.0}}, {1001.5}, false, 8);
  check_density("logistic", {{0.0}, {1.0}}, {-50}, false, 8);
  check_density("student_t", {{1000.0}, {0.0}, {1.0}}, {3.0}, false, 4000);
  check_density("zero_inflated_poisson", {{0.2}, {80.0}}, {0}, true, 8);
}
