// What lies after the ends of zero-padded ragged rows: files may hold anything there, steps may read it.
#pragma once

#include "runtime/dataset.hpp"

#include <cstdint>

namespace plait::runtime {

/// A copy of the values as whole numbers less `base`, with zeros wherever no row reaches. The values of the
/// rows must fit into T (std::int32_t or std::int64_t).
template <class T>
Array whole_values(const BoundData& data, std::int64_t base);

extern template Array whole_values<std::int32_t>(const BoundData&, std::int64_t);
extern template Array whole_values<std::int64_t>(const BoundData&, std::int64_t);

} // namespace plait::runtime
