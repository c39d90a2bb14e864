/** \file
 * What families share: reading a site's parameter at its place, and mapping an unconstrained draw to its
 * support.
 */
#pragma once

#include "compiler/guide/family.hpp"

namespace plait::guide {

inline constexpr double half_log_two_pi = 0.91893853320467274178;

/** Parameter `NAME.suffix` of the site: one element per plate row and loop index, here at the open indices.
 */
ir::Value site_parameter(const SiteContext& context, std::string_view suffix,
                         const catalog::Initializer& start);
/** The same for an array of another shape, local to `plates`: none of them means one array that all rows
 * share. */
ir::Value site_parameter(const SiteContext& context, std::string_view suffix,
                         const catalog::Initializer& start, const std::vector<ir::Extent>& shape,
                         const std::vector<ir::AxisId>& plates);
/** A parameter of that kind that is the location of the site. */
ir::Value site_location(const SiteContext& context, std::string_view suffix,
                        const catalog::Initializer& start);
inline ir::Value site_parameter(const SiteContext& context, std::string_view suffix, double start) {
  return site_parameter(context, suffix, {catalog::Initializer::Kind::constant, start});
}

/** Options of families that have scales and locations. */
inline constexpr catalog::Option scale_option{"scale", 0.1, "standard deviation at the start, unconstrained"};
inline constexpr catalog::Option radius_option{
    "radius", 1, "locations start uniform within this of 0, unconstrained; 0: all there"};

/** Where locations of automatic guides start in unconstrained space: drawn from the seed, uniform in
 * (-radius, radius). Starting all at one point, as radius 0 does, leaves exchangeable latents, such as the
 * components of a mixture, at a saddle for ever.
 * \throws std::invalid_argument unless the option `radius` is at least 0 and finite. */
catalog::Initializer location_start(const FamilyContext& context);

/** An option that counts something. \throws std::invalid_argument unless it is whole and at least `least`. */
std::int64_t whole_option(const FamilyContext& context, const char* name, std::int64_t least);

/** The option `scale`. \throws std::invalid_argument unless it is positive and finite. */
double start_scale(const FamilyContext& context);

/** The guide's value and log density from an unconstrained draw and its log density (event dimensions
 * summed): log q(value) = log q(u) - log |d value / d u|. Also passes on a closed-form entropy of u. */
LatentDraw constrain_draw(const SiteContext& context, ir::Value unconstrained,
                          std::optional<ir::Value> log_prob, std::optional<ir::Value> entropy);

/** A draw from independent normals in unconstrained space with these locations and log standard deviations,
 * shaped like the unconstrained value. */
LatentDraw normal_draw(const SiteContext& context, ir::Value loc, ir::Value log_scale);

/** Number of scalars of one unconstrained value. \throws std::invalid_argument when it is not known. */
std::int64_t known_size(const LatentSite& site, const ir::Graph& graph);

} // namespace plait::guide
