#include "compiler/elbo/closed_forms.hpp"

#include "compiler/elbo/dependence.hpp"

#include <algorithm>
#include <set>
#include <string>

namespace plait::elbo {

using ir::Value;

namespace {

bool is_exact(const ClosedForm& form, const std::vector<EnumeratedSite>& enumerated, const ir::Graph& graph) {
  const std::vector<ir::AxisId>& axes = graph.type(form.value.id()).axes;
  for (const EnumeratedSite& site : enumerated)
    if (!site.in_guide && ir::contains(axes, site.axis))
      return false;
  if (form.prior_parameters.empty())
    return true;
  const Dependence dependence(graph, form.draw.id());
  return std::none_of(form.prior_parameters.begin(), form.prior_parameters.end(), [&](Value parameter) {
    return dependence.reaches(parameter.id()) && dependence.iterations(parameter.id()).same;
  });
}

} // namespace

std::vector<const ClosedForm*> exact_closed_forms(const Executor& walk, const ir::Graph& graph) {
  std::vector<const ClosedForm*> result;
  std::vector<bool> replaced(walk.terms.size(), false);
  // The densities of a latent that branches draw belong together.
  std::set<std::string> sampled = walk.without_divergence;
  for (const ClosedForm& form : walk.closed_forms)
    if (form.prior_term && !is_exact(form, walk.enumerated, graph))
      sampled.insert(form.site);
  for (const ClosedForm& form : walk.closed_forms)
    if (form.prior_term && !sampled.contains(form.site)) {
      replaced[form.guide_term] = true;
      result.push_back(&form);
    }
  for (const ClosedForm& form : walk.closed_forms)
    if (!form.prior_term && !replaced[form.guide_term] && is_exact(form, walk.enumerated, graph))
      result.push_back(&form);
  return result;
}

} // namespace plait::elbo
