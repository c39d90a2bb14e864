#include "compiler/catalog/layers/rows.hpp"

#include <algorithm>
#include <array>

namespace plait::catalog {
namespace {

#define PLAIT_LIST_ROW(name) &row::name,
constexpr std::array all_layers = {PLAIT_LAYERS(PLAIT_LIST_ROW)};
#undef PLAIT_LIST_ROW

} // namespace

std::span<const Layer* const> layers() {
  return all_layers;
}

const Layer* find_layer(std::string_view name) {
  const auto place = std::ranges::find(all_layers, name, [](const Layer* row) { return row->name; });
  return place == all_layers.end() ? nullptr : *place;
}

} // namespace plait::catalog
