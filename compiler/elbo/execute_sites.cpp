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
  // What is simulated is drawn anew, beside the guide's draws of the same site.
  SiteDraws draws(*builder_, drawing.simulates ? site + ".simulated" : site, row, iteration);
  if (given_values)
    draws.be_still();
  return draws;
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
  note_existence(symbol.id);
  if (role_ == Role::predict && drawing.simulates) {
    simulate(sample, parameters);
  } else if (role_ == Role::predict) {
    const auto latent = latents.find(symbol.name);
    if (!sample.observed && latent != latents.end()) {
      bound_[static_cast<std::size_t>(symbol.id)] = of_symbol(latent_value(latent->second), symbol);
    } else if (!sample.observed && symbol.block == program::BlockKind::model) {
      throw Unsupported(sample.span, fmt::format("drawing {}, which is summed out here", symbol.name));
    } else if (!sample.observed || drawing.redraws_data) {
      const Value value = draw_from(sample, parameters).value;
      if (sample.observed) {
        keep_drawn(sample, value);
        keep_redrawn(sample, value);
      } else {
        bound_[static_cast<std::size_t>(symbol.id)] = of_symbol(value, symbol);
        if (loops_.empty() && of_predict_block(symbol.id))
          produce(symbol.name, value);
      }
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

} // namespace plait::elbo
