#include "compiler/guide/families/joint.hpp"
#include "compiler/guide/families/rows.hpp"
#include "compiler/guide/families/unconstrained.hpp"

#include <utility>

namespace plait::guide {
namespace {

// One Gaussian with a full covariance over all latents.
class FullRankFamily final : public Family {
public:
  FullRankFamily(const FamilyContext& context, JointLayout layout)
      : layout_(std::move(layout)), joint_(context, layout_, start_scale(context)) {}

  LatentDraw draw(const SiteContext& context) override {
    LatentDraw draw = joint_draw(context, layout_, joint_.vector());
    if (!std::exchange(counted_, true)) {
      draw.joint_log_prob = joint_.log_prob();
      draw.joint_entropy = joint_.entropy();
    }
    return draw;
  }

private:
  JointLayout layout_;
  JointGaussian joint_;
  bool counted_ = false;
};

} // namespace

const FamilyRow full_rank_family{
    .name = "full_rank",
    .options = +[] { return std::vector<catalog::Option>{scale_option, radius_option}; },
    .known_sizes = KnownSizes::all,
    .make = +[](const FamilyContext& context) -> std::unique_ptr<Family> {
      return std::make_unique<FullRankFamily>(context, JointLayout(context.sites, context.builder->graph()));
    },
};

} // namespace plait::guide
