#include "compiler/guide/families/rows.hpp"
#include "compiler/guide/families/unconstrained.hpp"

namespace plait::guide {
namespace {

// A point mass at the parameter, in the space of the site itself: maximizing the ELBO gives the mode of the
// joint density (MAP), without a Jacobian, as Stan's optimizer and Pyro's AutoDelta do.
class DeltaFamily final : public Family {
public:
  explicit DeltaFamily(const catalog::Initializer& location) : location_(location) {}

  LatentDraw draw(const SiteContext& context) override {
    return constrain_draw(context, site_location(context, "point", location_), std::nullopt, std::nullopt);
  }

private:
  catalog::Initializer location_;
};

} // namespace

const FamilyRow delta_family{
    .name = "delta",
    .options = +[] { return std::vector<catalog::Option>{radius_option}; },
    .known_sizes = KnownSizes::none,
    .make = +[](const FamilyContext& context) -> std::unique_ptr<Family> {
      return std::make_unique<DeltaFamily>(location_start(context));
    },
    .bound_name = "log joint",
};

} // namespace plait::guide
