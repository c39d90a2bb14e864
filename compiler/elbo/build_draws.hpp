/** \file
 * Stage: typed program → draws in tensor IR. The guide (or the family) draws its latents; latents that the
 * model sums out are drawn from their exact distribution given those and the data; then come the values of
 * the predict block or, where there is none, the data drawn anew.
 */
#pragma once

#include "compiler/elbo/build_elbo.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace plait::elbo {

struct DrawOptions {
  bool predict = false;         ///< also the predict block, or the data where there is none
  std::set<std::string> absent; ///< data that were not given: only observed, so that nothing reads them
};

/** A dimension of a drawn array whose length differs by row: row r of dimension `row_dim` has
 * constant + factor * length[r] elements, `lengths` naming the ragged dimension. */
struct RaggedDim {
  std::size_t dim = 0;
  std::size_t row_dim = 0;
  std::string lengths;
  std::int64_t factor = 1;
  std::int64_t constant = 0;
};

struct DrawnValue {
  ir::Value value;
  std::vector<RaggedDim> ragged; ///< dimensions are counted over axes first, then the shape
  /** 1 where the value exists, 0 elsewhere, with the leading dimensions of `value`; null: everywhere. It
   * depends on the data alone. */
  std::optional<ir::Value> exists;
};

struct PosteriorDraws {
  std::unique_ptr<ir::Graph> graph;
  std::unique_ptr<ir::Builder> builder;
  std::unique_ptr<guide::Parameters> parameters;
  std::map<std::string, DrawnValue> latents; ///< by site
  std::map<std::string, DrawnValue> results; ///< names of the predict block, else of data
};

/** Builds draws instead of an objective. What cannot be compiled is reported; the result is then empty. */
std::optional<PosteriorDraws> build_draws(const program::Program& program, const ElboOptions& options,
                                          const DrawOptions& draws, Diagnostics& diagnostics);

/** The bounds of the supports of some parameters, and of some latents of an automatic guide, where only the
 * run tells them: at the place where the parameters say that the fit starts, without noise. The arrays behind
 * these hold their values, not what those are in unconstrained space, as that is what the bounds are asked
 * for. */
struct StartBounds {
  std::unique_ptr<ir::Graph> graph;
  std::unique_ptr<ir::Builder> builder;
  /** By name. Of a latent: plates as they are nested, loops, dimensions. Of a parameter: as it is stored. */
  std::map<std::string, ir::Value> lower, upper;
};

/** \param names of those parameters and latents. What cannot be compiled is reported; the result is then
 * empty.
 */
std::optional<StartBounds> build_start_bounds(const program::Program& program, const ElboOptions& options,
                                              const std::set<std::string>& names, Diagnostics& diagnostics);

/** Data that the program only observes: they stand left of `~` and nothing reads them, so that draws and
 * predictions can do without. */
std::set<std::string> only_observed(const program::Program& program);

} // namespace plait::elbo
