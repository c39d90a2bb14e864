#include "compiler/guide/families/rows.hpp"
#include "compiler/guide/families/unconstrained.hpp"

#include <cmath>

namespace plait::guide {
namespace {

// Independent normals in unconstrained space.
class NormalFamily final : public Family {
public:
  NormalFamily(const catalog::Initializer& location, double scale)
      : location_(location), log_scale_(std::log(scale)) {}

  LatentDraw draw(const SiteContext& context) override {
    const ir::Value loc = site_location(context, "loc", location_);
    const ir::Value log_scale = site_parameter(context, "log_scale", log_scale_);
    return normal_draw(context, loc, log_scale);
  }

private:
  catalog::Initializer location_;
  double log_scale_;
};

} // namespace

const FamilyRow normal_family{
    .name = "normal",
    .options = +[] { return std::vector<catalog::Option>{scale_option, radius_option}; },
    .known_sizes = KnownSizes::none,
    .make = +[](const FamilyContext& context) -> std::unique_ptr<Family> {
      return std::make_unique<NormalFamily>(location_start(context), start_scale(context));
    },
};

} // namespace plait::guide
