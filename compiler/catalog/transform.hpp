/** \file
 * Transforms of a distribution: `exp(normal(m, s))` is the distribution of exp(x) for x ~ normal(m, s). A row
 * says what it accepts, what comes out, and the map with its log determinant; flows are moved by a net, which
 * the caller hands over.
 */
#pragma once

#include "compiler/catalog/distribution.hpp"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace plait::catalog {

/** A moved value. `log_det` is log |d image / d source|, in any shape: its sum over all event dimensions
 * counts. */
struct Moved {
  ir::Value value;
  ir::Value log_det;
};

/** How a flow's net takes part. Other transforms have none. */
enum class FlowKind : std::uint8_t {
  none,
  autoregressive, ///< entry k of a vector moves by a function of the entries before it
  halves,         ///< the second half of a vector moves by a function of the first
};

struct Transform {
  std::string_view name;
  ir::Required<std::string_view> usage;                              ///< a call, as documentation shows it
  ir::Required<std::string_view> meaning;                            ///< in a few words
  ir::Required<std::vector<DistributionParameter> (*)()> parameters; ///< after the distribution
  ir::Required<int>
      event_rank; ///< dimensions of a value that move together; they must be its only ones if > 0
  /** The support of the image of `domain`, or empty when values there cannot be moved. */
  ir::Required<std::optional<Support> (*)(const Support& domain)> support;
  /** Sizes of the image's event from those of the source's; empty, with `error` set, when they do not fit.
   * Null: the same. */
  std::optional<std::vector<std::int64_t>> (*image_size)(const std::vector<std::int64_t>& event,
                                                         std::string& error) = nullptr;
  /** Null for flows. `shape` is that of the image. */
  Moved (*forward)(ir::Builder&, ir::Value source, std::span<const ir::Value> parameters,
                   const std::vector<ir::Extent>& shape) = nullptr;
  /** The source of an image, with the log determinant of the way forward. Null: only draws have a density, as
   * they are in a guide. */
  Moved (*backward)(ir::Builder&, ir::Value image, std::span<const ir::Value> parameters) = nullptr;
  FlowKind flow = FlowKind::none;
  /** The entries of the source must be independent and alike. */
  bool exchangeable = false;
};

/** All rows, sorted by name. */
std::span<const Transform* const> transforms();
/** nullptr when there is no such row. */
const Transform* find_transform(std::string_view name);

/** Whether images can be given and their density asked for, as in a model. */
bool has_density_everywhere(const Transform& transform);

} // namespace plait::catalog
