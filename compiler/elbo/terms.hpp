/** \file
 * The log-density terms that walking guide and model leaves behind, before they are weighted and summed.
 */
#pragma once

#include "compiler/catalog/distribution.hpp"
#include "compiler/program/program.hpp"
#include "compiler/tensor_ir/build.hpp"

#include <optional>
#include <string>
#include <vector>

namespace plait::elbo {

enum class TermKind : std::uint8_t {
  guide,    ///< log q of a latent
  prior,    ///< log p of a latent
  observed, ///< log p of data
  factor,   ///< factor(…)
  marginal, ///< log of the sum over a finite variable of a `for`
};

struct Term {
  TermKind kind = TermKind::prior;
  std::string site;
  Span span;
  ir::Value log_prob;                 ///< event dimensions summed, masked; axes: at least `plates`
  std::vector<ir::AxisId> plates;     ///< ascending; what the scale rule multiplies over
  std::vector<ir::AxisId> enumerated; ///< enumeration axes open around the term
  bool in_loop = false;               ///< made inside a `for`: log_prob is the sum over its iterations
  bool absorbed = false;              ///< part of a marginal term: counts no more by itself
};

/** A latent draw of the guide that has no pathwise derivative. */
struct ScoreSite {
  std::string site;
  std::size_t term = 0;              ///< index of its guide term
  ir::Value log_prob;                ///< log q of the draw as it was drawn: not masked, not scaled
  std::optional<ir::Value> baseline; ///< the user's, with the site's plates
  std::string baseline_name;         ///< "average", …
  ir::Value draw;                    ///< the sampled value: what downstream costs depend on
};

/** A finite latent of the model summed out exactly. */
struct EnumeratedSite {
  std::string site;
  ir::AxisId axis = -1;
  std::vector<ir::AxisId> plates;
  Span span;
  bool in_guide = false; ///< weights its terms by q instead of joining the model's sum
  std::size_t term = 0;  ///< index of its own density term
  program::SymbolId symbol = -1;
  std::vector<ir::Value> conditions; ///< of the `if` branches between it and the loop around it
  bool summed = false;               ///< already summed out at the end of an iteration
};

/** Where the guide's draw of a latent can be found when the model reaches the site. */
struct Latent {
  std::string site;
  ir::Value value; ///< at the open plates; with one leading dimension per enclosing loop
  int loops = 0;
  std::size_t term = 0; ///< guide term, when it has one
  bool has_term = false;
  const catalog::Distribution* distribution = nullptr; ///< for closed-form KL; null inside loops
  std::vector<ir::Value> parameters;
};

} // namespace plait::elbo
