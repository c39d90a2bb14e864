#include "compiler/tensor_ir/type.hpp"

#include <algorithm>
#include <iterator>

namespace plait::ir {

std::string to_string(const Extent& extent) {
  return extent.is_known() ? std::to_string(extent.value) : extent.name;
}

bool Type::has_axis(AxisId axis) const {
  return contains(axes, axis);
}

std::vector<AxisId> unite(const std::vector<AxisId>& a, const std::vector<AxisId>& b) {
  std::vector<AxisId> result;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(result));
  return result;
}

std::vector<AxisId> subtract(const std::vector<AxisId>& a, const std::vector<AxisId>& b) {
  std::vector<AxisId> result;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(result));
  return result;
}

bool contains(const std::vector<AxisId>& set, AxisId axis) {
  return std::binary_search(set.begin(), set.end(), axis);
}

bool is_subset(const std::vector<AxisId>& inner, const std::vector<AxisId>& outer) {
  return std::includes(outer.begin(), outer.end(), inner.begin(), inner.end());
}

} // namespace plait::ir
