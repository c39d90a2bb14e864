#include "compiler/guide/families/joint.hpp"

#include "compiler/catalog/ops.hpp"
#include "compiler/guide/families/unconstrained.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace plait::guide {

JointLayout::JointLayout(std::span<const LatentSite> sites, const ir::Graph& graph) {
  for (const LatentSite& site : sites) {
    for (ir::AxisId axis : site.plates)
      if (graph.axis(axis).subsampled)
        throw std::invalid_argument(fmt::format(
            "site {} lies in the subsampled plate {}: a joint guide would need all its rows at every step",
            site.name, graph.axis(axis).name));
    start_[site.name] = size_;
    size_ += known_size(site, graph);
  }
}

ir::Value JointLayout::piece(const SiteContext& context, ir::Value vector) const {
  const LatentSite& site = *context.site;
  ir::Builder& builder = *context.builder;
  const ir::Graph& graph = builder.graph();
  std::vector<ir::Extent> shape;
  for (ir::AxisId axis : site.plates)
    shape.push_back(graph.axis(axis).extent);
  shape.insert(shape.end(), site.loops.begin(), site.loops.end());
  shape.insert(shape.end(), site.unconstrained.begin(), site.unconstrained.end());
  ir::Value value = builder.slice(vector, 0, ir::Extent::known(start_.at(site.name)),
                                  ir::Extent::known(known_size(site, graph)));
  value = builder.reshape(value, shape);
  for (ir::AxisId axis : site.plates)
    value = builder.gather(value, builder.axis_index(axis), 0);
  for (ir::Value index : context.loop_indices)
    value = builder.gather(value, index, 0);
  return value;
}

LatentDraw joint_draw(const SiteContext& context, const JointLayout& layout, ir::Value vector) {
  ir::Builder& builder = *context.builder;
  const ir::Value zero = builder.broadcast(builder.real(0), context.site->plates, {});
  return constrain_draw(context, layout.piece(context, vector), zero, zero);
}

} // namespace plait::guide
