#include "compiler/elbo/build_elbo.hpp"

#include "compiler/catalog/ops.hpp"
#include "compiler/elbo/dependence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace plait::elbo {

using ir::AxisId;
using ir::Value;

namespace {

void declare_data(const program::Program& program, const Sizes& sizes, ir::Graph& graph) {
  for (program::SymbolId id : program.data) {
    const program::Symbol& symbol = program.symbol(id);
    if (symbol.implicit)
      continue;
    ir::DataArray array;
    array.name = symbol.name;
    array.element = symbol.type.is_real() ? ir::Element::real : ir::Element::integer;
    array.shape = sizes.shape(symbol.type.dims);
    array.ragged = symbol.type.dims.size() > 1 && symbol.type.dims[1].is_ragged();
    graph.data.push_back(std::move(array));
  }
}

/** Graph, walk and everything they need, in the order of their lifetimes. */
struct Walk {
  Walk(const program::Program& program, const ElboOptions& options, bool detach_density) {
    elbo.graph = std::make_unique<ir::Graph>();
    elbo.builder = std::make_unique<ir::Builder>(*elbo.graph);
    elbo.parameters = std::make_unique<guide::Parameters>(*elbo.builder);
    const guide::FamilyRow* row = program.family ? guide::find_family(program.family->family) : nullptr;
    if (program.family && !row)
      throw Unsupported(program.family->span,
                        fmt::format("there is no automatic guide named {}", program.family->family));
    const bool keep = options.keep_runtime_sizes && !(row && needs_known_sizes(program, *row));
    sizes = std::make_unique<Sizes>(program, *elbo.graph, keep, options.subsample);
    declare_data(program, *sizes, *elbo.graph);
    // Axis order is nesting order: plates first, in the order of the text, then particles.
    for (const program::Plate& plate : program.plates)
      sizes->axis(plate.id);
    if (options.particles > 1) {
      particles = static_cast<AxisId>(elbo.graph->axes.size());
      const auto count = ir::Extent::known(options.particles);
      elbo.graph->axes.push_back({"particle", ir::AxisKind::particle, count, count, false, -1});
    }
    executor = std::make_unique<Executor>(program, *elbo.builder, *sizes, *elbo.parameters, particles);
    executor->detach_density = detach_density;
    executor->detach_density = detach_density;
    if (row)
      use_family(program, *row);
  }

  /** Whether the family must see numbers where the size of a plate would stay a run-time extent. */
  static bool needs_known_sizes(const program::Program& program, const guide::FamilyRow& row) {
    if (row.known_sizes.get() != guide::KnownSizes::sites)
      return row.known_sizes.get() == guide::KnownSizes::all;
    // Some latent is itself as long as a plate.
    std::set<std::string> plate_sizes;
    for (const program::Plate& plate : program.plates)
      if (const program::SizeTerm* size = plate.size.single())
        plate_sizes.insert(size->name);
    bool found = false;
    program::for_each_statement(program.model, [&](const program::Statement& statement) {
      const auto* sample = program::get_if<program::Sample>(statement);
      if (!sample || sample->observed)
        return;
      const auto look_at = [&](const program::Dim& dim) {
        const program::SizeTerm* size = dim.single();
        found = found || (size && plate_sizes.contains(size->name));
      };
      for (const program::Dim& dim : sample->type.dims)
        look_at(dim);
      for (const program::Frame& frame : sample->frames)
        if (frame.kind == program::Frame::Kind::loop)
          look_at(program.loop(frame.id).extent);
    });
    return found;
  }

  void use_family(const program::Program& program, const guide::FamilyRow& row) {
    sites = executor->latent_sites();
    guide::FamilyContext context;
    context.builder = elbo.builder.get();
    context.parameters = elbo.parameters.get();
    context.sites = sites;
    context.detach_density = executor->detach_density;
    context.detach_density = executor->detach_density;
    for (const guide::FamilyOption& option : row.options.get()())
      context.options[std::string(option.name)] = option.value;
    for (const auto& [name, value] : program.family->options) {
      if (!context.options.contains(name))
        throw Unsupported(program.family->span,
                          fmt::format("auto({}) has no option named {}", row.name, name));
      context.options[name] = value;
    }
    context.joint_draws = [this](const std::string& name) -> catalog::Draws& {
      return executor->joint_draws(name);
    };
    try {
      executor->use_family(row.make.get()(context));
    } catch (const std::invalid_argument& fault) {
      throw Unsupported(program.family->span, fmt::format("auto({}): {}", row.name, fault.what()));
    }
  }

  Elbo elbo;
  std::unique_ptr<Sizes> sizes;
  std::optional<AxisId> particles;
  std::vector<guide::LatentSite> sites;
  std::unique_ptr<Executor> executor;
};

std::vector<SiteEstimate> describe_estimates(const Executor& walk, const Objective& objective) {
  std::vector<SiteEstimate> result;
  for (const auto& [name, latent] : walk.latents) {
    std::string text = "pathwise";
    for (const ScoreSite& score : walk.scores)
      if (score.site == name)
        text = score.baseline ? "score, baseline" : "score";
    for (const EnumeratedSite& site : walk.enumerated)
      if (site.site == name)
        text = "enumerated in the guide";
    if (!latent.has_term && text == "pathwise")
      text = "point mass";
    else if (objective.analytic && latent.has_term) {
      const bool kl = std::any_of(walk.kl_pairs.begin(), walk.kl_pairs.end(),
                                  [&](const auto& pair) { return pair.site == name; });
      if (kl)
        text += ", closed-form KL";
      else if (walk.entropies.contains(latent.term))
        text += ", closed-form entropy";
    }
    result.push_back({name, text});
  }
  for (const EnumeratedSite& site : walk.enumerated)
    if (!site.in_guide)
      result.push_back({site.site, "summed out"});
  return result;
}

/** The value of a named quantity with its plates in the order of their nesting, outermost first. Axes print
 * in the order in which the program first names their plates; where that differs, they become dimensions. */
ir::Value in_nesting_order(const program::Program& program, Sizes& sizes, ir::Builder& builder,
                           const std::string& name, ir::Value value) {
  for (const program::Symbol& symbol : program.symbols) {
    if (symbol.name != name || symbol.block == program::BlockKind::function ||
        symbol.block == program::BlockKind::guide)
      continue;
    std::vector<AxisId> nested;
    for (const program::Frame& frame : symbol.frames)
      if (frame.kind == program::Frame::Kind::plate && value.type().has_axis(sizes.axis(frame.id)))
        nested.push_back(sizes.axis(frame.id));
    if (std::is_sorted(nested.begin(), nested.end()))
      continue;
    for (auto axis = nested.rbegin(); axis != nested.rend(); ++axis)
      value = builder.axis_to_dim(value, *axis);
    return value;
  }
  return value;
}

/** By parameter, whether a latent's draw depends on it. \throws Unsupported when such a parameter also enters
 * a density of the model directly: its gradient would need both losses. */
std::vector<bool> parameters_of_draws(const Executor& walk, const ir::Graph& graph,
                                      const program::Program& program) {
  std::vector<ir::NodeId> draws;
  for (const auto& [name, latent] : walk.latents)
    draws.push_back(latent.value.id());
  std::vector<bool> result;
  for (std::size_t k = 0; k < graph.parameters.size(); ++k) {
    std::vector<ir::NodeId> sources;
    for (std::size_t id = 0; id < graph.nodes.size(); ++id)
      if (graph.nodes[id].kind == ir::Kind::parameter &&
          graph.nodes[id].index == static_cast<std::int32_t>(k))
        sources.push_back(static_cast<ir::NodeId>(id));
    const Dependence dependence(graph, sources, {});
    result.push_back(
        std::any_of(draws.begin(), draws.end(), [&](ir::NodeId draw) { return dependence.reaches(draw); }));
    if (!result.back())
      continue;
    const Dependence direct(graph, sources, draws);
    for (const Term& term : walk.terms)
      if (term.kind != TermKind::guide && direct.reaches(term.log_prob.id()))
        throw Unsupported(
            program.guide_span,
            fmt::format("the objective iwae with parameter {}, which shapes draws of the guide and enters "
                        "the density of {} directly: use `--objective elbo` or `stl`",
                        graph.parameters[k].name, term.site));
  }
  return result;
}

template <class Build>
std::optional<Elbo> guarded(Diagnostics& diagnostics, Build&& build) {
  try {
    return build();
  } catch (const Unsupported& fault) {
    diagnostics.error("not-compiled", fault.span, fault.what());
  } catch (const std::invalid_argument& fault) {
    diagnostics.error("not-compiled", Span{}, fault.what());
  }
  return std::nullopt;
}

} // namespace

std::optional<Elbo> build_elbo(const program::Program& program, const ElboOptions& options,
                               Diagnostics& diagnostics) {
  return guarded(diagnostics, [&]() -> std::optional<Elbo> {
    const Objective* objective = find_objective(options.objective);
    if (!objective)
      throw std::invalid_argument(fmt::format("there is no objective named {}", options.objective));
    if (options.particles < objective->least_particles)
      throw std::invalid_argument(
          fmt::format("the objective {} needs at least {} particles: give --particles", objective->name,
                      objective->least_particles.get()));
    Walk walk(program, options, objective->detach_guide_density);
    Executor& executor = *walk.executor;
    ir::Builder& builder = *walk.elbo.builder;
    if (program.guide)
      executor.run(*program.guide, Role::guide);
    executor.run(program.model, Role::model);

    std::vector<Contribution> contributions = contributions_of(executor, builder, objective->analytic);
    eliminate(contributions, executor, builder);
    expect(contributions, executor, builder);

    ObjectiveContext context;
    context.builder = &builder;
    context.walk = &executor;
    context.contributions = &contributions;
    context.particles = walk.particles;
    for (const ObjectiveOption& option : objective->options.get()())
      context.options[std::string(option.name)] = option.value;
    for (const auto& [name, value] : options.objective_options)
      context.options[name] = value;
    ObjectiveValue value = objective->make.get()(context);
    if (options.anneal) {
      // The reported bound stays the true one; the loss sees latent terms weakened (Bowman et al. 2016).
      std::vector<Contribution> annealed = contributions;
      const Value weight = builder.input("kl_weight");
      for (Contribution& contribution : annealed)
        if (!contribution.name.starts_with("observed") && !contribution.name.starts_with("sum over"))
          contribution.value = contribution.value * weight;
      context.contributions = &annealed;
      const ObjectiveValue weakened = objective->make.get()(context);
      value.loss = weakened.loss;
      value.guide_loss = weakened.guide_loss;
    }
    if (value.guide_loss)
      walk.elbo.shapes_draws = parameters_of_draws(executor, *walk.elbo.graph, program);
    walk.elbo.objective = std::move(value);
    walk.elbo.estimates = describe_estimates(executor, *objective);
    for (const auto& [name, latent] : executor.latents)
      walk.elbo.latents[name] = latent.value;
    return std::move(walk.elbo);
  });
}

std::optional<Elbo> build_draws(const program::Program& program, const ElboOptions& options,
                                bool with_predict, Diagnostics& diagnostics) {
  return guarded(diagnostics, [&]() -> std::optional<Elbo> {
    Walk walk(program, options, false);
    Executor& executor = *walk.executor;
    if (program.guide)
      executor.run(*program.guide, Role::guide);
    // The model is walked in any case: automatic guides draw when it reaches their sites, and the predict
    // block may read its locals.
    executor.run(program.model, Role::model);
    // Without a predict block the data are drawn anew: the posterior predictive of every observed site.
    if (with_predict)
      executor.run(program.predict ? *program.predict : program.model, Role::predict);
    for (const auto& [name, latent] : executor.latents)
      walk.elbo.latents[name] =
          in_nesting_order(program, *walk.sizes, *walk.elbo.builder, name, latent.value);
    for (const auto& [name, value] : executor.results)
      walk.elbo.results[name] = in_nesting_order(program, *walk.sizes, *walk.elbo.builder, name, value);
    return std::move(walk.elbo);
  });
}

} // namespace plait::elbo
