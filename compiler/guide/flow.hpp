/** \file
 * Affine flows: one layer moves a vector z to z exp(s(z)) + t(z), where s_i and t_i read only entries of z
 * that come before entry i in some order, so that the Jacobian is triangular with log determinant sum(s).
 * Shared by the families auto(iaf) and auto(coupling) and by the distribution transforms `iaf` and
 * `coupling`.
 */
#pragma once

#include "compiler/catalog/layer.hpp"
#include "compiler/catalog/transform.hpp"
#include "compiler/tensor_ir/build.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace plait::guide {

struct Affine {
  ir::Value log_scale; ///< s(z)
  ir::Value shift;     ///< t(z)
};

/** s and t of a layer at z [n]. With `held` what is learned carries no derivative: that in z alone is left.
 */
using Conditioner = std::function<Affine(ir::Value z, bool held)>;

struct FlowStep {
  ir::Value vector;
  ir::Value log_scale; ///< s at the source; its sum is the log determinant of the way forward
};

FlowStep move(const Conditioner& conditioner, ir::Value z);
/** z from its image, as a function of `image` alone: what is learned is held. `z` is its value, known from
 * the way forward; `depth` is how many entries can hang on one another: n - 1 for an autoregressive layer of
 * n, 1 for halves. */
FlowStep move_back(const Conditioner& conditioner, ir::Value image, ir::Value z, int depth);
/** z from an image that was not drawn, for layers whose net reads only entries that do not move. */
FlowStep solve_halves(const Conditioner& conditioner, ir::Value image, bool held);

/** Degrees of `size` entries in layer number `layer`: entry i reads entries of smaller degree; those of
 * degree 0 stay in a layer of halves. An autoregressive flow reverses its order from layer to layer; halves
 * take turns, two layers that part the vector in the middle, then two that part even from odd. */
std::vector<int> flow_degrees(catalog::FlowKind kind, std::int64_t size, std::int64_t layer);
/** Units of a layer's net when the program does not say: twice the number of entries, between 8 and 128. */
std::int64_t flow_units(std::int64_t size);

/** Declares a learnable array, or hands back the one of that name. */
using Declare = std::function<ir::Value(const std::string& name, const std::vector<ir::Extent>& shape,
                                        const catalog::Initializer& start)>;

/** The masked net of one layer: one layer of tanh units, and a linear way past it for the shift (Germain et
 * al. 2015, MADE). At the start s = t = 0. */
class MaskedNet {
public:
  /** Declares the weights `NAME.…` of a net with `hidden` units. `context` is a vector that every unit reads,
   * or null; `held_context` the same for values that are held. */
  MaskedNet(ir::Builder& builder, const Declare& declare, const std::string& name, std::vector<int> degrees,
            std::int64_t hidden, ir::Value context = {}, ir::Value held_context = {});

  Affine operator()(ir::Value z, bool held) const;
  int depth() const { return depth_; } ///< the largest degree

private:
  struct Weights {
    ir::Value in, in_bias, scale, scale_bias, shift, shift_bias, skip;
    ir::Value from_context; ///< what the context adds to the units, or null
  };
  Weights stopped() const;

  int depth_ = 0;
  Weights weights_;
  ir::Value held_from_context_;
};

} // namespace plait::guide
