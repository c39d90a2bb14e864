#include "compiler/guide/families/joint.hpp"

#include "compiler/catalog/ops.hpp"
#include "compiler/guide/families/unconstrained.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
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
    locations_.push_back({site, size_});
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

ir::Value joint_parameter(const FamilyContext& context, const std::string& name,
                          const std::vector<ir::Extent>& shape, catalog::Initializer start) {
  RegisteredParameter registration;
  registration.start.initializer = start;
  registration.shape = shape;
  return context.parameters->declare("auto." + name, shape, {}, "guide", std::move(registration));
}

ir::Value joint_location(const FamilyContext& context, const JointLayout& layout) {
  RegisteredParameter registration;
  registration.start.initializer = location_start(context);
  registration.shape = {ir::Extent::known(layout.size())};
  registration.locations = layout.locations();
  const std::vector<ir::Extent> shape = registration.shape;
  return context.parameters->declare("auto.loc", shape, {}, "guide", std::move(registration));
}

ir::Value lower_factor(ir::Value below, ir::Value log_diagonal) {
  ir::Builder& builder = below.builder();
  const ir::Extent extent = log_diagonal.type().shape.at(0);
  const auto n = static_cast<std::size_t>(extent.value);
  std::vector<double> mask(n * n, 0.0);
  std::vector<double> identity(n * n, 0.0);
  for (std::size_t row = 0; row < n; ++row) {
    std::fill_n(mask.begin() + static_cast<std::ptrdiff_t>(row * n), row, 1.0);
    identity[row * n + row] = 1.0;
  }
  return below * builder.literal(ir::Element::real, {extent, extent}, std::move(mask)) +
         builder.expand(ir::exp(log_diagonal), 1, extent) *
             builder.literal(ir::Element::real, {extent, extent}, std::move(identity));
}

// log q(u) = -sum(e^2)/2 - sum(d) - n log sqrt(2 pi),  H = sum(d) + n (1 + log 2 pi)/2.
JointGaussian::JointGaussian(const FamilyContext& context, const JointLayout& layout, double scale) {
  using Kind = catalog::Initializer::Kind;
  ir::Builder& builder = *context.builder;
  const std::int64_t size = layout.size();
  const ir::Extent extent = ir::Extent::known(size);
  const ir::Value loc = joint_location(context, layout);
  const ir::Value log_diagonal =
      joint_parameter(context, "log_diagonal", {extent}, {Kind::constant, std::log(scale)});
  const ir::Value factor =
      lower_factor(joint_parameter(context, "lower", {extent, extent}, {Kind::constant, 0}), log_diagonal);
  const ir::Value noise = context.joint_draws("auto").normal({extent});
  deviation_ = builder.matmul(factor, noise);
  vector_ = loc + deviation_;
  ir::Value standard = noise;
  ir::Value log_det = builder.sum_event(log_diagonal);
  entropy_ = log_det + static_cast<double>(size) * (0.5 + half_log_two_pi);
  if (context.detach_density) {
    // As a function of u alone: the noise solved for again, with the parameters held fixed.
    deviation_ = vector_ - ir::stop_gradient(loc);
    standard = builder.solve_lower(ir::stop_gradient(factor), deviation_);
    log_det = ir::stop_gradient(log_det);
  }
  log_prob_ = builder.sum_event(-0.5 * ir::square(standard) - half_log_two_pi) - log_det;
}

LatentDraw joint_draw(const SiteContext& context, const JointLayout& layout, ir::Value vector) {
  ir::Builder& builder = *context.builder;
  const ir::Value zero = builder.broadcast(builder.real(0), context.site->plates, {});
  const ir::Value coordinates = layout.piece(context, vector);
  LatentDraw draw = constrain_draw(context, coordinates, zero, zero);
  draw.joint_coordinates = coordinates;
  return draw;
}

} // namespace plait::guide
