#include "compiler/guide/families/unconstrained.hpp"

#include "compiler/catalog/ops.hpp"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

namespace plait::guide {

namespace {

ir::Value declare(const SiteContext& context, std::string_view suffix, const std::vector<ir::Extent>& shape,
                  const std::vector<ir::AxisId>& plates, RegisteredParameter registration) {
  std::vector<ir::Extent> whole = context.site->loops;
  whole.insert(whole.end(), shape.begin(), shape.end());
  registration.shape = whole;
  ir::Value value = context.parameters->declare(fmt::format("{}.{}", context.site->name, suffix), whole,
                                                plates, "guide", std::move(registration));
  for (ir::Value index : context.loop_indices)
    value = context.builder->gather(value, index, 0);
  return value;
}

} // namespace

ir::Value site_parameter(const SiteContext& context, std::string_view suffix,
                         const catalog::Initializer& start) {
  return site_parameter(context, suffix, start, context.site->unconstrained, context.site->plates);
}

ir::Value site_parameter(const SiteContext& context, std::string_view suffix,
                         const catalog::Initializer& start, const std::vector<ir::Extent>& shape,
                         const std::vector<ir::AxisId>& plates) {
  RegisteredParameter registration;
  registration.start.initializer = start;
  return declare(context, suffix, shape, plates, std::move(registration));
}

ir::Value site_location(const SiteContext& context, std::string_view suffix,
                        const catalog::Initializer& start) {
  RegisteredParameter registration;
  registration.start.initializer = start;
  registration.locations = {{*context.site, 0}};
  return declare(context, suffix, context.site->unconstrained, context.site->plates, std::move(registration));
}

catalog::Initializer location_start(const FamilyContext& context) {
  using Kind = catalog::Initializer::Kind;
  const double radius = context.options.at("radius");
  if (!(radius >= 0) || !std::isfinite(radius))
    throw std::invalid_argument("radius must be a number, 0 or more");
  return radius == 0 ? catalog::Initializer{Kind::constant, 0} : catalog::Initializer{Kind::uniform, radius};
}

std::int64_t whole_option(const FamilyContext& context, const char* name, std::int64_t least) {
  const double value = context.options.at(name);
  if (value < static_cast<double>(least) || value > 1e6 || value != std::floor(value))
    throw std::invalid_argument(fmt::format("{} must be a whole number, at least {}", name, least));
  return static_cast<std::int64_t>(value);
}

double start_scale(const FamilyContext& context) {
  const double scale = context.options.at("scale");
  if (!(scale > 0) || !std::isfinite(scale))
    throw std::invalid_argument("scale must be a positive number");
  return scale;
}

// u = loc + scale * e, e ~ N(0, 1), independent in every coordinate;
// log q(u) = sum(-e^2/2 - log scale - log sqrt(2 pi)),  H(u) = sum(log scale) + n (1 + log 2 pi)/2.
LatentDraw normal_draw(const SiteContext& context, ir::Value loc, ir::Value log_scale) {
  ir::Builder& builder = *context.builder;
  const ir::Value scale = ir::exp(log_scale);
  const ir::Value noise = context.draws->normal(context.site->unconstrained);
  const ir::Value unconstrained = loc + scale * noise;
  // Written with (u - loc) / scale and not with the noise: stopping the gradient at loc and scale then
  // leaves the path through u, which sticking-the-landing needs.
  const auto log_density = [&](ir::Value at_loc, ir::Value at_scale, ir::Value at_log_scale) {
    const ir::Value standard = (unconstrained - at_loc) / at_scale;
    return builder.sum_event(-0.5 * ir::square(standard) - at_log_scale - half_log_two_pi);
  };
  const ir::Type drawn = noise.type(); // not a reference: the graph grows
  const ir::Value spread =
      builder.sum_event(builder.broadcast_like(log_scale + (0.5 + half_log_two_pi), drawn));
  LatentDraw draw =
      constrain_draw(context, unconstrained,
                     context.detach_density ? log_density(ir::stop_gradient(loc), ir::stop_gradient(scale),
                                                          ir::stop_gradient(log_scale))
                                            : log_density(loc, scale, log_scale),
                     spread);
  if (context.site->support.kind == catalog::SupportKind::real) {
    draw.distribution = catalog::find_distribution("normal");
    draw.distribution_parameters = {loc, scale};
  }
  return draw;
}

LatentDraw constrain_draw(const SiteContext& context, ir::Value unconstrained,
                          std::optional<ir::Value> log_prob, std::optional<ir::Value> entropy) {
  ir::Builder& builder = *context.builder;
  const catalog::Support& support = context.site->support;
  LatentDraw draw;
  if (support.kind == catalog::SupportKind::real || context.location_is_value) {
    draw.value = unconstrained;
    draw.log_prob = log_prob;
    draw.entropy = entropy;
    return draw;
  }
  const catalog::Constrained constrained =
      catalog::constrain(builder, support, context.bounds, unconstrained, context.site->shape);
  const ir::Value log_det = builder.sum_event(constrained.log_abs_det_jacobian);
  draw.value = constrained.value;
  if (log_prob)
    draw.log_prob = *log_prob - log_det;
  if (entropy)
    draw.entropy = *entropy + log_det;
  return draw;
}

std::int64_t known_size(const LatentSite& site, const ir::Graph& graph) {
  std::int64_t size = 1;
  const auto multiply = [&](const ir::Extent& extent) {
    if (!extent.is_known())
      throw std::invalid_argument(fmt::format(
          "the size {} of site {} is not known before the step is compiled", extent.name, site.name));
    size *= extent.value;
  };
  for (const ir::Extent& extent : site.loops)
    multiply(extent);
  for (const ir::Extent& extent : site.unconstrained)
    multiply(extent);
  for (ir::AxisId axis : site.plates)
    multiply(graph.axis(axis).extent);
  return size;
}

} // namespace plait::guide
