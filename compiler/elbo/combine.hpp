/** \file
 * From density terms to the objective: exact sums over finite variables, the scale rule, and the ELBO.
 */
#pragma once

#include "compiler/elbo/executor.hpp"

#include <string>
#include <vector>

namespace plait::elbo {

/** One addend of the ELBO before scaling, with its sign. */
struct Contribution {
  std::string name; ///< "prior z", "guide z", "observed y", "kl z" …
  std::string site;
  Span span;
  ir::Value value;                ///< event dimensions summed; axes: plates, enumerated, particle
  std::vector<ir::AxisId> plates; ///< what the scale rule multiplies over
  bool of_guide = false;          ///< a density of the guide: minus log q
  ir::Value by_iteration = {};    ///< as in Term, with the sign of `value`
  bool holds_data = false;        ///< a density of data, or a sum over finite variables that data are part of
};

/** The scale of a term: product over its subsampled plates of (size of the plate) / (rows drawn). The only
 * place where N/B enters; the score factor never carries it. Real scalar; 1 is a constant. */
ir::Value scale_of(ir::Builder& builder, const std::vector<ir::AxisId>& plates);

/** Signed contributions: closed-form KL or entropy where there is one (when `analytic`), densities elsewhere.
 */
std::vector<Contribution> contributions_of(const Executor& walk, ir::Builder& builder, bool analytic);

/** Sums enumerated sites of the model out of the contributions by variable elimination, innermost first: the
 * factors that mention z are added and replaced by their log-sum-exp over z.
 * \throws Unsupported when a factor of a site lies outside the site's plates or in a subsampled plate inside
 * them, or when no order of the sites exists: see take_next_site. */
void eliminate(std::vector<Contribution>& contributions, const Executor& walk, ir::Builder& builder);

/** Removes from `left` the site to sum out next, the last one of those that can be. Factors of a site z are
 * added up over the plates inside z's own; what else they mention must be the same for all elements of those
 * plates, or be summed out before (plated variable elimination; Obermeyer et al. 2019). When every site waits
 * for another, the last is taken, and take_factors says why that does not go. */
const EnumeratedSite* take_next_site(std::vector<const EnumeratedSite*>& left,
                                     const std::vector<Contribution>& contributions,
                                     const std::vector<EnumeratedSite>& all, const ir::Graph& graph);

/** Sums one site out; `all` are the enumerated sites there are. */
void eliminate_site(std::vector<Contribution>& contributions, const EnumeratedSite& site,
                    const std::vector<EnumeratedSite>& all, ir::Builder& builder);

/** Takes the factors that mention one of `axes` out of the contributions and adds them up; plates inside the
 * site's own are summed. Null when there is none. \throws Unsupported as eliminate does. */
ir::Value take_factors(std::vector<Contribution>& contributions, const EnumeratedSite& site,
                       const std::vector<ir::AxisId>& axes, const std::vector<EnumeratedSite>& all,
                       ir::Builder& builder);

/** `value` where its weight is a probability above 0, else 0: what cannot happen counts nothing in an
 * expectation, whatever its density. */
ir::Value where_possible(ir::Value weight, ir::Value value);

/** Replaces contributions that mention sites enumerated in the guide by their expectation under q. */
void expect(std::vector<Contribution>& contributions, const Executor& walk, ir::Builder& builder);

/** Multiplies contributions in ragged subsets by T/m, the factor of each of a row's elements; scale_of has no
 * part of it. */
void scale_elements(std::vector<Contribution>& contributions, Executor& walk);

/** Scaled total of one contribution: sum over all its axes, mean over particles. Real scalar. */
ir::Value total_of(const Contribution& contribution, ir::Builder& builder,
                   std::optional<ir::AxisId> particles);

} // namespace plait::elbo
