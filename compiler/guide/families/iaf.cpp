#include "compiler/guide/families/masked_flow.hpp"
#include "compiler/guide/families/rows.hpp"
#include "compiler/guide/families/unconstrained.hpp"

namespace plait::guide {

// Inverse autoregressive flow (Kingma et al. 2016, Improved Variational Inference with Inverse Autoregressive
// Flow, eq. 10): every coordinate is shifted and scaled by a function of those before it. The order is
// reversed from layer to layer.
const FamilyRow iaf_family{
    .name = "iaf",
    .options =
        +[] {
          return std::vector<catalog::Option>{
              {"flows", 2, "layers"},
              {"hidden", 0, "units of each layer's net; 0: twice the number of latents, between 8 and 128"},
              scale_option,
              radius_option};
        },
    .known_sizes = KnownSizes::all,
    .make =
        +[](const FamilyContext& context) {
          return make_flow_family(context, catalog::FlowKind::autoregressive);
        },
};

} // namespace plait::guide
