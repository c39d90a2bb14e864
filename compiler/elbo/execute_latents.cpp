// Latents: what the statements that sample one leave, whether it is drawn, summed out, or has a value in
// another branch.
#include "compiler/elbo/executor.hpp"

#include "compiler/catalog/array_math.hpp"
#include "compiler/catalog/ops.hpp"
#include "compiler/plates/sites.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace plait::elbo {

using ir::Extent;
using ir::Value;
using program::SymbolId;

namespace {

/** Logarithm of 0 that a sum of logarithms can hold. */
constexpr double log_of_nothing = -1e30;

std::vector<Value> stopped(const std::vector<Value>& values) {
  std::vector<Value> result;
  for (Value value : values)
    result.push_back(value.type().element == ir::Element::real ? ir::stop_gradient(value) : value);
  return result;
}

} // namespace

Value Executor::of_symbol(Value value, const program::Symbol& symbol) {
  return symbol.type.is_real() ? catalog::as_real(value) : catalog::as_integer(value);
}

std::optional<Value> Executor::open_condition(std::size_t first) const {
  std::optional<Value> condition;
  for (std::size_t k = first; k < conditions_.size(); ++k)
    condition = condition ? ir::logical_and(*condition, conditions_[k]) : conditions_[k];
  return condition;
}

const plates::ConditionLogic& Executor::logic() {
  if (!logic_)
    logic_.emplace(*program_);
  return *logic_;
}

Latent& Executor::set_where_taken(const std::string& name, Value value) {
  Latent& latent = latents[name];
  latent.site = name;
  const std::optional<Value> here = open_condition();
  latent.value = latent.value && here ? ir::select(*here, value, latent.value) : value;
  return latent;
}

void Executor::keep_latent(const program::Sample& sample, Value value, Latent::Draw draw) {
  Latent& latent = set_where_taken(program_->symbol(sample.symbol).name, value);
  draw.path = path_;
  if (const auto here = open_condition(); here && wants_closed_forms)
    draw.taken = Looped{ir::to_real(*here)};
  latent.draws.push_back(std::move(draw));
}

namespace {

std::vector<Looped> of_iteration(const std::vector<Value>& values) {
  std::vector<Looped> result;
  for (Value value : values)
    result.push_back({value});
  return result;
}

} // namespace

void Executor::draw_latent(const program::Sample& sample, const Values& parameters) {
  const program::Symbol& symbol = program_->symbol(sample.symbol);
  const catalog::Distribution& distribution = *sample.distribution;
  const Drawn draw = drawing.simulates ? Drawn{latent_value(latents.at(symbol.name)), {}, {}}
                                       : draw_from(sample, parameters);
  Value value = draw.value;
  // Every latent varies over its plates, even where its draw does not (delta): the density terms count once
  // per element.
  const ir::Type drawn = value.type();
  value = builder_->broadcast(value, ir::unite(drawn.axes, open_axes()), drawn.shape);
  if (learns_by_weights && !sample.transforms.empty())
    throw Unsupported(sample.span,
                      fmt::format("an objective of importance weights with {}, a transformed draw: its "
                                  "density at a held value is not made from that value",
                                  symbol.name));
  const bool by_score = !learns_by_weights && (distribution.pathwise == catalog::Pathwise::none ||
                                               sample.strategy.strategy == program::Strategy::score);
  if ((by_score || learns_by_weights) && value.type().element == ir::Element::real)
    value = ir::stop_gradient(value);
  bound_[static_cast<std::size_t>(symbol.id)] = of_symbol(value, symbol);
  hold_.add_draw(value);

  Latent::Draw kept{.value = value};
  if (!sample.transforms.empty()) {
    kept.term = add_term(TermKind::guide, sample, draw.log_prob);
    if (draw.entropy)
      add_entropy(sample, kept, *draw.entropy);
    keep_latent(sample, value, std::move(kept));
    return;
  }
  kept.distribution = &distribution;
  kept.parameters = of_iteration(parameters);
  // A draw by score function leaves no other trace of q: E[d log q] = 0, so its density term carries no
  // derivative.
  const Value log_prob = builder_->sum_event(catalog::log_prob(*builder_, distribution, value, parameters));
  Values held = parameters;
  if (by_score && !keeps_score_density)
    held = stopped(parameters);
  else if (detach_density)
    for (Value& parameter : held)
      parameter = hold_.held(parameter);
  const Value detached = builder_->sum_event(catalog::log_prob(*builder_, distribution, value, held));
  kept.term = add_term(TermKind::guide, sample, detached);
  if (drawing.simulates)
    return; // the draw is where it was
  if (!by_score && wants_closed_forms)
    if (const auto entropy =
            catalog::entropy(*builder_, distribution, parameters, sizes_->shape(sample.type.dims)))
      add_entropy(sample, kept, *entropy);
  if (by_score)
    add_score_site(sample, value, log_prob, *kept.term);
  keep_latent(sample, value, std::move(kept));
}

EnumeratedSite* Executor::find_summed(SymbolId symbol) {
  const auto found = std::find_if(enumerated.begin(), enumerated.end(), [&](const EnumeratedSite& site) {
    return site.symbol == symbol && !site.summed;
  });
  return found == enumerated.end() ? nullptr : &*found;
}

EnumeratedSite& Executor::begin_summed(const program::Sample& sample, Extent size, bool in_guide) {
  const program::Symbol& symbol = program_->symbol(sample.symbol);
  ir::Graph& graph = builder_->graph();
  EnumeratedSite site;
  site.site = symbol.name;
  site.axis = static_cast<ir::AxisId>(graph.axes.size());
  site.plates = open_axes();
  site.span = sample.span;
  site.in_guide = in_guide;
  site.symbol = symbol.id;
  ir::Axis axis;
  axis.name = symbol.name;
  axis.kind = ir::AxisKind::enumerated;
  axis.extent = axis.population = size;
  graph.axes.push_back(std::move(axis));
  summed_axes_[site.axis] = {symbol.id, site.plates};
  Term term;
  term.kind = in_guide ? TermKind::guide : TermKind::prior;
  term.site = symbol.name;
  term.span = sample.span;
  term.plates = site.plates;
  site.term = terms.size();
  terms.push_back(std::move(term));
  enumerated.push_back(std::move(site));
  return enumerated.back();
}

void Executor::weigh_here(EnumeratedSite& site, Value log_weight, Value log_q) {
  const auto mask = open_mask();
  const auto here = [&](Value value, const Value& elsewhere, auto&& nowhere) {
    value = builder_->broadcast(value, ir::unite(value.type().axes, site.plates), {});
    return mask ? ir::select(*mask, value, elsewhere ? elsewhere : nowhere()) : value;
  };
  // Where the site does not exist its values weigh 1/K each, so that the sum over them is that of what is
  // left, and that of nothing is 1.
  site.log_weight = here(log_weight, site.log_weight, [&] {
    return -ir::log(ir::to_real(builder_->extent(builder_->graph().axis(site.axis).extent)));
  });
  Value& log_prob = terms[site.term].log_prob;
  log_prob = site.in_guide ? here(log_q, log_prob, [&] { return builder_->real(0); }) : site.log_weight;
  const std::size_t outside = loops_.empty() ? 0 : loops_.back().conditions;
  site.paths.emplace_back(path_.begin() + static_cast<std::ptrdiff_t>(outside), path_.end());
  const std::optional<Value> condition = open_condition(outside);
  site.condition =
      site.condition && condition ? std::optional(ir::logical_or(*site.condition, *condition)) : condition;
  if (logic().cover(site.paths))
    site.condition.reset();
}

void Executor::enumerate_latent(const program::Sample& sample, const Values& parameters, bool in_guide) {
  const program::Symbol& symbol = program_->symbol(sample.symbol);
  if (!sample.type.dims.empty())
    throw Unsupported(
        sample.span,
        fmt::format("summing out {}, an array of finite variables: put it in a plate", symbol.name));
  const auto size =
      sample.distribution->support_size ? sample.distribution->support_size(parameters) : std::nullopt;
  if (!size)
    throw Unsupported(sample.span, fmt::format("summing out {}: {} has no finite support here", symbol.name,
                                               sample.distribution->name));
  EnumeratedSite* site = find_summed(symbol.id);
  if (site && !(builder_->graph().axis(site->axis).extent == *size))
    throw Unsupported(
        sample.span,
        fmt::format("summing out {}, which has another number of values in each branch", symbol.name))
        .note(site->span, "the other branch");
  if (!site)
    site = &begin_summed(sample, *size, in_guide);
  const Value value = builder_->axis_index(site->axis);
  bound_[static_cast<std::size_t>(symbol.id)] = value;
  const Value log_prob = catalog::log_prob(*builder_, *sample.distribution, value, parameters);
  weigh_here(*site, log_prob, log_prob);
  if (in_guide) {
    Latent& latent = latents[symbol.name];
    latent.site = symbol.name;
    latent.value = value;
    latent.enumerated = site->axis;
  }
}

Value Executor::merge_summed(EnumeratedSite& site, Value condition, const plates::Condition& branch,
                             Value yes, Value no) {
  const bool of_yes = mentions(yes, {site.axis});
  const Value axis = builder_->axis_index(site.axis);
  if (of_yes && mentions(no, {site.axis}))
    return axis;
  conditions_.push_back(of_yes ? ir::logical_not(condition) : condition);
  path_.push_back({branch.expr, !of_yes});
  const Value is_value = ir::equal(axis, catalog::as_integer(of_yes ? no : yes));
  weigh_here(site, ir::select(is_value, builder_->real(0), builder_->real(log_of_nothing)),
             builder_->real(0)); // no density: it is not drawn
  conditions_.pop_back();
  path_.pop_back();
  return axis;
}

void Executor::check_followed(SymbolId symbol, Value yes, Value no, Span span) const {
  const std::string& name = program_->symbol(symbol).name;
  const auto latent = latents.find(name);
  if (program_->symbol(symbol).kind != program::SymbolKind::site || latent == latents.end() ||
      !latent->second.enumerated || !yes || !no)
    return;
  const std::vector<ir::AxisId> axis{*latent->second.enumerated};
  const bool is_read_later =
      std::any_of(guide_chains_.begin(), guide_chains_.end(), [&](const GuideChain& guide) {
        return std::any_of(guide.chain.past.begin(), guide.chain.past.end(),
                           [&](const Chain::Past& past) { return guide.chain.names[past.site] == name; });
      });
  if (is_read_later && mentions(yes, axis) != mentions(no, axis))
    throw Unsupported(span,
                      fmt::format("{0} has a value of its own in one branch here, while later iterations "
                                  "read the {0} that the guide sums out",
                                  name))
        .with_hint("let the guide draw it, or sum it out in the model");
}

Value Executor::latent_value(const Latent& latent) const {
  if (latent.enumerated)
    return latent.value;
  return at_open_iterations(latent.value, latent.loops, latent.site);
}

Value Executor::at_open_iterations(Value array, int loops, const std::string& site) const {
  const auto depth = static_cast<std::size_t>(loops);
  if (depth > loops_.size())
    throw std::logic_error("latent " + site + " has more loops in the guide than in the model");
  for (std::size_t k = loops_.size() - depth; k < loops_.size(); ++k)
    array = builder_->gather(array, loops_[k].index, 0);
  return array;
}

void Executor::leave_bounds(const std::string& name, Span span, const std::vector<ir::AxisId>& axes,
                            const std::vector<Extent>& shape, const catalog::SupportBounds& bounds) {
  const auto leave = [&](const char* which, const std::optional<Value>& bound) {
    if (!bound)
      return;
    Value value = catalog::as_real(*bound);
    const std::vector<ir::AxisId> own = value.type().axes;
    for (ir::AxisId axis : own)
      if (builder_->graph().axis(axis).kind == ir::AxisKind::enumerated)
        throw Unsupported(span, fmt::format("a given start of {}: its bounds depend on {}, which is summed "
                                            "out, so that no one value lies between them",
                                            name, builder_->graph().axis(axis).name));
    // Every branch has its own bounds.
    set_where_taken(name + which, builder_->broadcast(value, ir::unite(own, axes), shape));
  };
  leave(lower_suffix, bounds.lower);
  leave(upper_suffix, bounds.upper);
}

Value Executor::draw_from_family(const program::Sample& sample, const Values& parameters) {
  const program::Symbol& symbol = program_->symbol(sample.symbol);
  for (ir::AxisId axis : open_axes())
    if (!family_reads_data_)
      refuse_in_ragged_subset(axis, sample.span, fmt::format("the automatic guide of {}", symbol.name));
  if (sites_.empty())
    for (guide::LatentSite& site : latent_sites())
      sites_[site.name] = std::move(site);
  SiteDraws draws = draws_of(symbol.name);
  // Every branch has its own bounds; parameters and noise are the site's.
  guide::LatentSite site = sites_.at(symbol.name);
  site.support = sample.type.support;
  guide::SiteContext context;
  context.site = &site;
  context.builder = builder_;
  context.parameters = parameters_;
  context.draws = &draws;
  if (sample.transforms.empty())
    context.bounds = bounds_of(*sample.distribution, parameters);
  context.loop_indices = open_indices();
  context.prior_parameters = parameters;
  if (family_reads_data_) {
    context.features = features_of(sample);
    amortized_sites += context.features ? 1 : 0;
  }
  context.detach_density = detach_density;
  if (given_values && given_values->contains(symbol.name)) {
    context.location_is_value = true;
    leave_bounds(symbol.name, sample.span, open_axes(), site.shape, context.bounds);
  }
  const guide::LatentDraw drawn = family_->draw(context);
  Latent::Draw draw{.value = drawn.value};
  draw.distribution = drawn.distribution;
  draw.parameters = of_iteration(drawn.distribution_parameters);
  if (drawn.log_prob) {
    draw.term = add_term(TermKind::guide, sample, *drawn.log_prob);
    if (drawn.entropy)
      add_entropy(sample, draw, *drawn.entropy);
  }
  if (drawn.joint_log_prob)
    joint_terms.emplace_back(*drawn.joint_log_prob, drawn.joint_entropy);
  if (drawn.joint_coordinates)
    stand_in_for_absent(sample, *drawn.joint_coordinates);
  keep_latent(sample, drawn.value, std::move(draw));
  return drawn.value;
}

// A joint guide draws the coordinates of elements that do not exist too. With a standard normal as their
// target the bound is one of the same evidence, and tight where the guide draws them from it:
//   E_q [log p(x, z) + log N(u; 0, 1) - log q(z, u)] <= log p(x).
void Executor::stand_in_for_absent(const program::Sample& sample, Value coordinates) {
  const auto mask = open_mask();
  if (!mask)
    return;
  constexpr double half_log_two_pi = 0.91893853320467274178;
  Value log_prob = builder_->sum_event(-0.5 * ir::square(coordinates) - half_log_two_pi);
  log_prob = builder_->broadcast(log_prob, ir::unite(log_prob.type().axes, open_axes()), {});
  // The first branch counts all elements; every branch takes off its own.
  const bool is_first = !latents.contains(program_->symbol(sample.symbol).name);
  Term term;
  term.kind = TermKind::prior;
  term.site = program_->symbol(sample.symbol).name;
  term.span = sample.span;
  term.log_prob =
      ir::select(*mask, is_first ? builder_->real(0) : -log_prob, is_first ? log_prob : builder_->real(0));
  term.plates = open_axes();
  terms.push_back(std::move(term));
}

void Executor::score_latent(const program::Sample& sample, const Values& parameters) {
  const program::Symbol& symbol = program_->symbol(sample.symbol);
  if (!family_ && !latents.contains(symbol.name))
    throw std::logic_error("latent without a guide: " + symbol.name);
  const Value value = family_ ? draw_from_family(sample, parameters) : latent_value(latents.at(symbol.name));
  bound_[static_cast<std::size_t>(symbol.id)] = of_symbol(value, symbol);
  const std::size_t prior = add_term(TermKind::prior, sample, density(sample, value, parameters));
  add_divergences(sample, latents.at(symbol.name), prior, parameters);
}

std::vector<guide::LatentSite> Executor::latent_sites() {
  std::vector<guide::LatentSite> sites;
  for (const plates::Site& latent :
       plates::find_sites(*program_, program_->model, program::BlockKind::model)) {
    const bool is_known = std::any_of(
        sites.begin(), sites.end(), [&](const guide::LatentSite& site) { return site.name == latent.name; });
    if (latent.observed || latent.strategy.strategy == program::Strategy::enumerate || is_known)
      continue;
    guide::LatentSite site;
    site.name = latent.name;
    site.shape = sizes_->shape(latent.type.dims);
    for (program::PlateId plate : latent.plates)
      site.plates.push_back(sizes_->axis(plate));
    for (program::LoopId loop : latent.loops)
      site.loops.push_back(sizes_->extent(program_->loop(loop).extent));
    std::sort(site.plates.begin(), site.plates.end());
    site.support = latent.type.support;
    if (catalog::is_discrete(latent.distribution->support.get().kind))
      throw Unsupported(
          latent.span,
          fmt::format(
              "an automatic guide for {}, which is discrete: write a guide for it, or sum it out with "
              "`using enumerate`",
              site.name));
    site.unconstrained = catalog::unconstrained_shape(latent.type.support.kind, site.shape);
    sites.push_back(std::move(site));
  }
  return sites;
}

} // namespace plait::elbo
