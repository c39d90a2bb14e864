#pragma once

#include "compiler/program/dim.hpp"
#include "compiler/tensor_ir/type.hpp"

#include <map>
#include <string>
#include <vector>

namespace plait::program {

/// Translates sizes to the extents that catalog rows speak, and the extents they answer with back to sizes.
class ExtentNames {
public:
  ir::Extent extent(const Dim& dim) {
    if (dim.is_known())
      return ir::Extent::known(dim.constant);
    std::string name = to_string(dim);
    dims_.emplace(name, dim);
    return ir::Extent::runtime(name);
  }

  std::vector<ir::Extent> extents(const std::vector<Dim>& dims) {
    std::vector<ir::Extent> result;
    for (const Dim& dim : dims)
      result.push_back(extent(dim));
    return result;
  }

  /// An extent the row made up itself becomes a size of that name.
  Dim dim(const ir::Extent& extent) const {
    if (extent.is_known())
      return Dim::known(extent.value);
    auto found = dims_.find(extent.name);
    return found == dims_.end() ? Dim::named(extent.name) : found->second;
  }

  std::vector<Dim> dims(const std::vector<ir::Extent>& extents) const {
    std::vector<Dim> result;
    for (const ir::Extent& extent : extents)
      result.push_back(dim(extent));
    return result;
  }

private:
  std::map<std::string, Dim> dims_;
};

} // namespace plait::program
