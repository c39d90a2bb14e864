// Shapes of files against shapes of declarations, and how both are printed.
#pragma once

#include "runtime/dataset.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace plait::runtime {

/// The file's shape brought to the rank of the declaration without moving a number: as it is, with trailing
/// dimensions of 1 dropped, with one of 1 appended where the declaration's last size is 1, or with the
/// trailing dimensions flattened into a last dimension whose known size is their product. Nothing if none of
/// these applies.
std::optional<std::vector<std::int64_t>>
fit_shape(const std::vector<std::int64_t>& shape, std::span<const Size> declared,
          const std::function<std::optional<std::int64_t>(const Size&)>& known);

/// 0-based index of number `flat` of the values, as the declaration of rank `rank` counts.
std::vector<std::int64_t> element_position(const BoundData& bound, std::size_t rank, std::int64_t flat);

/// "[3, 4]"
std::string shown_shape(const std::vector<std::int64_t>& shape);
/// "real[N, 784]", "ragged index<V>[D, W]"
std::string declared_shape(const ExpectedData& expected);
/// The element as a reader of the file would write it.
std::string shown_value(const Array& values, std::int64_t flat);

} // namespace plait::runtime
