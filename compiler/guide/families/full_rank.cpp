#include "compiler/guide/families/joint.hpp"
#include "compiler/guide/families/rows.hpp"
#include "compiler/guide/families/unconstrained.hpp"

#include "compiler/catalog/ops.hpp"

#include <cmath>
#include <utility>

namespace plait::guide {
namespace {

constexpr double half_log_two_pi = 0.91893853320467274178;

// u = loc + L e, L lower triangular with diagonal exp(d):
// log q(u) = -sum(e^2)/2 - sum(d) - n log sqrt(2 pi),  H = sum(d) + n (1 + log 2 pi)/2.
class FullRankFamily final : public Family {
public:
  FullRankFamily(const FamilyContext& context, JointLayout layout) : layout_(std::move(layout)) {
    using ir::Extent;
    ir::Builder& builder = *context.builder;
    const std::int64_t n = layout_.size();
    const Extent extent = Extent::known(n);
    constexpr auto constant = catalog::Initializer::Kind::constant;
    const auto declare = [&](const char* name, std::vector<Extent> shape, const catalog::Initializer& start) {
      RegisteredParameter registration;
      registration.start.initializer = start;
      registration.shape = shape;
      return context.parameters->declare(name, shape, {}, "guide", std::move(registration));
    };
    const ir::Value loc = declare("auto.loc", {extent}, location_start);
    const ir::Value log_diagonal =
        declare("auto.log_diagonal", {extent}, {constant, std::log(context.options.at("scale"))});
    const ir::Value lower = declare("auto.lower", {extent, extent}, {constant, 0});
    std::vector<double> below(static_cast<std::size_t>(n * n), 0.0);
    for (std::int64_t row = 0; row < n; ++row)
      for (std::int64_t column = 0; column < row; ++column)
        below[static_cast<std::size_t>(row * n + column)] = 1.0;
    const ir::Value strictly_lower =
        lower * builder.literal(ir::Element::real, {extent, extent}, std::move(below));
    const ir::Value noise = context.joint_draws("auto").normal({extent});
    const ir::Value deviation = builder.matmul(strictly_lower, noise) + ir::exp(log_diagonal) * noise;
    vector_ = loc + deviation;
    const ir::Value log_det = builder.sum_event(log_diagonal);
    log_prob_ = builder.sum_event(-0.5 * ir::square(noise) - half_log_two_pi) - log_det;
    entropy_ = log_det + static_cast<double>(n) * (0.5 + half_log_two_pi);
  }

  LatentDraw draw(const SiteContext& context) override {
    LatentDraw draw = joint_draw(context, layout_, vector_);
    draw.joint_log_prob = std::exchange(log_prob_, std::nullopt);
    draw.joint_entropy = std::exchange(entropy_, std::nullopt);
    return draw;
  }

private:
  JointLayout layout_;
  ir::Value vector_;
  std::optional<ir::Value> log_prob_;
  std::optional<ir::Value> entropy_;
};

} // namespace

const FamilyRow full_rank_family{
    .name = "full_rank",
    .options =
        +[] {
          return std::vector<FamilyOption>{{"scale", 0.1, "standard deviation at the start, unconstrained"}};
        },
    .needs_known_sizes = true,
    .make = +[](const FamilyContext& context) -> std::unique_ptr<Family> {
      return std::make_unique<FullRankFamily>(context, JointLayout(context.sites, context.builder->graph()));
    },
};

} // namespace plait::guide
