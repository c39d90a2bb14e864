/** \file
 * The log-density terms that walking guide and model leaves behind, before they are weighted and summed.
 */
#pragma once

#include "compiler/catalog/distribution.hpp"
#include "compiler/plates/conditions.hpp"
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
  ir::Value log_prob; ///< event dimensions summed, masked; axes: at least `plates`
  /** In the outermost `for` around it, the value of every iteration, [T]; null when nobody asks for it. */
  ir::Value by_iteration;
  std::vector<ir::AxisId> plates;     ///< ascending; what the scale rule multiplies over
  std::vector<ir::AxisId> enumerated; ///< enumeration axes open around the term
  bool in_loop = false;               ///< made inside a `for`: log_prob is the sum over its iterations
  bool absorbed = false;              ///< part of a marginal term: counts no more by itself
};

/** Control variate of a score-function site. */
enum class Baseline : std::uint8_t {
  automatic,     ///< the program does not say: leave-one-out with several particles, else the average
  none,          ///< switched off
  average,       ///< decaying average of the costs of the steps before
  leave_one_out, ///< mean cost of the other particles
  expression,    ///< the program's own, which predicts what the average leaves
};

/** A latent draw of the guide that has no pathwise derivative. Inside `for` loops, log_prob, exists and
 * baseline have one leading dimension for each of them, outermost first. */
struct ScoreSite {
  std::string site;
  std::string
      state; ///< under what name the step keeps its averages: the site's, unless other branches draw it
  program::SampleId sample = -1;
  Span span;
  std::size_t term = 0; ///< index of its guide term
  ir::Value log_prob;   ///< log q of the draw as it was drawn, not scaled; 0 where it does not exist
  ir::Value exists;     ///< 1, or 0 where the element or the iteration does not exist; null: everywhere 1
  Baseline kind = Baseline::automatic;
  std::optional<ir::Value> baseline; ///< the value of the program's expression
  double decay = 0.9;                ///< of the average
  std::size_t loops = 0;             ///< number of enclosing loops
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
  ir::Value log_weight;  ///< log density; 1/K where the site does not exist; 1 or 0 where it has a value
  program::SymbolId symbol = -1;
  /** Where it is sampled or has a value: the branches between each such statement and the loop around it. */
  std::vector<plates::Path> paths;
  std::optional<ir::Value> condition; ///< whether one of them is taken; null: always
  bool summed = false;                ///< already summed out at the end of an iteration
};

/** A value of the guide that the model reads: an array over the loops of the guide around it. */
struct Looped {
  ir::Value value; ///< at the open plates; with one leading dimension per loop
  int loops = 0;
};

/** Where the guide's draw of a latent can be found when the model reaches the site. */
struct Latent {
  /** What one statement draws. */
  struct Draw {
    ir::Value value;                                     ///< inside its loops
    std::optional<std::size_t> term = std::nullopt;      ///< guide term, when it has one
    const catalog::Distribution* distribution = nullptr; ///< for a closed-form KL; null where none is wanted
    std::vector<Looped> parameters = {};                 ///< of that distribution
    plates::Path path = {};                              ///< the branches around it
    std::optional<Looped> taken = std::nullopt;          ///< 1 where they are taken, else 0; null without any
  };
  std::string site;
  /** At the open plates; with one leading dimension per enclosing loop. When several branches draw it, what
   * the one that is taken does. */
  ir::Value value;
  int loops = 0;
  std::optional<ir::AxisId> enumerated; ///< summed out in the guide: the axis of its values
  std::vector<Draw> draws;              ///< one for each branch
};

/** An expectation under a latent's own factor of the guide, with what is drawn before it held: of
 * log p - log q, which is -KL(q || p), or of -log q, the entropy. */
struct ClosedForm {
  std::string site;
  std::size_t guide_term = 0;
  std::optional<std::size_t> prior_term; ///< of a KL
  ir::Value value;                       ///< like a term's log_prob: for every element, 0 where there is none
  ir::Value by_iteration;                ///< as in Term
  ir::Value draw;                        ///< of a KL: the latent's, inside its loops
  std::vector<ir::Value> prior_parameters; ///< of a KL
};

} // namespace plait::elbo
