/** \file
 * The part that joint Gaussian families share: one unconstrained vector for all latent sites, and each site's
 * piece of it.
 */
#pragma once

#include "compiler/guide/family.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace plait::guide {

/** Where each site's numbers lie in the joint vector. A site in plates owns one piece for all rows, row-major
 * over its plates, then its loops, then its own shape. */
class JointLayout {
public:
  /** \throws std::invalid_argument for a site under a subsampled plate (its rows are not all drawn) or of
   * unknown size. */
  JointLayout(std::span<const LatentSite> sites, const ir::Graph& graph);

  std::int64_t size() const { return size_; }
  /** The piece of `vector` [size] that belongs to the site here, at its plate rows and loop indices. */
  ir::Value piece(const SiteContext& context, ir::Value vector) const;

private:
  std::map<std::string, std::int64_t> start_;
  std::int64_t size_ = 0;
};

/** The LatentDraw of a piece of a joint draw: its log density is accounted for by the first site of the
 * family. */
LatentDraw joint_draw(const SiteContext& context, const JointLayout& layout, ir::Value vector);

} // namespace plait::guide
