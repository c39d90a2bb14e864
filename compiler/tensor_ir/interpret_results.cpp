#include "compiler/tensor_ir/interpret.hpp"

#include <stdexcept>

namespace plait::ir {

const DenseArray& Results::named(const Graph& graph, const std::string& name) const {
  for (std::size_t k = 0; k < graph.outputs.size(); ++k)
    if (graph.outputs[k].name == name)
      return outputs.at(k);
  throw std::out_of_range("no output named " + name);
}

double Results::number(const Graph& graph, const std::string& name) const {
  return named(graph, name).numbers.at(0);
}

} // namespace plait::ir
