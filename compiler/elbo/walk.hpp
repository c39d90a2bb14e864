/** \file
 * What every walk of guide and model needs, whether it ends in an objective or in draws.
 */
#pragma once

#include "compiler/catalog/array_math.hpp"
#include "compiler/elbo/build_elbo.hpp"
#include "compiler/elbo/executor.hpp"
#include "compiler/guide/family.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace plait::elbo {

/** Graph, walk and everything they need, in the order of their lifetimes. Data are declared, plates have
 * their axes, an automatic guide stands ready. */
struct Walk {
  /** \param given_values of the executor: set before the automatic guide asks it for draws
   * \throws Unsupported when there is no such automatic guide. */
  Walk(const program::Program& program, const ElboOptions& options, bool detach_density,
       const std::optional<std::set<std::string>>& given_values = std::nullopt);

  Elbo elbo;
  std::unique_ptr<Sizes> sizes;
  std::optional<ir::AxisId> particles;
  std::vector<guide::LatentSite> sites;
  bool reads_data = false; ///< the automatic guide does
  std::unique_ptr<Executor> executor;

private:
  void use_family(const program::Program& program, const guide::FamilyRow& row);
};

/** Runs `build` with `options`; when something is as long as a plate and its length matters, a covariance of
 * a plate's elements for example, once more with every size that is known made part of the program. */
template <class Build>
auto with_sizes_as_needed(ElboOptions options, Build&& build) {
  try {
    return build(options);
  } catch (const catalog::UnknownSize&) {
    if (!options.keep_runtime_sizes)
      throw;
    options.keep_runtime_sizes = false;
    return build(options);
  }
}

/** Runs `build`; what cannot be compiled becomes an error with its place, and the result empty. */
template <class Result, class Build>
std::optional<Result> guarded(Diagnostics& diagnostics, Build&& build) {
  try {
    return build();
  } catch (const Unsupported& fault) {
    Diagnostic& made = diagnostics.error("not-compiled", fault.span, fault.what());
    for (const auto& [place, text] : fault.notes)
      made.note(place, text);
    if (!fault.hint.empty())
      made.with_hint(fault.hint);
  } catch (const std::invalid_argument& fault) {
    diagnostics.error("not-compiled", Span{}, fault.what());
  }
  return std::nullopt;
}

} // namespace plait::elbo
