/** \file
 * The learnable arrays of a program, collected while the model and guide are walked.
 */
#pragma once

#include "compiler/catalog/layer.hpp"
#include "compiler/catalog/support.hpp"
#include "compiler/program/program.hpp"
#include "compiler/tensor_ir/build.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace plait::guide {

/** A latent site of the model, known before any node is made. */
struct LatentSite {
  std::string name;
  std::vector<ir::Extent> shape;  ///< batch + event
  std::vector<ir::AxisId> plates; ///< ascending
  std::vector<ir::Extent> loops;  ///< extents of the enclosing loops, outermost first
  catalog::Support support;
  std::vector<ir::Extent> unconstrained; ///< shape of one unconstrained value
};

/** How a parameter starts and how it is reported. */
struct ParameterStart {
  std::vector<double> numbers; ///< unconstrained start of one element, row-major; empty: use `initializer`
  program::ExprPtr expression; ///< the user's constrained start; null: `initializer`
  catalog::Initializer initializer; ///< for weights of nets, drawn from the seed
};

/** The part of a parameter that says where a site lies in unconstrained space: from number `start` on,
 * row-major over the plates of the site, its loops, and its unconstrained shape. */
struct Location {
  LatentSite site;
  std::int64_t start = 0;
};

struct RegisteredParameter {
  ParameterStart start;
  catalog::Support support;             ///< of the constrained value
  std::vector<ir::Extent> shape;        ///< of the constrained value of one element
  ir::NodeId constrained = ir::no_node; ///< node of the constrained value, where one was made
  std::vector<Location> locations;      ///< of automatic guides: what a start for a site is a start for
  bool learnable = true;                ///< false: state that the step writes itself (running averages)
};

class Parameters {
public:
  explicit Parameters(ir::Builder& builder) : builder_(&builder) {}

  /** The node of parameter `name`, declared on first use. One element has the unconstrained shape; `axes` are
   * the plates it is local to. */
  ir::Value declare(const std::string& name, const std::vector<ir::Extent>& shape,
                    const std::vector<ir::AxisId>& axes, const std::string& group,
                    RegisteredParameter registration);
  std::int32_t find(const std::string& name) const; ///< -1 when not declared

  RegisteredParameter& at(std::int32_t index) { return registered_[static_cast<std::size_t>(index)]; }
  const std::vector<RegisteredParameter>& all() const { return registered_; }

private:
  ir::Builder* builder_;
  std::vector<RegisteredParameter> registered_;
};

} // namespace plait::guide
