/** \file
 * Affine flows over the joint vector of all latents (Kingma et al. 2016; Dinh et al. 2017).
 */
#pragma once

#include "compiler/guide/families/joint.hpp"
#include "compiler/guide/flow.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace plait::guide {

/** All layers: standard normal noise -> flow -> loc + exp(log_scale) * (…). */
class FlowStack {
public:
  /** One layer for each row of `degrees`, of as many numbers as the layout has. */
  FlowStack(const FamilyContext& context, const JointLayout& layout,
            const std::vector<std::vector<int>>& degrees, std::int64_t hidden, double scale);

  struct Image {
    ir::Value vector;
    ir::Value log_det; ///< log |d vector / d noise|
  };
  Image forward(ir::Value noise);
  /** log q of the last image. With `detach_density` the parameters are held fixed, and the derivative is that
   * in the image alone. */
  ir::Value log_prob() const;

private:
  bool detach_;
  std::vector<MaskedNet> layers_;
  ir::Value loc_, log_scale_;
  std::vector<ir::Value> passed_; ///< the noise, then the result of every layer
  Image image_;
};

/** A family over all latents from the options `flows`, `hidden` and `scale`.
 * \throws std::invalid_argument for options that are no positive whole numbers, and what JointLayout throws.
 */
std::unique_ptr<Family> make_flow_family(const FamilyContext& context, catalog::FlowKind kind);

} // namespace plait::guide
