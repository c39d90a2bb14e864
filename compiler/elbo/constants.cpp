#include "compiler/elbo/constants.hpp"

#include "compiler/catalog/array_math.hpp"
#include "compiler/elbo/executor.hpp"
#include "compiler/tensor_ir/interpret.hpp"

namespace plait::elbo {

std::vector<double> evaluate_constant(const program::Program& program, const program::ExprPtr& expression,
                                      const std::map<std::string, std::int64_t>& sizes) {
  if (expression->random || expression->learnable || !expression->varies.empty())
    throw std::invalid_argument("it must not depend on latents, parameters or plates");
  ir::Graph graph;
  ir::Builder builder(graph);
  guide::Parameters parameters(builder);
  Sizes extents(program, graph, false, false);
  Executor executor(program, builder, extents, parameters, std::nullopt);
  const ir::Value value = executor.evaluate_constant(expression);
  ir::Inputs inputs;
  inputs.extents = sizes;
  return ir::interpret(graph, inputs, {catalog::as_real(value).id()}).at(0).numbers;
}

} // namespace plait::elbo
