#include "compiler/guide/families/joint.hpp"
#include "compiler/guide/families/rows.hpp"
#include "compiler/guide/families/unconstrained.hpp"

#include "compiler/catalog/ops.hpp"

#include <cmath>
#include <stdexcept>
#include <utility>

namespace plait::guide {
namespace {

// u = loc + F a + D e, F [n, r], D = exp(d) diagonal, a and e standard normal: covariance S = F F' + D^2.
// With C = I + F' D^-2 F = L L' (matrix determinant lemma and Woodbury identity):
//   log det S = 2 sum(d) + 2 sum(log diag L)
//   x' S^-1 x = |x / D|^2 - |L^-1 F' D^-2 x|^2
//   H = (log det S + n (1 + log 2 pi)) / 2.
class LowRankFamily final : public Family {
public:
  LowRankFamily(const FamilyContext& context, JointLayout layout) : layout_(std::move(layout)) {
    using ir::Extent;
    ir::Builder& builder = *context.builder;
    const std::int64_t n = layout_.size();
    const double requested = context.options.at("rank");
    if (requested < 0 || requested != std::floor(requested))
      throw std::invalid_argument("rank must be a whole number, at least 1");
    // Rank 0 stands for the default, sqrt(n): the usual compromise between cost and covariance (Ong et al.
    // 2018).
    const std::int64_t rank = requested == 0
                                  ? static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(n))))
                                  : static_cast<std::int64_t>(requested);
    const Extent extent = Extent::known(n);
    const Extent columns = Extent::known(rank);
    const double scale = start_scale(context);
    using Kind = catalog::Initializer::Kind;
    const ir::Value loc = joint_location(context, layout_);
    const ir::Value log_diagonal =
        joint_parameter(context, "log_diagonal", {extent}, {Kind::constant, std::log(scale)});
    // Not at 0: F = 0 is a stationary point of the ELBO.
    const ir::Value factor =
        joint_parameter(context, "factor", {extent, columns},
                        {Kind::normal, 0.5 * scale / std::sqrt(static_cast<double>(rank))});
    catalog::Draws& draws = context.joint_draws("auto");
    const ir::Value noise = draws.normal({extent});
    const ir::Value common = draws.normal({columns});
    ir::Value deviation = builder.matmul(factor, common) + ir::exp(log_diagonal) * noise;
    vector_ = loc + deviation;
    const auto held = [&](ir::Value value) {
      return context.detach_density ? ir::stop_gradient(value) : value;
    };
    if (context.detach_density)
      deviation = vector_ - held(loc);

    const ir::Value inverse_scale = held(ir::exp(-log_diagonal));
    const ir::Value scaled_factor = held(factor) * builder.expand(inverse_scale, 1, columns); // D^-1 F
    const ir::Value identity = builder.literal(ir::Element::real, {columns, columns}, identity_of(rank));
    const ir::Value capacitance =
        builder.matmul(builder.transpose(scaled_factor, {1, 0}), scaled_factor) + identity;
    const ir::Value lower = builder.cholesky(capacitance);
    const ir::Value diagonal = builder.sum(lower * identity, {}, {1});
    const ir::Value half_log_det =
        builder.sum_event(held(log_diagonal)) + builder.sum_event(ir::log(diagonal));
    const ir::Value standard = deviation * inverse_scale; // D^-1 x
    const ir::Value projected =
        builder.solve_lower(lower, builder.matmul(builder.transpose(scaled_factor, {1, 0}), standard));
    const ir::Value distance =
        builder.sum_event(ir::square(standard)) - builder.sum_event(ir::square(projected));
    log_prob_ = -0.5 * distance - half_log_det - static_cast<double>(n) * half_log_two_pi;
    entropy_ = half_log_det + static_cast<double>(n) * (0.5 + half_log_two_pi);
  }

  LatentDraw draw(const SiteContext& context) override {
    LatentDraw draw = joint_draw(context, layout_, vector_);
    draw.joint_log_prob = std::exchange(log_prob_, std::nullopt);
    draw.joint_entropy = std::exchange(entropy_, std::nullopt);
    return draw;
  }

private:
  static std::vector<double> identity_of(std::int64_t rank) {
    std::vector<double> numbers(static_cast<std::size_t>(rank * rank), 0.0);
    for (std::int64_t k = 0; k < rank; ++k)
      numbers[static_cast<std::size_t>(k * rank + k)] = 1.0;
    return numbers;
  }

  JointLayout layout_;
  ir::Value vector_;
  std::optional<ir::Value> log_prob_;
  std::optional<ir::Value> entropy_;
};

} // namespace

const FamilyRow low_rank_family{
    .name = "low_rank",
    .options =
        +[] {
          return std::vector<catalog::Option>{
              {"rank", 0, "columns of the factor; 0: square root of the number of latents"},
              scale_option,
              radius_option};
        },
    .known_sizes = KnownSizes::all,
    .make = +[](const FamilyContext& context) -> std::unique_ptr<Family> {
      return std::make_unique<LowRankFamily>(context, JointLayout(context.sites, context.builder->graph()));
    },
};

} // namespace plait::guide
