#include "compiler/catalog/optimizers/rows.hpp"

#include <algorithm>
#include <array>

namespace plait::catalog {
namespace {

#define PLAIT_LIST_ROW(name) &row::name,
constexpr std::array all_optimizers = {PLAIT_OPTIMIZERS(PLAIT_LIST_ROW)};
#undef PLAIT_LIST_ROW

} // namespace

std::span<const Optimizer* const> optimizers() {
  return all_optimizers;
}

const Optimizer* find_optimizer(std::string_view name) {
  const auto place = std::ranges::find(all_optimizers, name, [](const Optimizer* row) { return row->name; });
  return place == all_optimizers.end() ? nullptr : *place;
}

} // namespace plait::catalog
