/** \file
 * What a loop region leaves to the code after it.
 */
#pragma once

#include "compiler/tensor_ir/build.hpp"

#include <functional>
#include <vector>

namespace plait::elbo {

/** Values of one iteration that a loop hands over when it is closed, each with what becomes of its result:
 * the array over the iterations, or the sum over them. */
class HandedOver {
public:
  void add(ir::Value value, std::function<void(ir::Value)> take) {
    values_.push_back(value);
    takes_.push_back(std::move(take));
  }
  const std::vector<ir::Value>& values() const { return values_; }
  /** `results`: one for each value, in order. */
  void take(const std::vector<ir::Value>& results) const {
    for (std::size_t k = 0; k < takes_.size(); ++k)
      takes_[k](results.at(k));
  }

private:
  std::vector<ir::Value> values_;
  std::vector<std::function<void(ir::Value)>> takes_;
};

} // namespace plait::elbo
