#include "compiler/guide/families/masked_flow.hpp"
#include "compiler/guide/families/rows.hpp"
#include "compiler/guide/families/unconstrained.hpp"

namespace plait::guide {

// Affine coupling (Dinh et al. 2017, Density Estimation using Real NVP): one half moves by a function of the
// other, which stays. Layers take turns, two that part the coordinates in the middle, then two that part even
// from odd: every pair is on two sides in time.
const FamilyRow coupling_family{
    .name = "coupling",
    .options =
        +[] {
          return std::vector<catalog::Option>{
              {"flows", 4, "layers"},
              {"hidden", 0, "units of each layer's net; 0: twice the number of latents, between 8 and 128"},
              scale_option,
              radius_option};
        },
    .known_sizes = KnownSizes::all,
    .make =
        +[](const FamilyContext& context) { return make_flow_family(context, catalog::FlowKind::halves); },
};

} // namespace plait::guide
