#include "compiler/elbo/combine.hpp"

#include "compiler/elbo/closed_forms.hpp"

#include "compiler/catalog/ops.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

namespace plait::elbo {

using ir::AxisId;
using ir::Value;

Value scale_of(ir::Builder& builder, const std::vector<AxisId>& plates) {
  Value scale;
  for (AxisId id : plates) {
    const ir::Axis axis = builder.graph().axis(id);
    if (!axis.subsampled)
      continue;
    const Value ratio =
        ir::to_real(builder.extent(axis.population)) / ir::to_real(builder.extent(axis.extent));
    scale = scale ? scale * ratio : ratio;
  }
  return scale ? scale : builder.real(1);
}

namespace {

Contribution contribution_of(const Term& term) {
  Contribution result{term.site, term.site, term.span, term.log_prob, term.plates};
  result.by_iteration = term.by_iteration;
  switch (term.kind) {
  case TermKind::guide:
    result.name = "guide " + term.site;
    result.of_guide = true;
    result.value = -term.log_prob;
    if (term.by_iteration)
      result.by_iteration = -term.by_iteration;
    break;
  case TermKind::prior:
    result.name = "prior " + term.site;
    break;
  case TermKind::observed:
    result.name = "observed " + term.site;
    result.holds_data = true;
    break;
  case TermKind::factor:
    break;
  case TermKind::marginal:
    result.name = "sum over " + term.site;
    result.holds_data = true;
    result.by_iteration = Value();
    break;
  }
  return result;
}

/** log of the sum over a finite variable of everything that mentions it. */
Contribution marginal_of(const EnumeratedSite& site, Value log_sum) {
  Contribution result{"sum over " + site.site, site.site, site.span, log_sum, site.plates};
  result.holds_data = true;
  return result;
}

} // namespace

std::vector<Contribution> contributions_of(const Executor& walk, ir::Builder& builder, bool analytic) {
  std::vector<Contribution> result;
  std::set<std::size_t> replaced;
  if (analytic)
    for (const ClosedForm* form : exact_closed_forms(walk, builder.graph())) {
      const Term& term = walk.terms[form->prior_term.value_or(form->guide_term)];
      result.push_back({(form->prior_term ? "kl " : "entropy ") + form->site, form->site, term.span,
                        form->value, term.plates, false, form->by_iteration});
      replaced.insert(form->guide_term);
      if (form->prior_term)
        replaced.insert(*form->prior_term);
    }
  for (std::size_t k = 0; k < walk.terms.size(); ++k)
    if (!replaced.contains(k) && !walk.terms[k].absorbed)
      result.push_back(contribution_of(walk.terms[k]));
  for (const auto& [log_prob, entropy] : walk.joint_terms) {
    if (analytic && entropy)
      result.push_back({"entropy auto", "auto", {}, *entropy, {}});
    else
      result.push_back({"guide auto", "auto", {}, -log_prob, {}, true});
  }
  return result;
}

namespace {

bool mentions_any(const Contribution& contribution, const std::vector<AxisId>& axes) {
  const std::vector<AxisId> mentioned = contribution.value.type().axes;
  return std::any_of(axes.begin(), axes.end(), [&](AxisId axis) { return ir::contains(mentioned, axis); });
}

/** Plates that a factor varies over and the site does not: inside the site's own. */
std::vector<AxisId> inner_plates(const Contribution& factor, const EnumeratedSite& site,
                                 const ir::Graph& graph) {
  std::vector<AxisId> inner;
  for (AxisId axis : factor.value.type().axes) {
    const ir::AxisKind kind = graph.axis(axis).kind;
    if ((kind == ir::AxisKind::plate || kind == ir::AxisKind::sequential_plate) &&
        !ir::contains(site.plates, axis))
      inner.push_back(axis);
  }
  return inner;
}

/** Another site that a factor mentions and that has a value of its own for each element over which the factor
 * would be summed. */
struct Obstacle {
  const EnumeratedSite* other = nullptr;
  AxisId plate = -1;
};

Obstacle find_obstacle(const Contribution& factor, const EnumeratedSite& site,
                       const std::vector<AxisId>& axes, const std::vector<EnumeratedSite>& all,
                       const ir::Graph& graph) {
  const std::vector<AxisId> mentioned = factor.value.type().axes;
  for (AxisId plate : inner_plates(factor, site, graph))
    for (const EnumeratedSite& other : all)
      if (ir::contains(mentioned, other.axis) && ir::contains(other.plates, plate) &&
          std::find(axes.begin(), axes.end(), other.axis) == axes.end())
        return {&other, plate};
  return {};
}

} // namespace

const EnumeratedSite* take_next_site(std::vector<const EnumeratedSite*>& left,
                                     const std::vector<Contribution>& contributions,
                                     const std::vector<EnumeratedSite>& all, const ir::Graph& graph) {
  const auto is_free = [&](const EnumeratedSite* site) {
    return std::none_of(contributions.begin(), contributions.end(), [&](const Contribution& factor) {
      return mentions_any(factor, {site->axis}) &&
             find_obstacle(factor, *site, {site->axis}, all, graph).other;
    });
  };
  const auto found = std::find_if(left.rbegin(), left.rend(), is_free);
  const auto taken = found == left.rend() ? std::prev(left.end()) : std::prev(found.base());
  const EnumeratedSite* site = *taken;
  left.erase(taken);
  return site;
}

Value take_factors(std::vector<Contribution>& contributions, const EnumeratedSite& site,
                   const std::vector<AxisId>& axes, const std::vector<EnumeratedSite>& all,
                   ir::Builder& builder) {
  std::vector<Contribution> rest;
  Value sum;
  for (Contribution& contribution : contributions) {
    if (!mentions_any(contribution, axes)) {
      rest.push_back(std::move(contribution));
      continue;
    }
    if (!ir::is_subset(site.plates, contribution.plates))
      throw Unsupported(
          contribution.span,
          fmt::format(
              "{} is summed out element by element of its plates, but this term reads it from outside them",
              site.site));
    if (const Obstacle obstacle = find_obstacle(contribution, site, axes, all, builder.graph());
        obstacle.other)
      throw Unsupported(contribution.span,
                        fmt::format("`{0}` cannot be summed out: for one value of `{0}` this reads the `{1}` "
                                    "of every element of plate {2}, which is summed out too",
                                    site.site, obstacle.other->site,
                                    builder.graph().axis(obstacle.plate).name))
          .note(site.span, fmt::format("`{}` is sampled here", site.site))
          .note(obstacle.other->span, fmt::format("`{}` is sampled here", obstacle.other->site))
          .with_hint(fmt::format("let the guide draw `{}` or `{}`, without `using enumerate`", site.site,
                                 obstacle.other->site));
    // Plates inside the site's own are conditionally independent given it: their terms add up before the
    // sum over it.
    const std::vector<AxisId> inner = inner_plates(contribution, site, builder.graph());
    for (AxisId axis : inner)
      if (builder.graph().axis(axis).subsampled || builder.graph().axis(axis).ragged_subset)
        throw Unsupported(
            contribution.span,
            fmt::format(
                "{} is summed out over the subsampled plate {}: the log of a sum cannot be scaled from a "
                "part of its terms",
                site.site, builder.graph().axis(axis).name));
    const Value value = builder.sum(contribution.value, inner);
    sum = sum ? sum + value : value;
  }
  contributions = std::move(rest);
  return sum;
}

void eliminate_site(std::vector<Contribution>& contributions, const EnumeratedSite& site,
                    const std::vector<EnumeratedSite>& all, ir::Builder& builder) {
  if (const Value sum = take_factors(contributions, site, {site.axis}, all, builder))
    contributions.push_back(marginal_of(site, builder.log_sum_exp(sum, {site.axis})));
}

void eliminate(std::vector<Contribution>& contributions, const Executor& walk, ir::Builder& builder) {
  std::vector<const EnumeratedSite*> left;
  for (const EnumeratedSite& site : walk.enumerated)
    if (!site.in_guide && !site.summed)
      left.push_back(&site);
  while (!left.empty())
    eliminate_site(contributions, *take_next_site(left, contributions, walk.enumerated, builder.graph()),
                   walk.enumerated, builder);
}

Value where_possible(Value weight, Value value) {
  // The densities hold the logarithm of probability 0 at that of the smallest float.
  constexpr double least = 2.0 * std::numeric_limits<float>::min();
  ir::Builder& builder = value.builder();
  return ir::select(ir::greater(weight, builder.real(least)), value, builder.real(0));
}

void expect(std::vector<Contribution>& contributions, const Executor& walk, ir::Builder& builder) {
  // q of a site may itself depend on other enumerated sites: a weight multiplies the q of every site it
  // mentions.
  for (Contribution& contribution : contributions) {
    std::vector<AxisId> axes = contribution.value.type().axes;
    Value log_weight;
    std::vector<AxisId> summed;
    for (auto site = walk.enumerated.rbegin(); site != walk.enumerated.rend(); ++site) {
      if (!site->in_guide || !ir::contains(axes, site->axis))
        continue;
      if (site->summed)
        throw Unsupported(
            contribution.span,
            fmt::format("reading {0} here: the guide sums it out step by step of a `for`, and it "
                        "can be read only in the model's `for` that samples it",
                        site->site));
      if (!ir::is_subset(site->plates, contribution.plates))
        throw Unsupported(
            contribution.span,
            fmt::format(
                "{} is summed out element by element of its plates, but this term reads it from outside them",
                site->site));
      // Where the site does not exist its values weigh 1/K each: what is read there does not depend on it.
      const Value log_q = site->log_weight;
      axes = ir::unite(axes, log_q.type().axes);
      log_weight = log_weight ? log_weight + log_q : log_q;
      summed.push_back(site->axis);
    }
    for (AxisId axis : axes)
      if (builder.graph().axis(axis).kind == ir::AxisKind::enumerated &&
          std::find(summed.begin(), summed.end(), axis) == summed.end())
        throw Unsupported(contribution.span, fmt::format("reading {} here, which is summed out elsewhere",
                                                         builder.graph().axis(axis).name));
    if (!log_weight)
      continue;
    std::sort(summed.begin(), summed.end());
    const Value weight = ir::exp(log_weight);
    contribution.value = builder.sum(weight * where_possible(weight, contribution.value), summed);
    contribution.by_iteration = Value();
  }
}

void scale_elements(std::vector<Contribution>& contributions, Executor& walk) {
  for (Contribution& contribution : contributions)
    if (const Value scale = walk.element_scale(contribution.plates)) {
      contribution.value = contribution.value * scale;
      if (contribution.by_iteration)
        contribution.by_iteration = contribution.by_iteration * scale;
    }
}

Value total_of(const Contribution& contribution, ir::Builder& builder, std::optional<AxisId> particles) {
  const std::vector<AxisId> axes = contribution.value.type().axes;
  Value total = builder.sum(contribution.value, axes);
  if (particles && ir::contains(axes, *particles))
    total = total / ir::to_real(builder.extent(builder.graph().axis(*particles).extent));
  return total * scale_of(builder, contribution.plates);
}

} // namespace plait::elbo
