#include "compiler/guide/parameters.hpp"

namespace plait::guide {

ir::Value Parameters::declare(const std::string& name, const std::vector<ir::Extent>& shape,
                              const std::vector<ir::AxisId>& axes, const std::string& group,
                              RegisteredParameter registration) {
  std::int32_t index = find(name);
  if (index < 0) {
    ir::Graph& graph = builder_->graph();
    index = static_cast<std::int32_t>(graph.parameters.size());
    graph.parameters.push_back({name, shape, axes, group});
    registered_.push_back(std::move(registration));
  }
  return builder_->parameter(index);
}

std::int32_t Parameters::find(const std::string& name) const {
  const ir::Graph& graph = builder_->graph();
  for (std::size_t k = 0; k < graph.parameters.size(); ++k)
    if (graph.parameters[k].name == name)
      return static_cast<std::int32_t>(k);
  return -1;
}

} // namespace plait::guide
