/** \file
 * The words in which the files of this folder write a row.
 */
#pragma once

#include "compiler/catalog/ops.hpp"
#include "compiler/catalog/ops/rows.hpp"

#include <optional>
#include <span>
#include <vector>

namespace plait::op {

using ir::Builder;
using ir::Lane;
using ir::LaneBuilder;
using ir::not_differentiable;
using ir::ResultRule;
using ir::Value;

using Numbers = std::span<const double>;
using Values = std::span<const Value>;
using Lanes = std::span<const Lane>;
using Derivatives = std::vector<std::optional<Value>>;

} // namespace plait::op
