/** \file
 * Normalizing flows over the joint vector of all latents whose layers are shifts and scales by a masked net
 * (Germain et al. 2015, MADE; Kingma et al. 2016; Dinh et al. 2017).
 */
#pragma once

#include "compiler/guide/families/joint.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace plait::guide {

/** One layer z -> z exp(s(z)) + t(z). Coordinate i has a degree, and s_i and t_i read only coordinates of
 * smaller degree: the Jacobian is triangular in the order of degrees, with log determinant sum(s).
 * Coordinates of degree 0 pass unchanged. At the start s = t = 0. */
class FlowLayer {
public:
  /** Declares the weights `auto.NAME.…` of a net with `hidden` tanh units. */
  FlowLayer(const FamilyContext& context, const std::string& name, std::vector<int> degrees,
            std::int64_t hidden);

  struct Step {
    ir::Value vector;
    ir::Value log_scale; ///< s(z); its sum is the log determinant
  };
  Step forward(ir::Value z) const;
  /** z from forward(z), as a function of `image` alone: the weights are held fixed. `z` is its value, known
   * from the way forward; `log_scale` is s there. */
  Step inverse(ir::Value image, ir::Value z) const;

private:
  struct Weights {
    ir::Value in, in_bias, scale, scale_bias, shift, shift_bias, skip;
  };
  struct Affine {
    ir::Value log_scale, shift;
  };
  static Affine affine(const Weights& weights, ir::Value z);

  int depth_ = 0; ///< the largest degree
  Weights weights_, held_;
};

/** All layers: standard normal noise -> flow -> loc + exp(log_scale) * (…). */
class FlowStack {
public:
  FlowStack(const FamilyContext& context, const std::vector<std::vector<int>>& degrees, std::int64_t hidden,
            double scale);

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
  std::vector<FlowLayer> layers_;
  ir::Value loc_, log_scale_;
  std::vector<ir::Value> passed_; ///< the noise, then the result of every layer
  Image image_;
};

/** Degrees of `size` coordinates in layer number `layer`. */
using Degrees = std::vector<int> (*)(std::int64_t size, std::int64_t layer);

/** A family over all latents from the options `flows`, `hidden` and `scale`.
 * \throws std::invalid_argument for options that are no positive whole numbers, and what JointLayout throws.
 */
std::unique_ptr<Family> make_flow_family(const FamilyContext& context, Degrees degrees);

} // namespace plait::guide
