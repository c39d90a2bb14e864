/** \file
 * Positions in an array: one coordinate for every dimension, the last one running fastest in memory.
 */
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace plait::ir {

using Position = std::vector<std::int64_t>;

/** How many positions there are below `sizes`, from dimension `first` on. */
inline std::int64_t product(const Position& sizes, std::size_t first = 0) {
  std::int64_t result = 1;
  for (std::size_t i = first; i < sizes.size(); ++i)
    result *= sizes[i];
  return result;
}

/** Calls `body` for every position below `sizes`, the last coordinate running fastest. */
template <class Body>
void for_each(const Position& sizes, Body body) {
  const std::int64_t count = product(sizes);
  Position position(sizes.size(), 0);
  for (std::int64_t n = 0; n < count; ++n) {
    body(std::as_const(position));
    for (std::size_t d = sizes.size(); d-- > 0;) {
      if (++position[d] < sizes[d])
        break;
      position[d] = 0;
    }
  }
}

} // namespace plait::ir
