#include "compiler/elbo/executor.hpp"

#include "compiler/catalog/array_math.hpp"
#include "compiler/catalog/ops.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace plait::elbo {

using catalog::as_integer;
using catalog::as_real;
using ir::Extent;
using ir::Value;
using program::Frame;

std::vector<ir::AxisId> Executor::open_axes() const {
  std::vector<ir::AxisId> axes;
  for (const OpenPlate& plate : plates_)
    axes.push_back(plate.axis);
  std::sort(axes.begin(), axes.end());
  return axes;
}

std::vector<Value> Executor::open_indices() const {
  std::vector<Value> indices;
  for (const OpenLoop& loop : loops_)
    indices.push_back(loop.index);
  return indices;
}

std::optional<Value> Executor::open_mask() const {
  std::optional<Value> mask;
  const auto add = [&](Value value) { mask = mask ? ir::logical_and(*mask, value) : value; };
  for (const OpenPlate& plate : plates_)
    if (plate.mask)
      add(*plate.mask);
  for (const OpenLoop& loop : loops_)
    if (loop.mask)
      add(*loop.mask);
  for (Value condition : conditions_)
    add(condition);
  return mask;
}

SiteDraws Executor::draws_of(const std::string& site) {
  Value row;
  for (const OpenPlate& plate : plates_) {
    const Value here = plate.row;
    const Extent population = builder_->graph().axis(plate.axis).population;
    row = row ? ir::integer_add(ir::integer_multiply(row, builder_->extent(population)), here) : here;
  }
  if (particles_) {
    const Value particle = builder_->axis_index(*particles_);
    const Extent count = builder_->graph().axis(*particles_).extent;
    row = row ? ir::integer_add(ir::integer_multiply(row, builder_->extent(count)), particle) : particle;
  }
  if (!row)
    row = builder_->integer(0);
  Value iteration;
  for (const OpenLoop& loop : loops_)
    iteration = iteration ? ir::integer_add(ir::integer_multiply(iteration, builder_->extent(loop.extent)),
                                            loop.index)
                          : loop.index;
  return SiteDraws(*builder_, site, row, iteration);
}

catalog::Draws& Executor::joint_draws(const std::string& name) {
  auto& draws = joint_draws_[name];
  if (!draws)
    draws = std::make_unique<SiteDraws>(draws_of(name));
  return *draws;
}

catalog::SupportBounds Executor::bounds_of(const catalog::Distribution& distribution,
                                           const Values& parameters) const {
  return distribution.bounds ? distribution.bounds(parameters) : catalog::SupportBounds{};
}

void Executor::add_term(Term term) {
  term.plates = open_axes();
  term.log_prob = per_element(term.log_prob);
  terms.push_back(std::move(term));
}

namespace {

std::vector<Value> stopped(const std::vector<Value>& values) {
  std::vector<Value> result;
  for (Value value : values)
    result.push_back(value.type().element == ir::Element::real ? ir::stop_gradient(value) : value);
  return result;
}

} // namespace

std::size_t Executor::add_term(TermKind kind, const program::Sample& sample, Value log_prob) {
  Term term;
  term.kind = kind;
  term.site = program_->symbol(sample.symbol).name;
  term.span = sample.span;
  term.log_prob = log_prob;
  add_term(std::move(term));
  return terms.size() - 1;
}

Value Executor::per_element(Value value) const {
  value = builder_->sum_event(value);
  value = builder_->broadcast(value, ir::unite(value.type().axes, open_axes()), {});
  if (const auto mask = open_mask())
    value = ir::select(*mask, value, builder_->real(0));
  return value;
}

void Executor::walk_sample(const program::Sample& sample, const program::Statement& statement) {
  const program::Symbol& symbol = program_->symbol(sample.symbol);
  const ir::Origin outer = builder_->origin();
  builder_->set_origin({symbol.name, static_cast<std::uint32_t>(statement.span.begin),
                        static_cast<std::uint32_t>(statement.span.end)});
  Values parameters;
  const auto specification = sample.distribution->parameters.get()();
  for (std::size_t k = 0; k < sample.arguments.size(); ++k) {
    const Value value = evaluate(sample.arguments[k]);
    parameters.push_back(k < specification.size() && specification[k].integer ? as_integer(value)
                                                                              : as_real(value));
  }
  const bool enumerates = sample.strategy.strategy == program::Strategy::enumerate;
  if (role_ == Role::predict) {
    const auto latent = latents.find(symbol.name);
    if (!sample.observed && latent != latents.end()) {
      bound_[static_cast<std::size_t>(symbol.id)] = latent_value(latent->second);
    } else if (!sample.observed && symbol.block == program::BlockKind::model) {
      throw Unsupported(sample.span,
                        fmt::format("drawing {}: it is summed out in a `for` inside another, or has a number "
                                    "of values that is not known before the data",
                                    symbol.name));
    } else if (!sample.observed || drawing.redraws_data) {
      const Value value = draw_from(sample, parameters).value;
      if (sample.observed)
        keep_drawn(sample, value);
      else
        bound_[static_cast<std::size_t>(symbol.id)] = value;
      if (sample.observed || (loops_.empty() && of_predict_block(symbol.id)))
        produce(symbol.name, value);
    }
  } else if (sample.observed) {
    if (drawing.absent.contains(symbol.id)) {
      builder_->set_origin(outer);
      return;
    }
    Value value = evaluate(sample.value);
    if (value.type().element != ir::Element::real &&
        !catalog::is_discrete(sample.distribution->support.get().kind))
      value = as_real(value);
    add_term(TermKind::observed, sample, density(sample, value, parameters));
  } else if (enumerates && !(drawing.draws && role_ == Role::guide)) {
    enumerate_latent(sample, parameters, role_ == Role::guide);
  } else if (role_ == Role::guide) {
    draw_latent(sample, parameters);
  } else {
    score_latent(sample, parameters);
  }
  builder_->set_origin(outer);
}

void Executor::produce(const std::string& name, Value value) {
  Value& slot = loops_.empty() ? results[name] : loops_.back().produced[name];
  if (const auto mask = open_mask()) {
    // A branch or a row that does not exist leaves what another branch has drawn, or 0.
    const ir::Type type = value.type();
    const bool replaces = !slot || slot.type().shape != type.shape || slot.type().element != type.element;
    value = ir::select(*mask, value, replaces ? builder_->zeros(type) : slot);
  }
  slot = value;
}

void Executor::draw_latent(const program::Sample& sample, const Values& parameters) {
  const program::Symbol& symbol = program_->symbol(sample.symbol);
  const catalog::Distribution& distribution = *sample.distribution;
  const Drawn draw = draw_from(sample, parameters);
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
  bound_[static_cast<std::size_t>(symbol.id)] = value;
  hold_.add_draw(value);

  Latent latent;
  latent.site = symbol.name;
  latent.value = value;
  latent.draw = value;
  if (!sample.transforms.empty()) {
    latent.term = add_term(TermKind::guide, sample, draw.log_prob);
    latent.has_term = true;
    if (draw.entropy)
      add_entropy(latent, *draw.entropy);
    latents[symbol.name] = std::move(latent);
    return;
  }
  latent.distribution = &distribution;
  for (Value parameter : parameters)
    latent.parameters.push_back({parameter});
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
  latent.term = add_term(TermKind::guide, sample, detached);
  latent.has_term = true;
  if (!by_score && wants_closed_forms)
    if (const auto entropy =
            catalog::entropy(*builder_, distribution, parameters, sizes_->shape(sample.type.dims)))
      add_entropy(latent, *entropy);
  if (by_score)
    add_score_site(sample, value, log_prob, latent.term);
  latents[symbol.name] = std::move(latent);
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
  ir::Graph& graph = builder_->graph();
  ir::Axis axis;
  axis.name = symbol.name;
  axis.kind = ir::AxisKind::enumerated;
  axis.extent = axis.population = *size;
  const auto id = static_cast<ir::AxisId>(graph.axes.size());
  graph.axes.push_back(std::move(axis));
  summed_axes_[id] = {symbol.id, open_axes()};
  const Value value = builder_->axis_index(id);
  bound_[static_cast<std::size_t>(symbol.id)] = value;
  const Value log_prob = catalog::log_prob(*builder_, *sample.distribution, value, parameters);
  // Where the site does not exist its values weigh 1/K each, so that the sum over them is that of what is
  // left, and that of nothing is 1.
  Value log_weight = builder_->broadcast(log_prob, ir::unite(log_prob.type().axes, open_axes()), {});
  if (const auto mask = open_mask())
    log_weight = ir::select(*mask, log_weight, -ir::log(ir::to_real(builder_->extent(*size))));
  if (in_guide) {
    add_term(TermKind::guide, sample, log_prob);
  } else {
    Term term;
    term.kind = TermKind::prior;
    term.site = symbol.name;
    term.span = sample.span;
    term.log_prob = log_weight;
    term.plates = open_axes();
    terms.push_back(std::move(term));
  }
  EnumeratedSite site;
  site.site = symbol.name;
  site.axis = id;
  site.plates = open_axes();
  site.span = sample.span;
  site.in_guide = in_guide;
  site.log_weight = log_weight;
  site.term = terms.size() - 1;
  site.symbol = symbol.id;
  if (!loops_.empty())
    site.conditions.assign(conditions_.begin() + static_cast<std::ptrdiff_t>(loops_.back().conditions),
                           conditions_.end());
  enumerated.push_back(std::move(site));
  if (in_guide) {
    Latent latent;
    latent.site = symbol.name;
    latent.value = value;
    latent.enumerated = id;
    latent.term = terms.size() - 1;
    latent.has_term = true;
    latents[symbol.name] = std::move(latent);
  }
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

Value Executor::draw_from_family(const program::Sample& sample, const Values& parameters, Latent& latent) {
  const program::Symbol& symbol = program_->symbol(sample.symbol);
  for (ir::AxisId axis : open_axes())
    if (!family_reads_data_)
      refuse_in_ragged_subset(axis, sample.span, fmt::format("the automatic guide of {}", symbol.name));
  if (sites_.empty())
    for (guide::LatentSite& site : latent_sites())
      sites_[site.name] = std::move(site);
  SiteDraws draws = draws_of(symbol.name);
  guide::SiteContext context;
  context.site = &sites_.at(symbol.name);
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
  guide::LatentDraw draw = family_->draw(context);
  latent.site = symbol.name;
  latent.value = draw.value;
  latent.draw = draw.value;
  latent.distribution = draw.distribution;
  for (Value parameter : draw.distribution_parameters)
    latent.parameters.push_back({parameter});
  if (draw.log_prob) {
    latent.term = add_term(TermKind::guide, sample, *draw.log_prob);
    latent.has_term = true;
    if (draw.entropy)
      add_entropy(latent, *draw.entropy);
  }
  if (draw.joint_log_prob)
    joint_terms.emplace_back(*draw.joint_log_prob, draw.joint_entropy);
  return draw.value;
}

void Executor::score_latent(const program::Sample& sample, const Values& parameters) {
  const program::Symbol& symbol = program_->symbol(sample.symbol);
  auto found = latents.find(symbol.name);
  Value value;
  if (found != latents.end()) {
    value = latent_value(found->second);
  } else if (family_) {
    Latent latent;
    value = draw_from_family(sample, parameters, latent);
    found = latents.emplace(symbol.name, std::move(latent)).first;
  } else {
    throw std::logic_error("latent without a guide: " + symbol.name);
  }
  bound_[static_cast<std::size_t>(symbol.id)] = value;
  const std::size_t prior = add_term(TermKind::prior, sample, density(sample, value, parameters));
  add_divergence(sample, found->second, prior, parameters);
}

std::vector<guide::LatentSite> Executor::latent_sites() {
  std::vector<guide::LatentSite> sites;
  program::for_each_statement(program_->model, [&](const program::Statement& statement) {
    const auto* sample = program::get_if<program::Sample>(statement);
    if (!sample || sample->observed || sample->strategy.strategy == program::Strategy::enumerate)
      return;
    guide::LatentSite site;
    site.name = program_->symbol(sample->symbol).name;
    site.shape = sizes_->shape(sample->type.dims);
    for (const Frame& frame : sample->frames) {
      if (frame.kind == Frame::Kind::plate)
        site.plates.push_back(sizes_->axis(frame.id));
      else
        site.loops.push_back(sizes_->extent(program_->loop(frame.id).extent));
    }
    std::sort(site.plates.begin(), site.plates.end());
    site.support = sample->type.support;
    if (!catalog::is_discrete(sample->distribution->support.get().kind))
      site.unconstrained = catalog::unconstrained_shape(sample->type.support.kind, site.shape);
    else
      throw Unsupported(
          sample->span,
          fmt::format(
              "an automatic guide for {}, which is discrete: write a guide for it, or sum it out with "
              "`using enumerate`",
              site.name));
    sites.push_back(std::move(site));
  });
  return sites;
}

} // namespace plait::elbo
