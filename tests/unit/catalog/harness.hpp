/** \file
 * What the tests of the catalog share: oracle rows as JSON, a small program around a row, and a source of
 * draws.
 */
#pragma once

#include "compiler/autodiff/reverse.hpp"
#include "compiler/catalog/distribution.hpp"
#include "compiler/catalog/ops.hpp"
#include "compiler/tensor_ir/interpret.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>
#include <string>
#include <vector>

namespace plait::test {

using ir::Extent;
using ir::Value;
using Shape = std::vector<Extent>;
using Numbers = std::vector<double>;

inline nlohmann::json oracle(const std::string& name) {
  std::ifstream file(std::string(PLAIT_SOURCE_DIR) + "/tests/oracles/" + name + ".json");
  REQUIRE(file);
  return nlohmann::json::parse(file).at("rows");
}

inline Shape shape_of(const nlohmann::json& sizes) {
  Shape shape;
  for (const auto& size : sizes)
    shape.push_back(Extent::known(size.get<std::int64_t>()));
  return shape;
}

inline std::size_t count_of(const Shape& shape) {
  std::size_t count = 1;
  for (const Extent& extent : shape)
    count *= static_cast<std::size_t>(extent.value);
  return count;
}

/** A graph under construction with the numbers bound to its parameters. */
struct Program {
  ir::Graph graph;
  ir::Builder builder{graph};
  ir::Inputs inputs;

  Program() = default;
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /** A differentiable input. */
  Value parameter(const Shape& shape, const Numbers& numbers) {
    const auto index = static_cast<std::int32_t>(graph.parameters.size());
    graph.parameters.push_back({"parameter" + std::to_string(index), shape, {}, "model"});
    inputs.parameters.push_back(numbers);
    inputs.slots.emplace_back();
    return builder.parameter(index);
  }

  ir::AxisId plate(std::int64_t length) {
    graph.axes.push_back({"plate" + std::to_string(graph.axes.size()), ir::AxisKind::plate,
                          Extent::known(length), Extent::known(length), false, -1});
    return static_cast<ir::AxisId>(graph.axes.size()) - 1;
  }

  ir::DenseArray array(Value value) const { return ir::interpret(graph, inputs, {value.id()}).front(); }
  Numbers numbers(Value value) const { return array(value).numbers; }
  double number(Value value) const {
    const Numbers all = numbers(value);
    REQUIRE(all.size() == 1);
    return all.front();
  }
};

/** Draws of one site at the rows of a plate, or at row 0. */
class SiteDraws : public catalog::Draws {
public:
  SiteDraws(ir::Builder& builder, Value row, std::string site = "site")
      : builder_(&builder), row_(row), site_(std::move(site)) {}

  ir::Builder& builder() override { return *builder_; }
  Value normal(const Shape& shape) override { return draw(ir::RandomKind::normal, shape, {}); }
  Value uniform(const Shape& shape) override { return draw(ir::RandomKind::uniform, shape, {}); }
  Value log_gamma(Value alpha) override {
    return ir::attach_log_gamma_derivative(alpha,
                                           draw(ir::RandomKind::log_gamma, alpha.type().shape, {alpha}));
  }
  Value poisson(Value rate) override { return draw(ir::RandomKind::poisson, rate.type().shape, {rate}); }
  Value binomial(Value trials, Value probability) override {
    return draw(ir::RandomKind::binomial, probability.type().shape, {trials, probability});
  }

private:
  Value draw(ir::RandomKind kind, const Shape& shape, const std::vector<Value>& parameters) {
    return builder_->random(kind, site_ + "/" + std::to_string(calls_++), row_, builder_->integer(0), shape,
                            parameters);
  }

  ir::Builder* builder_;
  Value row_;
  std::string site_;
  int calls_ = 0;
};

/** |a - b| <= tolerance (1 + |b|), and equal infinities. */
inline bool close(double a, double b, double tolerance) {
  return a == b || std::abs(a - b) <= tolerance * (1 + std::abs(b));
}

/** Compares the derivative of `value` (a scalar) in every entry of every input, which are parameters of the
 * program, with central differences. */
inline void check_gradient(Program& program, Value value, const std::vector<Value>& inputs,
                           double tolerance) {
  const std::vector<Value> gradients = autodiff::gradients(program.builder, value, inputs);
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const auto index = static_cast<std::size_t>(program.graph.node(inputs[k].id()).index);
    const Numbers found = program.numbers(gradients[k]);
    Numbers& numbers = program.inputs.parameters[index];
    REQUIRE(found.size() == numbers.size());
    for (std::size_t j = 0; j < numbers.size(); ++j) {
      const double centre = numbers[j];
      const double step = 1e-4 * std::max(1e-2, std::abs(centre));
      const auto difference = [&](double h) {
        numbers[j] = centre + h;
        const double above = program.number(value);
        numbers[j] = centre - h;
        const double below = program.number(value);
        numbers[j] = centre;
        return (above - below) / (2 * h);
      };
      const double expected = (4 * difference(step / 2) - difference(step)) / 3;
      INFO("input " << k << " entry " << j << ": derivative " << found[j] << ", difference " << expected);
      CHECK(close(found[j], expected, tolerance));
    }
  }
}

/** The parameters of an oracle row: inputs of the program, or literals where they are whole numbers of
 * trials. */
inline std::vector<Value> bind_parameters(Program& program, const nlohmann::json& parameters,
                                          const std::vector<catalog::DistributionParameter>& declared) {
  std::vector<Value> values;
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    const auto numbers = parameters[k].at("numbers").get<Numbers>();
    const Shape shape = shape_of(parameters[k].at("shape"));
    values.push_back(declared[k].integer ? program.builder.literal(ir::Element::integer, shape, numbers)
                                         : program.parameter(shape, numbers));
  }
  return values;
}

} // namespace plait::test
