/** \file
 * The part that joint Gaussian families share: one unconstrained vector for all latent sites, and each site's
 * piece of it.
 */
#pragma once

#include "compiler/guide/family.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace plait::guide {

/** Where each site's numbers lie in the joint vector. A site in plates owns one piece for all rows, row-major
 * over its plates, then its loops, then its own shape. */
class JointLayout {
public:
  /** \throws std::invalid_argument for a site under a subsampled plate (its rows are not all drawn) or of
   * unknown size. */
  JointLayout(std::span<const LatentSite> sites, const ir::Graph& graph);

  std::int64_t size() const { return size_; }
  /** Where in a parameter of that size the locations of the sites are. */
  const std::vector<Location>& locations() const { return locations_; }
  /** The piece of `vector` [size] that belongs to the site here, at its plate rows and loop indices. */
  ir::Value piece(const SiteContext& context, ir::Value vector) const;

private:
  std::map<std::string, std::int64_t> start_;
  std::vector<Location> locations_;
  std::int64_t size_ = 0;
};

/** u = loc + L e over one joint vector of `size` numbers, L lower triangular with diagonal exp(d), e standard
 * normal. Declares the parameters auto.loc, auto.log_diagonal and auto.lower. */
class JointGaussian {
public:
  /** Over the sites of `layout`. `scale`: standard deviation of every coordinate at the start. */
  JointGaussian(const FamilyContext& context, const JointLayout& layout, double scale);

  ir::Value vector() const { return vector_; }       ///< the draw, [size]
  ir::Value deviation() const { return deviation_; } ///< u - loc; loc stopped with `detach_density`
  ir::Value log_prob() const { return log_prob_; } ///< of the draw; parameters stopped with `detach_density`
  ir::Value entropy() const { return entropy_; }

private:
  ir::Value vector_, deviation_, log_prob_, entropy_;
};

/** A lower triangular matrix [size, size] from a full one, of which the entries below the diagonal are read,
 * and the logarithms of its diagonal. */
ir::Value lower_factor(ir::Value below, ir::Value log_diagonal);

/** The learnable array `auto.NAME` outside every plate. */
ir::Value joint_parameter(const FamilyContext& context, const std::string& name,
                          const std::vector<ir::Extent>& shape, catalog::Initializer start);
/** The array `auto.loc` [size of the layout], where the sites lie. */
ir::Value joint_location(const FamilyContext& context, const JointLayout& layout);

/** The LatentDraw of a piece of a joint draw: its log density is accounted for by the first site of the
 * family. */
LatentDraw joint_draw(const SiteContext& context, const JointLayout& layout, ir::Value vector);

} // namespace plait::guide
