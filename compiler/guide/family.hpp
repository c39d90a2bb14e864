/** \file
 * An automatic guide family is one row: given a latent site at the moment the model reaches it, it declares
 * parameters and returns a draw with its log density. Families work in unconstrained space and come back
 * through the bijector of the site's support (Kucukelbir et al. 2017, Automatic Differentiation Variational
 * Inference).
 */
#pragma once

#include "compiler/catalog/distribution.hpp"
#include "compiler/catalog/option.hpp"
#include "compiler/guide/parameters.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace plait::guide {

/** A latent site while the model is being walked. */
struct SiteContext {
  const LatentSite* site = nullptr;
  ir::Builder* builder = nullptr;
  Parameters* parameters = nullptr;
  catalog::Draws* draws = nullptr;         ///< of this site
  catalog::SupportBounds bounds;           ///< for interval supports
  std::vector<ir::Value> loop_indices;     ///< outermost first
  std::vector<ir::Value> prior_parameters; ///< parameters of the model's distribution here
  /** For families that read data: those of the site's plate element as a vector; empty when it has none. */
  std::optional<ir::Value> features;
  bool detach_density = false; ///< stop derivatives at the parameters inside log q, not inside the draw
  /** The unconstrained draw is already the value: what was given as the site's start, before it is known what
   * that is in unconstrained space. */
  bool location_is_value = false;
};

struct LatentDraw {
  ir::Value value;
  /** log q with the site's axes, event dimensions summed. Empty for a point mass. */
  std::optional<ir::Value> log_prob;
  /** Closed form of E[-log q], when it has one; same axes. */
  std::optional<ir::Value> entropy;
  /** Density of the joint draw behind all sites, outside every plate: handed over with the first site only.
   */
  std::optional<ir::Value> joint_log_prob;
  std::optional<ir::Value> joint_entropy;
  /** Set when the value is made of coordinates of the joint draw: these, in unconstrained space. */
  std::optional<ir::Value> joint_coordinates;
  /** Set when the draw is exactly a catalog distribution: enables closed-form KL. */
  const catalog::Distribution* distribution = nullptr;
  std::vector<ir::Value> distribution_parameters;
};

class Family {
public:
  virtual ~Family() = default;
  /** Called once for each statement that samples a site, in the order the model reaches them. */
  virtual LatentDraw draw(const SiteContext& context) = 0;
};

/** Given before the model is walked: all latent sites, and the source of joint draws. */
struct FamilyContext {
  ir::Builder* builder = nullptr;
  Parameters* parameters = nullptr;
  std::span<const LatentSite> sites;
  std::map<std::string, double> options;
  bool detach_density = false; ///< as in SiteContext, for the joint density
  /** Draws for a joint "site" outside every plate. Lives as long as the family. */
  std::function<catalog::Draws&(const std::string& name)> joint_draws;
};

/** Which sizes must be numbers when the step is compiled. The others may stay run-time extents. */
enum class KnownSizes : std::uint8_t {
  none,
  sites, ///< shapes of the sites themselves, but not the number of rows of their plates
  all,
};

/** What stands for the posterior once the fit has ended. */
enum class AfterFit : std::uint8_t {
  guide,  ///< the guide
  laplace ///< the guide's points are the mode of a Gaussian whose precision is the curvature there
};

struct FamilyRow {
  std::string_view name; ///< as in auto(name)
  ir::Required<std::vector<catalog::Option> (*)()> options;
  ir::Required<KnownSizes> known_sizes;
  /** \throws std::invalid_argument when a site cannot be served, saying why. */
  ir::Required<std::unique_ptr<Family> (*)(const FamilyContext&)> make;
  /** What the number is that a fit reports. Of a point it is the joint density there, and no bound. */
  std::string_view bound_name = "elbo";
  AfterFit after_fit = AfterFit::guide;
  bool reads_data = false; ///< draws are functions of the data, so that new rows can be guided too
};

std::span<const FamilyRow* const> families();
const FamilyRow* find_family(std::string_view name);

} // namespace plait::guide
