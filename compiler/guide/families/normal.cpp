#include "compiler/guide/families/rows.hpp"
#include "compiler/guide/families/unconstrained.hpp"

#include "compiler/catalog/ops.hpp"

#include <cmath>

namespace plait::guide {
namespace {

// u = loc + scale * e, e ~ N(0, 1), independent in every coordinate;
// log q(u) = sum(-e^2/2 - log scale - log sqrt(2 pi)),  H(u) = sum(log scale) + n (1 + log 2 pi)/2.
class NormalFamily final : public Family {
public:
  explicit NormalFamily(double scale) : log_scale_(std::log(scale)) {}

  LatentDraw draw(const SiteContext& context) override {
    ir::Builder& builder = *context.builder;
    const ir::Value loc = site_parameter(context, "loc", location_start);
    const ir::Value log_scale = site_parameter(context, "log_scale", log_scale_);
    const ir::Value scale = ir::exp(log_scale);
    const ir::Value noise = context.draws->normal(context.site->unconstrained);
    const ir::Value unconstrained = loc + scale * noise;
    // Written with (u - loc) / scale and not with the noise: stopping the gradient at loc and scale then
    // leaves the path through u, which sticking-the-landing needs.
    const auto log_density = [&](ir::Value at_loc, ir::Value at_scale, ir::Value at_log_scale) {
      const ir::Value standard = (unconstrained - at_loc) / at_scale;
      return builder.sum_event(-0.5 * ir::square(standard) - at_log_scale - half_log_two_pi);
    };
    const ir::Value spread =
        builder.sum_event(builder.broadcast_like(log_scale + (0.5 + half_log_two_pi), noise.type()));
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

private:
  double log_scale_;
};

} // namespace

const FamilyRow normal_family{
    .name = "normal",
    .options =
        +[] {
          return std::vector<FamilyOption>{{"scale", 0.1, "standard deviation at the start, unconstrained"}};
        },
    .known_sizes = KnownSizes::none,
    .make = +[](const FamilyContext& context) -> std::unique_ptr<Family> {
      return std::make_unique<NormalFamily>(start_scale(context));
    },
};

} // namespace plait::guide
