#include "compiler/guide/families/rows.hpp"
#include "compiler/guide/families/unconstrained.hpp"

#include <cmath>

namespace plait::guide {
namespace {

// Independent normals in unconstrained space.
class NormalFamily final : public Family {
public:
  explicit NormalFamily(double scale) : log_scale_(std::log(scale)) {}

  LatentDraw draw(const SiteContext& context) override {
    const ir::Value loc = site_parameter(context, "loc", location_start);
    const ir::Value log_scale = site_parameter(context, "log_scale", log_scale_);
    return normal_draw(context, loc, log_scale);
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
