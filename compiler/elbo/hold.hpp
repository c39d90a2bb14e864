/** \file
 * Values of the guide with the learned numbers in them held constant and the draws in them free, for
 * densities log q(z; phi) of which only the derivative along the draws is wanted (sticking the landing,
 * doubly reparameterized gradients). A draw z_2 of the guide may read another, z_1: then d log q(z_2 | z_1;
 * phi) / dz_1 belongs to that derivative, and stopping the parameters of q(z_2 | z_1) as a whole would lose
 * it.
 */
#pragma once

#include "compiler/tensor_ir/build.hpp"

#include <unordered_map>
#include <utility>
#include <vector>

namespace plait::elbo {

class Hold {
public:
  explicit Hold(ir::Builder& builder) : builder_(&builder) {}

  /** From here on `value` is a draw: what is computed from it keeps its derivative in it. */
  void add_draw(ir::Value value) { draws_.push_back(value.id()); }

  /** `value`, computed from the draws so far with every learned number stopped. What no draw reaches is
   * stopped as a whole, the rest is repeated from the draws on. What a loop carries or returns is decided by
   * `finish`. */
  ir::Value held(ir::Value value);

  const std::vector<ir::NodeId>& draws() const { return draws_; }

  /** To be called when no loop of the guide is open: frees what loops carry, where it is made from draws, and
   * leaves it stopped elsewhere. A carried value that is made both from draws and from learned numbers cannot
   * be told apart: it is freed, which adds noise of mean 0 to the derivative of log q.
   * \return the nodes that were freed */
  std::vector<ir::NodeId> finish();

private:
  bool near_draw(ir::NodeId node);
  ir::NodeId repeat(ir::NodeId node, std::unordered_map<ir::NodeId, ir::NodeId>& repeated);
  bool is_draw(ir::NodeId node) const;

  ir::Builder* builder_;
  std::vector<ir::NodeId> draws_; ///< ascending
  std::unordered_map<ir::NodeId, bool> near_draw_;
  std::vector<std::pair<ir::NodeId, ir::NodeId>> undecided_; ///< what a loop carries, and what stands for it
};

} // namespace plait::elbo
