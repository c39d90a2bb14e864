#pragma once

#include "compiler/plates/conditions.hpp"
#include "compiler/program/program.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

/// The sites of a checked program: what is sampled or observed, under which plates, at which scale.
namespace plait::plates {

/// The estimator of a site's gradient.
enum class Estimator : std::uint8_t {
  observed,  ///< data: no draw
  pathwise,  ///< explicit or implicit derivative of the draw
  score,     ///< score function
  enumerate, ///< summed out
};
std::string_view to_string(Estimator estimator);

/// One statement that samples or observes. A latent may have several, in branches of which one is taken.
struct Site {
  std::string name;
  program::SampleId sample = -1;
  program::SymbolId symbol = -1;
  program::BlockKind block = program::BlockKind::model;
  bool observed = false;
  const catalog::Distribution* distribution = nullptr;
  std::string distribution_text; ///< with its transforms: `exp(normal)`
  bool transformed = false;
  program::Type type;                   ///< at one point of the plates and loops
  std::vector<program::PlateId> plates; ///< enclosing plates, outermost first
  std::vector<program::LoopId> loops;   ///< enclosing loops, outermost first
  Path conditions;
  program::Using strategy; ///< as written
  Span span;               ///< the statement
  Span name_span;          ///< its target
  Span call_span;          ///< the distribution
};

/// The sites of a block in order of the text. What a condition on constants leaves out is none.
std::vector<Site> find_sites(const program::Program& program, const program::Block& block,
                             program::BlockKind kind);

/// Calls `visit` for each assignment of a block, with the conditions around it.
void for_each_assignment(const program::Block& block,
                         const std::function<void(const program::Assign&, const Path&)>& visit);

/// The factor N/B of every density term of the site as a product: `1`, `N/256`, `D/32 * T[d]/min(8, T[d])`.
std::string scale_text(const program::Program& program, const Site& site);
/// The plates as a stack: `D > W[d]`; `-` for none.
std::string plates_text(const program::Program& program, const Site& site);
/// The shape at one point of its plates, loops in front: `[T[n], 100]`; `scalar` for none.
std::string shape_text(const program::Program& program, const Site& site);

/// Whether the distribution takes finitely many values, so that it can be summed out.
bool has_finite_support(const catalog::Distribution& distribution);

/// The names of latent sites that each model site's density depends on through the values it reads, itself
/// not included unless it reads its own earlier elements. Same order as `sites`. Conservative: may name too
/// many.
std::vector<std::vector<std::string>>
find_influences(const program::Program& program, const program::Block& block, const std::vector<Site>& sites);

} // namespace plait::plates
