#include "compiler/guide/families/rows.hpp"
#include "compiler/guide/families/unconstrained.hpp"

namespace plait::guide {
namespace {

// A point mass at the parameter, in the space of the site itself: maximizing the ELBO gives the mode of the
// joint density (MAP), without a Jacobian, as Stan's optimizer and Pyro's AutoDelta do.
class DeltaFamily final : public Family {
public:
  LatentDraw draw(const SiteContext& context) override {
    LatentDraw draw =
        constrain_draw(context, site_parameter(context, "point", location_start), std::nullopt, std::nullopt);
    return draw;
  }
};

} // namespace

const FamilyRow delta_family{
    .name = "delta",
    .options = +[] { return std::vector<FamilyOption>{}; },
    .known_sizes = KnownSizes::none,
    .make = +[](const FamilyContext&) -> std::unique_ptr<Family> { return std::make_unique<DeltaFamily>(); },
};

} // namespace plait::guide
