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

/** How a parameter starts and how it is reported. */
struct ParameterStart {
  std::vector<double> numbers; ///< unconstrained start of one element, row-major; empty: use `initializer`
  program::ExprPtr expression; ///< the user's constrained start; null: `initializer`
  catalog::Initializer initializer; ///< for weights of nets, drawn from the seed
};

struct RegisteredParameter {
  ParameterStart start;
  catalog::Support support;             ///< of the constrained value
  std::vector<ir::Extent> shape;        ///< of the constrained value of one element
  ir::NodeId constrained = ir::no_node; ///< node of the constrained value, where one was made
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
