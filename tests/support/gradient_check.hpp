/** \file
 * Derivatives by autodiff against central differences of the interpreted loss.
 */
#pragma once

#include "compiler/autodiff/reverse.hpp"
#include "compiler/tensor_ir/interpret.hpp"
#include "compiler/tensor_ir/print.hpp"
#include "compiler/tensor_ir/verify.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace plait::test {

/** Compares d loss / d parameter for every number of every parameter; returns a line for each disagreement,
 * and the violations of the graph with its derivative. Draws are the same for every evaluation. Rows of
 * plate-local parameters that are not drawn have no derivative and are skipped: the check wants `rows` as the
 * minibatch of its axes. */
inline std::vector<std::string> gradient_disagreements(const ir::Graph& forward, ir::NodeId loss,
                                                       const std::vector<ir::NodeId>& parameters,
                                                       ir::Inputs inputs, double tolerance = 2e-6) {
  std::vector<std::string> found;
  ir::Graph graph = forward;
  ir::Builder builder(graph);
  std::vector<ir::Value> wanted;
  for (ir::NodeId parameter : parameters)
    wanted.push_back(builder.value(parameter));
  const std::vector<ir::Value> gradients = autodiff::gradients(builder, builder.value(loss), wanted);
  for (const std::string& violation : ir::violations(graph))
    found.push_back(violation);
  if (!found.empty())
    return found;
  std::vector<ir::NodeId> nodes;
  for (std::size_t k = 0; k < gradients.size(); ++k) {
    nodes.push_back(gradients[k].id());
    if (!(gradients[k].type() == forward.type(parameters[k])))
      found.push_back("gradient " + std::to_string(k) + " has type " +
                      ir::to_string(graph, gradients[k].type()));
  }
  if (!found.empty())
    return found;
  const std::vector<ir::DenseArray> exact = ir::interpret(graph, inputs, nodes);
  const auto value = [&] {
    return ir::interpret(forward, inputs, std::vector<ir::NodeId>{loss})[0].numbers[0];
  };
  // The place in the parameter's storage of every number of the gradient: read the parameter after filling it
  // with its own positions.
  ir::Inputs positions = inputs;
  for (auto& numbers : positions.parameters)
    for (std::size_t n = 0; n < numbers.size(); ++n)
      numbers[n] = static_cast<double>(n);
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    ir::Graph reader;
    reader.axes = forward.axes;
    reader.minibatches = forward.minibatches;
    reader.parameters = forward.parameters;
    ir::Builder read(reader);
    const std::int32_t index = forward.node(parameters[k]).index;
    const std::vector<ir::NodeId> only{read.parameter(index).id()};
    const std::vector<double> places = ir::interpret(reader, positions, only)[0].numbers;
    std::vector<double>& storage = inputs.parameters[static_cast<std::size_t>(index)];
    for (std::size_t n = 0; n < places.size(); ++n) {
      double& x = storage[static_cast<std::size_t>(places[n])];
      const double at = x, step = 1e-5 * std::max(1.0, std::fabs(at));
      x = at + step;
      const double above = value();
      x = at - step;
      const double below = value();
      x = at;
      const double difference = (above - below) / (2 * step);
      const double scale = std::max({1.0, std::fabs(difference), std::fabs(exact[k].numbers[n])});
      if (!(std::fabs(difference - exact[k].numbers[n]) <= tolerance * scale))
        found.push_back("parameter " + forward.parameters[static_cast<std::size_t>(index)].name + "[" +
                        std::to_string(n) + "]: " + std::to_string(exact[k].numbers[n]) + " by autodiff, " +
                        std::to_string(difference) + " by differences");
    }
  }
  return found;
}

} // namespace plait::test
