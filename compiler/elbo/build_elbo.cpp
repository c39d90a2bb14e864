#include "compiler/elbo/build_elbo.hpp"

#include "compiler/catalog/ops.hpp"
#include "compiler/elbo/dependence.hpp"
#include "compiler/elbo/estimators/baseline.hpp"
#include "compiler/elbo/walk.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace plait::elbo {

using ir::AxisId;
using ir::Value;

namespace {

std::vector<SiteEstimate> describe_estimates(const program::Program& program, const Executor& walk,
                                             const Objective& objective, bool several_particles) {
  std::vector<SiteEstimate> result;
  switch (objective.scores.get()) {
  case ScoreRule::surrogate:
    for (const ScoreSite& site : walk.scores)
      result.push_back({site.sample, "score, " + describe_baseline(site, several_particles)});
    break;
  case ScoreRule::held_out:
    for (const ScoreSite& site : walk.scores)
      result.push_back({site.sample, "score, " + std::string(objective.name)});
    break;
  case ScoreRule::weighted:
    program::for_each_statement(*program.guide, [&](const program::Statement& statement) {
      if (const auto* sample = program::get_if<program::Sample>(statement))
        result.push_back({sample->id, "weighted log q"});
    });
    break;
  case ScoreRule::refused:
    break;
  }
  return result;
}

/** Objectives that weigh particles against each other have no use for the baselines of a program. */
void warn_of_unused_baselines(const program::Program& program, const Objective& objective,
                              Diagnostics& diagnostics) {
  const ScoreRule rule = objective.scores;
  if (!program.guide || (rule != ScoreRule::held_out && rule != ScoreRule::weighted))
    return;
  program::for_each_statement(*program.guide, [&](const program::Statement& statement) {
    const auto* sample = program::get_if<program::Sample>(statement);
    if (!sample)
      return;
    const program::Using& strategy = sample->strategy;
    if (strategy.baseline || !strategy.baseline_name.empty() || !strategy.options.empty())
      diagnostics
          .warning("unused-baseline", strategy.span,
                   fmt::format("the objective {} does not use the baseline of `{}`", objective.name,
                               program.symbol(sample->symbol).name))
          .with_hint(rule == ScoreRule::held_out ? "the other particles are its baseline"
                                                 : "it learns by weights, not by score function");
  });
}

std::map<std::string, ir::NodeId> pathwise_draws(const Executor& walk, const ir::Graph& graph) {
  std::map<std::string, ir::NodeId> result;
  for (const auto& [site, latent] : walk.latents)
    if (graph.type(latent.value.id()).element == ir::Element::real)
      result[site] = latent.value.id();
  for (const ScoreSite& score : walk.scores)
    result.erase(score.site);
  return result;
}

/** Everything that the guide draws: in the loops that draw it, and as read from outside of them. */
std::vector<ir::NodeId> nodes_of_draws(const Executor& walk) {
  std::vector<ir::NodeId> draws;
  for (const auto& [name, latent] : walk.latents) {
    draws.push_back(latent.value.id());
    for (const Latent::Draw& draw : latent.draws)
      draws.push_back(draw.value.id());
  }
  return draws;
}

/** \throws Unsupported when the guide draws a latent for each value of one that it sums out: the weight of
 * log q is then q of that value, and the doubly reparameterized gradient does not hold. */
void refuse_draws_of_summed_out(const Executor& walk, const ir::Graph& graph, std::string_view objective) {
  for (const auto& [name, latent] : walk.latents)
    for (const Latent::Draw& draw : latent.draws)
      for (const EnumeratedSite& site : walk.enumerated)
        if (site.in_guide && ir::contains(graph.type(draw.value.id()).axes, site.axis))
          throw Unsupported(
              draw.term ? walk.terms[*draw.term].span : site.span,
              fmt::format(
                  "the objective {} with a draw of `{}` for each value of `{}`, which the guide sums out",
                  objective, name, site.site))
              .note(site.span, fmt::format("`{}` is summed out here", site.site))
              .with_hint("use `--objective \"renyi(alpha=0)\"`, the same bound");
}

/** By parameter, which losses it follows: whether a latent's draw depends on it, and whether the log weights
 * do at held draws. \throws Unsupported when a loop of the guide carries a parameter together with draws: log
 * q has then no derivative along the draws alone. */
std::vector<Follows> losses_of_parameters(const Executor& walk, const ir::Graph& graph,
                                          const program::Program& program,
                                          const std::vector<ir::NodeId>& draws, std::string_view objective) {
  std::vector<Follows> result;
  for (std::size_t k = 0; k < graph.parameters.size(); ++k) {
    std::vector<ir::NodeId> sources;
    for (std::size_t id = 0; id < graph.nodes.size(); ++id)
      if (graph.nodes[id].kind == ir::Kind::parameter &&
          graph.nodes[id].index == static_cast<std::int32_t>(k))
        sources.push_back(static_cast<ir::NodeId>(id));
    const Dependence dependence(graph, sources, {});
    if (std::none_of(draws.begin(), draws.end(), [&](ir::NodeId draw) { return dependence.reaches(draw); })) {
      result.push_back(Follows::loss);
      continue;
    }
    const Dependence at_held_draws(graph, sources, draws);
    const bool is_direct =
        std::any_of(walk.terms.begin(), walk.terms.end(),
                    [&](const Term& term) {
                      return term.kind != TermKind::guide && at_held_draws.reaches(term.log_prob.id());
                    }) ||
        std::any_of(walk.enumerated.begin(), walk.enumerated.end(), [&](const EnumeratedSite& site) {
          return site.in_guide && at_held_draws.reaches(site.log_weight.id());
        });
    result.push_back(is_direct ? Follows::guide_and_direct_loss : Follows::guide_loss);
    const Dependence mixed(graph, sources, walk.hold().draws());
    for (ir::NodeId carried : walk.carried_draws)
      if (mixed.reaches(carried))
        throw Unsupported(
            program.guide_span,
            fmt::format("the objective {} with a `for` of the guide that carries a value made from draws and "
                        "from parameter {}: use `--objective \"renyi(alpha=0)\"`, the same bound",
                        objective, graph.parameters[k].name));
  }
  return result;
}

/** The same contributions, of what the guide draws without a derivative. */
std::vector<Contribution> without_drawn_densities(std::vector<Contribution> contributions,
                                                  const Executor& walk) {
  for (Contribution& contribution : contributions) {
    const bool is_summed_out =
        std::any_of(walk.enumerated.begin(), walk.enumerated.end(), [&](const EnumeratedSite& site) {
          return site.in_guide && site.site == contribution.site;
        });
    if (contribution.of_guide && !is_summed_out)
      contribution.value = ir::stop_gradient(contribution.value);
  }
  return contributions;
}

const Objective& chosen_objective(const ElboOptions& options) {
  const Objective* objective = find_objective(options.objective);
  if (!objective)
    throw std::invalid_argument(fmt::format("there is no objective named {}", options.objective));
  if (options.particles < objective->least_particles)
    throw std::invalid_argument(fmt::format("the objective {} needs at least {} particles: give --particles",
                                            objective->name, objective->least_particles.get()));
  return *objective;
}

/** Walks guide and model as the objective wants their densities. */
void walk_program(Walk& walk, const program::Program& program, const Objective& objective) {
  Executor& executor = *walk.executor;
  executor.wants_closed_forms = objective.analytic;
  executor.keeps_score_density = objective.scores.get() == ScoreRule::held_out;
  executor.learns_by_weights = objective.scores.get() == ScoreRule::weighted;
  if (executor.learns_by_weights && program.family)
    throw Unsupported(
        program.family->span,
        fmt::format("the objective {} with an automatic guide, whose density is made from the noise "
                    "and not from the draw: write the guide",
                    objective.name));
  if (program.guide)
    executor.run(*program.guide, Role::guide);
  executor.run(program.model, Role::model);
  if (walk.reads_data && !executor.latents.empty() && executor.amortized_sites == 0)
    throw Unsupported(
        program.family->span,
        fmt::format("auto({}) in a program without a plate whose elements have both latents and data "
                    "of their own: there is nothing to read, use auto(normal)",
                    program.family->family));
}

/** Sums finite variables out of the addends of the ELBO. */
std::vector<Contribution> summed_out(std::vector<Contribution> contributions, Executor& executor,
                                     ir::Builder& builder) {
  eliminate(contributions, executor, builder);
  expect(contributions, executor, builder);
  scale_elements(contributions, executor);
  return contributions;
}

/** Latent terms weakened by `weight`; what data are part of keeps its own (Bowman et al. 2016). */
std::vector<Contribution> annealed(std::vector<Contribution> contributions, Value weight) {
  for (Contribution& contribution : contributions) {
    if (contribution.holds_data)
      continue;
    contribution.value = contribution.value * weight;
    if (contribution.by_iteration)
      contribution.by_iteration = contribution.by_iteration * weight;
  }
  return contributions;
}

std::optional<Elbo> build(const program::Program& program, const ElboOptions& options,
                          Diagnostics& diagnostics) {
  const Objective& objective = chosen_objective(options);
  Walk walk(program, options, objective.detach_guide_density);
  Executor& executor = *walk.executor;
  ir::Builder& builder = *walk.elbo.builder;
  walk_program(walk, program, objective);
  if (!executor.learns_by_weights)
    warn_of_jumps(executor.jumps, pathwise_draws(executor, *walk.elbo.graph), *walk.elbo.graph, diagnostics);

  std::vector<Contribution> contributions =
      summed_out(contributions_of(executor, builder, objective.analytic), executor, builder);
  ObjectiveContext context;
  context.builder = &builder;
  context.walk = &executor;
  context.contributions = &contributions;
  context.particles = walk.particles;
  context.parameters = walk.elbo.parameters.get();
  context.running_averages = options.running_averages;
  context.options = catalog::option_values(objective.options.get()(), options.objective_options);
  std::optional<Value> weakness; // of latent terms
  context.undrawn = [&] {
    std::vector<Contribution> undrawn =
        summed_out(without_drawn_densities(contributions_of(executor, builder, objective.analytic), executor),
                   executor, builder);
    return weakness ? annealed(std::move(undrawn), *weakness) : undrawn;
  };
  std::optional<std::vector<Contribution>> dreamt;
  context.dream = [&] {
    if (!dreamt) {
      Executor simulation(program, builder, *walk.sizes, *walk.elbo.parameters, walk.particles);
      simulation.learns_by_weights = true;
      simulation.dream();
      dreamt = contributions_of(simulation, builder, false);
      scale_elements(*dreamt, simulation);
    }
    return *dreamt;
  };
  ObjectiveValue value = objective.make.get()(context);
  if (options.anneal) {
    // The reported bound stays the true one.
    weakness = builder.input("kl_weight");
    const std::vector<Contribution> weakened = annealed(contributions, *weakness);
    context.contributions = &weakened;
    ObjectiveValue followed = objective.make.get()(context);
    value.loss = followed.loss;
    value.guide_loss = followed.guide_loss;
    value.direct_loss = followed.direct_loss;
    value.updates = std::move(followed.updates);
  }
  if (value.guide_loss) {
    refuse_draws_of_summed_out(executor, *walk.elbo.graph, objective.name);
    walk.elbo.draws = nodes_of_draws(executor);
    walk.elbo.follows =
        losses_of_parameters(executor, *walk.elbo.graph, program, walk.elbo.draws, objective.name);
  }
  walk.elbo.objective = std::move(value);
  warn_of_unused_baselines(program, objective, diagnostics);
  walk.elbo.estimates = describe_estimates(program, executor, objective, walk.particles.has_value());
  for (const auto& [name, latent] : executor.latents)
    walk.elbo.latents[name] = latent.value;
  return std::move(walk.elbo);
}

} // namespace

std::optional<Elbo> build_elbo(const program::Program& program, const ElboOptions& given,
                               Diagnostics& diagnostics) {
  return guarded<Elbo>(diagnostics, [&] {
    return with_sizes_as_needed(
        given, [&](const ElboOptions& options) { return build(program, options, diagnostics); });
  });
}

} // namespace plait::elbo
