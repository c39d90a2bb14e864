#include "compiler/guide/families/rows.hpp"
#include "compiler/guide/families/unconstrained.hpp"

#include "compiler/catalog/ops.hpp"

namespace plait::guide {
namespace {

// A point u while fitting, with log q(value(u)) = -log |d value / d u|: the ELBO is then the joint density of
// u, and its maximum the mode in unconstrained space, where the Gaussian N(u, H^-1) is laid after the fit
// (Tierney & Kadane 1986). Not the mode that auto(delta) finds, which is that of the values themselves.
class LaplaceFamily final : public Family {
public:
  explicit LaplaceFamily(const catalog::Initializer& location) : location_(location) {}

  LatentDraw draw(const SiteContext& context) override {
    const ir::Value zero = context.builder->broadcast(context.builder->real(0), context.site->plates, {});
    const ir::Value point = site_location(context, "point", location_);
    LatentDraw draw = constrain_draw(context, point, zero, zero);
    draw.joint_coordinates = point; // the Gaussian has all of them
    return draw;
  }

private:
  catalog::Initializer location_;
};

} // namespace

const FamilyRow laplace_family{
    .name = "laplace",
    .options = +[] { return std::vector<catalog::Option>{radius_option}; },
    .known_sizes = KnownSizes::none,
    .make = +[](const FamilyContext& context) -> std::unique_ptr<Family> {
      return std::make_unique<LaplaceFamily>(location_start(context));
    },
    .bound_name = "log joint",
    .after_fit = AfterFit::laplace,
};

} // namespace plait::guide
