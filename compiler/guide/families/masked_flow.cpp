#include "compiler/guide/families/masked_flow.hpp"

#include "compiler/catalog/ops.hpp"
#include "compiler/guide/families/unconstrained.hpp"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>
#include <utility>

namespace plait::guide {

using ir::Extent;
using ir::Value;

FlowStack::FlowStack(const FamilyContext& context, const JointLayout& layout,
                     const std::vector<std::vector<int>>& degrees, std::int64_t hidden, double scale)
    : detach_(context.detach_density) {
  using Kind = catalog::Initializer::Kind;
  const Extent size = Extent::known(static_cast<std::int64_t>(degrees.at(0).size()));
  const Declare declare = [&](const std::string& name, const std::vector<Extent>& shape,
                              const catalog::Initializer& start) {
    return joint_parameter(context, name, shape, start);
  };
  for (std::size_t k = 0; k < degrees.size(); ++k)
    layers_.emplace_back(*context.builder, declare, fmt::format("flow{}", k + 1), degrees[k], hidden);
  loc_ = joint_location(context, layout);
  log_scale_ = joint_parameter(context, "log_scale", {size}, {Kind::constant, std::log(scale)});
}

FlowStack::Image FlowStack::forward(Value noise) {
  ir::Builder& builder = noise.builder();
  passed_ = {noise};
  image_.log_det = builder.sum_event(log_scale_);
  for (const MaskedNet& layer : layers_) {
    const FlowStep step = move(layer, passed_.back());
    passed_.push_back(step.vector);
    image_.log_det = image_.log_det + builder.sum_event(step.log_scale);
  }
  image_.vector = loc_ + ir::exp(log_scale_) * passed_.back();
  return image_;
}

// log q(u) = log N(noise; 0, 1) - log |d u / d noise|.
Value FlowStack::log_prob() const {
  ir::Builder& builder = image_.vector.builder();
  Value noise = passed_.front();
  Value log_det = image_.log_det;
  if (detach_) {
    const Value log_scale = ir::stop_gradient(log_scale_);
    Value vector = (image_.vector - ir::stop_gradient(loc_)) * ir::exp(-log_scale);
    log_det = builder.sum_event(log_scale);
    for (std::size_t k = layers_.size(); k-- > 0;) {
      const FlowStep step = move_back(layers_[k], vector, passed_[k], layers_[k].depth());
      vector = step.vector;
      log_det = log_det + builder.sum_event(step.log_scale);
    }
    noise = vector;
  }
  return builder.sum_event(-0.5 * ir::square(noise) - half_log_two_pi) - log_det;
}

namespace {

class FlowFamily final : public Family {
public:
  FlowFamily(const FamilyContext& context, JointLayout layout, FlowStack stack) : layout_(std::move(layout)) {
    vector_ = stack.forward(context.joint_draws("auto").normal({Extent::known(layout_.size())})).vector;
    log_prob_ = stack.log_prob();
  }

  LatentDraw draw(const SiteContext& context) override {
    LatentDraw draw = joint_draw(context, layout_, vector_);
    draw.joint_log_prob = std::exchange(log_prob_, std::nullopt);
    return draw;
  }

private:
  JointLayout layout_;
  Value vector_;
  std::optional<Value> log_prob_;
};

/** Of a model without latents: never asked. */
class EmptyFamily final : public Family {
public:
  LatentDraw draw(const SiteContext& context) override {
    throw std::logic_error("a latent that the layout does not hold: " + context.site->name);
  }
};

} // namespace

std::unique_ptr<Family> make_flow_family(const FamilyContext& context, catalog::FlowKind kind) {
  JointLayout layout(context.sites, context.builder->graph());
  const std::int64_t n = layout.size();
  const std::int64_t flows = whole_option(context, "flows", 1);
  std::int64_t hidden = whole_option(context, "hidden", 0);
  const double scale = start_scale(context);
  if (n == 0)
    return std::make_unique<EmptyFamily>();
  if (hidden == 0)
    hidden = flow_units(n);
  std::vector<std::vector<int>> layers;
  for (std::int64_t layer = 0; layer < flows; ++layer)
    layers.push_back(flow_degrees(kind, n, layer));
  FlowStack stack(context, layout, layers, hidden, scale);
  return std::make_unique<FlowFamily>(context, std::move(layout), std::move(stack));
}

} // namespace plait::guide
