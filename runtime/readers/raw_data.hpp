// What the readers of text formats hand to binding.
#pragma once

#include "runtime/array.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace plait::runtime {

/// Values before they are matched with a declaration.
///   rectangular: `values` has the file's shape.
///   ragged: `values` has shape [total, inner…]; row n takes the next `lengths[n]` inner elements.
///   text: `values` holds codes into `levels`, in order of first appearance.
struct RawData {
  Array values;
  bool ragged = false;
  std::vector<std::int64_t> lengths;
  std::vector<std::string> levels;
};

} // namespace plait::runtime
