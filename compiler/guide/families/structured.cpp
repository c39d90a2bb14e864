#include "compiler/guide/families/joint.hpp"
#include "compiler/guide/families/rows.hpp"
#include "compiler/guide/families/unconstrained.hpp"

#include "compiler/catalog/array_math.hpp"
#include "compiler/catalog/ops.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>

namespace plait::guide {
namespace {

using Kind = catalog::Initializer::Kind;

std::vector<LatentSite> outside_plates(std::span<const LatentSite> sites) {
  std::vector<LatentSite> result;
  std::copy_if(sites.begin(), sites.end(), std::back_inserter(result),
               [](const LatentSite& site) { return site.plates.empty(); });
  return result;
}

// Follows the plates: a full-rank Gaussian u_g over the latents outside them, and given it, every row of a
// plate independent of every other:
//   u_row = loc_row + A (u_g - loc_g) + L_row e,
//   log q(u_row | u_g) = -|L_row^-1 (u_row - loc_row - A (u_g - loc_g))|^2 / 2 - sum(log diag L_row) - m log
//   sqrt(2 pi).
// A is shared by the rows, so that parameters and work grow with the rows alone. A posterior of Gaussian form
// whose groups are balanced is reached exactly. (The dependence of locals on globals: Hoffman & Blei 2015,
// Structured stochastic variational inference.)
class StructuredFamily final : public Family {
public:
  StructuredFamily(const FamilyContext& context, double scale)
      : layout_(outside_plates(context.sites), context.builder->graph()), location_(location_start(context)),
        log_scale_{Kind::constant, std::log(scale)} {
    if (layout_.size() > 0)
      globals_.emplace(context, layout_, scale);
  }

  LatentDraw draw(const SiteContext& context) override {
    LatentDraw draw =
        context.site->plates.empty() ? joint_draw(context, layout_, globals_->vector()) : draw_row(context);
    if (globals_ && !std::exchange(counted_, true)) {
      draw.joint_log_prob = globals_->log_prob();
      draw.joint_entropy = globals_->entropy();
    }
    return draw;
  }

private:
  LatentDraw draw_row(const SiteContext& context) const {
    const LatentSite& site = *context.site;
    ir::Builder& builder = *context.builder;
    const auto held = [&](ir::Value value) {
      return context.detach_density ? ir::stop_gradient(value) : value;
    };
    const bool scalar = site.unconstrained.empty();
    std::int64_t size = 1;
    for (const ir::Extent& extent : site.unconstrained)
      size *= catalog::known(extent);
    const std::vector<ir::Extent> flat =
        scalar ? std::vector<ir::Extent>{} : std::vector<ir::Extent>{ir::Extent::known(size)};
    const ir::Value loc = builder.reshape(site_location(context, "loc", location_), flat);
    const ir::Value log_diagonal = site_parameter(context, "log_diagonal", log_scale_, flat, site.plates);
    const ir::Value noise = context.draws->normal(flat);

    ir::Value center = loc;
    ir::Value held_center = held(loc);
    if (globals_) {
      std::vector<ir::Extent> slopes = flat;
      slopes.push_back(ir::Extent::known(layout_.size()));
      const ir::Value slope = site_parameter(context, "slope", {Kind::constant, 0}, slopes, {});
      center = center + builder.matmul(slope, globals_->deviation());
      held_center = held_center + builder.matmul(held(slope), globals_->deviation());
    }
    ir::Value drawn;
    ir::Value standard = noise;
    if (scalar) {
      const ir::Value scale = ir::exp(log_diagonal);
      drawn = center + scale * noise;
      standard = (drawn - held_center) / held(scale);
    } else {
      const ir::Value factor =
          lower_factor(site_parameter(context, "lower", {Kind::constant, 0}, {flat[0], flat[0]}, site.plates),
                       log_diagonal);
      drawn = center + builder.matmul(factor, noise);
      if (context.detach_density)
        standard = builder.solve_lower(held(factor), drawn - held_center);
    }
    const ir::Value log_prob = builder.sum_event(-0.5 * ir::square(standard) - half_log_two_pi) -
                               builder.sum_event(held(log_diagonal));
    const ir::Value entropy =
        builder.sum_event(log_diagonal) + static_cast<double>(size) * (0.5 + half_log_two_pi);
    LatentDraw draw = constrain_draw(context, builder.reshape(drawn, site.unconstrained), log_prob, entropy);
    if (scalar && site.support.kind == catalog::SupportKind::real) {
      // Given the globals: an expectation over them of the closed form is taken by their draw.
      draw.distribution = catalog::find_distribution("normal");
      draw.distribution_parameters = {center, ir::exp(log_diagonal)};
    }
    return draw;
  }

  JointLayout layout_;
  std::optional<JointGaussian> globals_;
  catalog::Initializer location_, log_scale_;
  bool counted_ = false;
};

} // namespace

const FamilyRow structured_family{
    .name = "structured",
    .options = +[] { return std::vector<catalog::Option>{scale_option, radius_option}; },
    .known_sizes = KnownSizes::sites,
    .make = +[](const FamilyContext& context) -> std::unique_ptr<Family> {
      return std::make_unique<StructuredFamily>(context, start_scale(context));
    },
};

} // namespace plait::guide
