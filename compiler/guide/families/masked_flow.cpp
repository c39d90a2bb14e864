#include "compiler/guide/families/masked_flow.hpp"

#include "compiler/catalog/ops.hpp"
#include "compiler/guide/families/unconstrained.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

namespace plait::guide {

namespace {

using catalog::Initializer;
using ir::Extent;
using ir::Value;

// Scales of one layer stay in (e^-2, e^2): a flow cannot leave the range of numbers in one step of the
// optimizer.
constexpr double largest_log_scale = 2;

Value degree_literal(ir::Builder& builder, const std::vector<int>& degrees) {
  return builder.literal(ir::Element::integer, {Extent::known(static_cast<std::int64_t>(degrees.size()))},
                         std::vector<double>(degrees.begin(), degrees.end()));
}

/** `weights` [rows, columns], 0 where the column may not be read: read when column < row, or <= with `equal`.
 */
Value masked(Value weights, const std::vector<int>& rows, const std::vector<int>& columns, bool equal) {
  ir::Builder& builder = weights.builder();
  const Extent height = Extent::known(static_cast<std::int64_t>(rows.size()));
  const Extent width = Extent::known(static_cast<std::int64_t>(columns.size()));
  const Value row = builder.expand(degree_literal(builder, rows), 1, width);
  const Value column = builder.expand(degree_literal(builder, columns), 0, height);
  return weights * ir::to_real(equal ? ir::less_equal(column, row) : ir::less(column, row));
}

} // namespace

FlowLayer::FlowLayer(const FamilyContext& context, const std::string& name, std::vector<int> degrees,
                     std::int64_t hidden)
    : depth_(*std::max_element(degrees.begin(), degrees.end())) {
  using Kind = Initializer::Kind;
  ir::Builder& builder = *context.builder;
  const auto n = static_cast<std::int64_t>(degrees.size());
  const Extent size = Extent::known(n);
  const Extent width = Extent::known(hidden);
  // A hidden unit of degree d reads coordinates of degree <= d, and is read by those of degree > d.
  std::vector<int> units;
  for (std::int64_t k = 0; k < hidden; ++k)
    units.push_back(static_cast<int>(k * depth_ / hidden));
  const auto declare = [&](const char* weight, const std::vector<Extent>& shape, Initializer start) {
    return joint_parameter(context, name + "." + weight, shape, start);
  };
  const Initializer zero{Kind::constant, 0};
  // An optimizer that moves every weight by its learning rate moves a sum over many inputs by much more:
  // damped by the root of their number, wide flows stay stable at the rates that suit the other parameters.
  const double by_units = 1 / std::sqrt(static_cast<double>(hidden));
  const double by_inputs = 1 / std::sqrt(static_cast<double>(n));
  weights_.in = masked(declare("in", {width, size}, {Kind::normal, by_inputs}), units, degrees, true);
  weights_.in_bias = declare("in_bias", {width}, {Kind::uniform, 1});
  weights_.scale = by_units * masked(declare("scale", {size, width}, zero), degrees, units, false);
  weights_.shift = by_units * masked(declare("shift", {size, width}, zero), degrees, units, false);
  weights_.skip = by_inputs * masked(declare("skip", {size, size}, zero), degrees, degrees, false);
  std::vector<double> moves;
  for (int degree : degrees)
    moves.push_back(degree > 0 ? 1 : 0);
  const Value moved = builder.literal(ir::Element::real, {size}, std::move(moves));
  weights_.scale_bias = moved * declare("scale_bias", {size}, zero);
  weights_.shift_bias = moved * declare("shift_bias", {size}, zero);
  if (context.detach_density)
    held_ = {ir::stop_gradient(weights_.in),    ir::stop_gradient(weights_.in_bias),
             ir::stop_gradient(weights_.scale), ir::stop_gradient(weights_.scale_bias),
             ir::stop_gradient(weights_.shift), ir::stop_gradient(weights_.shift_bias),
             ir::stop_gradient(weights_.skip)};
}

FlowLayer::Affine FlowLayer::affine(const Weights& weights, Value z) {
  ir::Builder& builder = z.builder();
  const Value units = ir::tanh(builder.matmul(weights.in, z) + weights.in_bias);
  const Value raw = builder.matmul(weights.scale, units) + weights.scale_bias;
  return {largest_log_scale * ir::tanh(raw / largest_log_scale),
          builder.matmul(weights.shift, units) + builder.matmul(weights.skip, z) + weights.shift_bias};
}

FlowLayer::Step FlowLayer::forward(Value z) const {
  const Affine step = affine(weights_, z);
  return {z * ir::exp(step.log_scale) + step.shift, step.log_scale};
}

// z = (image - t(z)) exp(-s(z)) is a fixed point that one pass solves for one more degree. The passes begin
// at the solution, so they change no value; each gives one more degree its exact derivative in `image`.
FlowLayer::Step FlowLayer::inverse(Value image, Value z) const {
  ir::Builder& builder = image.builder();
  const Value start = ir::stop_gradient(z);
  const ir::NodeId loop = builder.begin_loop(Extent::known(depth_ + 1), false, std::vector<Value>{start});
  const Affine step = affine(held_, builder.loop_argument(loop, 0));
  const Value next = (image - step.shift) * ir::exp(-step.log_scale);
  const Value solved = builder.finish_loop(loop, std::vector<Value>{next}, {}, {}).carried.at(0);
  return {solved, affine(held_, solved).log_scale};
}

FlowStack::FlowStack(const FamilyContext& context, const std::vector<std::vector<int>>& degrees,
                     std::int64_t hidden, double scale)
    : detach_(context.detach_density) {
  using Kind = Initializer::Kind;
  const Extent size = Extent::known(static_cast<std::int64_t>(degrees.at(0).size()));
  for (std::size_t k = 0; k < degrees.size(); ++k)
    layers_.emplace_back(context, fmt::format("flow{}", k + 1), degrees[k], hidden);
  loc_ = joint_parameter(context, "loc", {size}, location_start);
  log_scale_ = joint_parameter(context, "log_scale", {size}, {Kind::constant, std::log(scale)});
}

FlowStack::Image FlowStack::forward(Value noise) {
  ir::Builder& builder = noise.builder();
  passed_ = {noise};
  image_.log_det = builder.sum_event(log_scale_);
  for (const FlowLayer& layer : layers_) {
    const FlowLayer::Step step = layer.forward(passed_.back());
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
      const FlowLayer::Step step = layers_[k].inverse(vector, passed_[k]);
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

std::int64_t whole_option(const FamilyContext& context, const char* name, std::int64_t least) {
  const double value = context.options.at(name);
  if (value < static_cast<double>(least) || value > 1e6 || value != std::floor(value))
    throw std::invalid_argument(fmt::format("{} must be a whole number, at least {}", name, least));
  return static_cast<std::int64_t>(value);
}

} // namespace

std::unique_ptr<Family> make_flow_family(const FamilyContext& context, Degrees degrees) {
  JointLayout layout(context.sites, context.builder->graph());
  const std::int64_t n = layout.size();
  const std::int64_t flows = whole_option(context, "flows", 1);
  std::int64_t hidden = whole_option(context, "hidden", 0);
  const double scale = start_scale(context);
  if (n == 0)
    return std::make_unique<EmptyFamily>();
  if (hidden == 0)
    hidden = std::clamp<std::int64_t>(2 * n, 8, 128);
  std::vector<std::vector<int>> layers;
  for (std::int64_t layer = 0; layer < flows; ++layer)
    layers.push_back(degrees(n, layer));
  return std::make_unique<FlowFamily>(context, std::move(layout), FlowStack(context, layers, hidden, scale));
}

} // namespace plait::guide
