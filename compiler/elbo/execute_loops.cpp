#include "compiler/elbo/chain.hpp"
#include "compiler/elbo/combine.hpp"
#include "compiler/elbo/executor.hpp"

#include "compiler/catalog/array_math.hpp"
#include "compiler/catalog/ops.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace plait::elbo {

using ir::AxisId;
using ir::Extent;
using ir::Value;
using program::Frame;
using program::SymbolId;

namespace {

ir::Element element_of(const program::Symbol& symbol) {
  return symbol.type.is_real() ? ir::Element::real : ir::Element::integer;
}

} // namespace

std::vector<AxisId> Executor::axes_read(const LoopPlan& plan) const {
  std::vector<AxisId> axes;
  const auto collect = [&](Value value) {
    if (!value)
      return;
    const std::vector<AxisId> own = value.type().axes;
    for (AxisId axis : own) {
      const ir::AxisKind kind = builder_->graph().axis(axis).kind;
      if (kind == ir::AxisKind::enumerated || kind == ir::AxisKind::particle)
        axes = ir::unite(axes, {axis});
    }
  };
  for (SymbolId symbol : plan.reads) {
    collect(bound_[static_cast<std::size_t>(symbol)]);
    for (const OpenLoop& loop : loops_)
      if (const auto found = loop.lagged.find(symbol); found != loop.lagged.end())
        for (Value value : found->second)
          collect(value);
  }
  if (plan.draws && particles_)
    axes = ir::unite(axes, {*particles_});
  return axes;
}

// Carried values keep one type through all iterations: they start with the axes that they may have later.
Executor::Values Executor::first_values(const program::ForStatement& statement, const LoopPlan& plan,
                                        const Chain& chain) {
  const program::Loop& loop = program_->loop(statement.loop);
  const std::vector<AxisId> read = axes_read(plan);
  Values inits;
  for (SymbolId id : statement.carried) {
    const program::Symbol& symbol = program_->symbol(id);
    std::vector<AxisId> axes = sizes_->axes(symbol.varies);
    const std::vector<AxisId> open = open_axes();
    std::erase_if(axes, [&](AxisId axis) { return !ir::contains(open, axis); });
    if (loop.extent.is_ragged())
      axes = open; // iterations beyond a row's end leave its state alone, so the state differs by row
    if (symbol.random || drawing.simulates) { // what is made of simulated data differs by particle too
      axes = ir::unite(axes, read);
      if (particles_)
        axes = ir::unite(axes, {*particles_});
    }
    Value init = of_symbol(bound_[static_cast<std::size_t>(id)], symbol);
    init = builder_->broadcast(init, ir::unite(axes, init.type().axes), sizes_->shape(symbol.type.dims));
    if (const auto feeds = plan.feeds.find(id); feeds != plan.feeds.end())
      for (std::size_t k = chain.past.size(); k-- > 0;)
        if (chain.feeds(feeds->second, chain.past[k]))
          init = builder_->expand(init, 0, chain.sizes[chain.past[k].site]);
    inits.push_back(init);
  }
  for (const auto& [id, depth] : plan.lags) {
    if (chain.holds(id))
      continue;
    const program::Symbol& symbol = program_->symbol(id);
    ir::Type type;
    type.element = element_of(symbol);
    type.axes = open_axes();
    bool inside = false;
    for (const Frame& frame : symbol.frames) {
      if (frame.kind == Frame::Kind::plate)
        type.axes = ir::unite(type.axes, {sizes_->axis(frame.id)});
      else if (inside)
        type.shape.push_back(sizes_->extent(program_->loop(frame.id).extent));
      inside = inside || frame == Frame{Frame::Kind::loop, loop.id};
    }
    const std::vector<Extent> shape = sizes_->shape(symbol.type.dims);
    type.shape.insert(type.shape.end(), shape.begin(), shape.end());
    if (symbol.random || drawing.simulates) {
      type.axes = ir::unite(type.axes, read);
      if (particles_)
        type.axes = ir::unite(type.axes, {*particles_});
    }
    for (std::int64_t k = 0; k < depth; ++k)
      inits.push_back(builder_->zeros(type));
  }
  if (chain.carries_weights()) {
    std::vector<AxisId> axes = read; // and those of what is carried, which the weights may depend on
    for (Value init : inits)
      if (particles_ && ir::contains(init.type().axes, *particles_))
        axes = ir::unite(axes, {*particles_});
    inits.push_back(first_weights(chain, axes));
  }
  return inits;
}

Value Executor::fitted(Value next, Value argument, const program::Symbol& symbol) const {
  const ir::Type type = argument.type();
  const std::vector<AxisId> axes = next.type().axes;
  for (AxisId axis : axes)
    if (!ir::contains(type.axes, axis))
      throw Unsupported(
          symbol.span,
          fmt::format("carrying {} through a `for`: it comes to depend on {}, on which it did not "
                      "depend before the loop",
                      symbol.name, builder_->graph().axis(axis).name));
  return builder_->broadcast_like(next, type);
}

void Executor::walk_for(const program::ForStatement& statement) {
  const program::Loop& loop = program_->loop(statement.loop);
  const LoopPlan plan = plan_loop(*program_, statement, [&](const auto& sample) { return sums_out(sample); });
  const std::vector<Value> before = bound_;
  Chain chain = begin_chain(statement, plan);
  const Values inits = first_values(statement, plan, chain);

  OpenLoop open;
  open.id = statement.loop;
  open.extent = sizes_->extent(loop.extent);
  open.conditions = conditions_.size();
  const Value upper = loop.extent.is_ragged() ? integer(loop.upper) : Value();
  const auto lower = program::constant_value(loop.lower);
  const Value lower_value = lower == 0.0 ? Value() : integer(loop.lower);
  open.node = builder_->begin_loop(open.extent, loop.reverse, inits,
                                   upper ? std::optional<Value>(upper) : std::nullopt);
  open.index = builder_->loop_index(open.node);
  if (upper)
    open.mask = ir::less(open.index, upper);
  if (lower_value) {
    const Value started = ir::greater_equal(open.index, lower_value);
    open.mask = open.mask ? ir::logical_and(*open.mask, started) : started;
  }
  bound_[static_cast<std::size_t>(loop.index)] = open.index;
  Values arguments;
  for (std::size_t k = 0; k < inits.size(); ++k)
    arguments.push_back(builder_->loop_argument(open.node, k));
  for (std::size_t k = 0; k < statement.carried.size(); ++k) {
    const SymbolId id = statement.carried[k];
    Value value = arguments[k];
    if (const auto feeds = plan.feeds.find(id); feeds != plan.feeds.end())
      for (const Chain::Past& past : chain.past)
        if (chain.feeds(feeds->second, past))
          value = at_axes(value, {past.axis});
    bound_[static_cast<std::size_t>(id)] = value;
    chain.entered.push_back(value);
  }
  std::size_t slot = statement.carried.size();
  for (const auto& [id, depth] : plan.lags) {
    Values& lagged = open.lagged[id];
    if (chain.holds(id)) {
      for (std::int64_t k = 1; k <= depth; ++k) {
        Value value = builder_->axis_index(chain.axis_of(chain.position(id), k));
        if (lower_value) {
          // An element before the first one was never set: it reads as 0.
          const Value from = ir::integer_add(lower_value, builder_->integer(k));
          value = ir::select(ir::greater_equal(open.index, from), value, builder_->integer(0));
        }
        lagged.push_back(value);
      }
      continue;
    }
    for (std::int64_t k = 0; k < depth; ++k)
      lagged.push_back(arguments[slot++]);
  }

  const Marks first = marks();
  std::set<std::string> latents_before;
  for (const auto& [name, latent] : latents)
    latents_before.insert(name);
  loops_.push_back(open);
  std::vector<SummedLoop> before_this = std::exchange(summed_loops_, {});
  walk(statement.body);

  std::vector<Contribution> factors;
  sum_out_iteration(first.term, first.site, chain, factors);
  const auto leave_factors = [&] {
    for (Contribution& sum : factors) {
      Term term;
      term.kind = TermKind::marginal;
      term.site = sum.site;
      term.span = sum.span;
      term.log_prob = sum.value;
      term.plates = sum.plates;
      terms.push_back(std::move(term));
    }
    factors.clear();
  };
  if (chain.in_guide)
    leave_factors();
  const Value guide_weights = expect_iteration(first.term, first.site, chain, arguments, open.index);
  if (chain || enumerated.size() > first.site)
    closed_forms.resize(first.form); // the terms that they stand in for are part of a sum
  std::map<std::string, Value> produced = std::move(loops_.back().produced);
  loops_.pop_back();
  for (auto& [id, entries] : drawn_)
    std::erase_if(entries, [&](const DrawnData& entry) { return entry.loops > loops_.size(); });
  if (role_ == Role::predict)
    for (SymbolId id : statement.filled)
      if (const Value value = bound_[static_cast<std::size_t>(id)]; value && of_predict_block(id))
        produced[program_->symbol(id).name] = value;
  const auto keep = [&](Value next, Value argument) {
    return builder_->broadcast_like(open.mask ? ir::select(*open.mask, next, argument) : next,
                                    argument.type());
  };
  Values nexts;
  for (std::size_t k = 0; k < statement.carried.size(); ++k) {
    const SymbolId id = statement.carried[k];
    const program::Symbol& symbol = program_->symbol(id);
    const auto feeds = plan.feeds.find(id);
    const Value next =
        feeds != plan.feeds.end()
            ? next_table(chain, feeds->second, id, k, arguments[k])
            : fitted(of_symbol(bound_[static_cast<std::size_t>(id)], symbol), arguments[k], symbol);
    nexts.push_back(keep(next, arguments[k]));
  }
  for (const auto& [id, depth] : plan.lags) {
    if (chain.holds(id))
      continue;
    const program::Symbol& symbol = program_->symbol(id);
    const Value here = bound_[static_cast<std::size_t>(id)];
    for (std::int64_t k = 0; k < depth; ++k) {
      const Value argument = arguments[nexts.size()];
      Value next = k > 0 ? arguments[nexts.size() - 1] : argument;
      if (k == 0 && here)
        next = fitted(of_symbol(here, symbol), argument, symbol);
      nexts.push_back(keep(next, argument));
    }
  }
  Value total;
  if (chain.carries_weights()) {
    total = guide_weights ? guide_weights : weights_with(chain, factors, arguments.back());
    nexts.push_back(keep(next_weights(chain, total, arguments.back()), arguments.back()));
  }
  leave_factors();

  std::vector<AxisId> gone = chain.axes();
  for (std::size_t k = first.site; k < enumerated.size(); ++k)
    gone.push_back(enumerated[k].axis);
  Values stacked;
  std::vector<SymbolId> stacked_symbols;
  std::vector<SymbolId> lost;
  for (SymbolId id : statement.filled) {
    const Value value = bound_[static_cast<std::size_t>(id)];
    if (!value)
      continue;
    if (mentions(value, gone)) {
      lost.push_back(id);
      continue;
    }
    stacked.push_back(value);
    stacked_symbols.push_back(id);
  }
  std::vector<std::string> stacked_latents;
  for (const auto& [name, latent] : latents)
    if (!latents_before.contains(name) && !latent.enumerated) {
      stacked.push_back(latent.value);
      stacked_latents.push_back(name);
    }
  for (const auto& [name, value] : produced)
    stacked.push_back(value);
  const std::size_t first_of_parameters = stacked.size();
  const std::vector<Looped*> stacked_parameters = parameters_in_loops(stacked_latents);
  for (const Looped* parameter : stacked_parameters)
    stacked.push_back(parameter->value);
  const Values accumulated = sums_of(first);
  const Values of_scores = iterations_of_scores(first);
  const std::size_t first_of_scores = stacked.size();
  stacked.insert(stacked.end(), of_scores.begin(), of_scores.end());
  if (guide_weights && role_ == Role::guide)
    stacked.push_back(to_table(guide_weights, chain.axes()));
  SummedLoop summed;
  const std::size_t first_for_drawing = stacked.size();
  const bool draws_later = drawing.draws && role_ == Role::model && !chain.in_guide;
  summed.inner = std::exchange(summed_loops_, std::move(before_this));
  if (draws_later) {
    const Values for_drawing = keep_for_drawing(summed, chain, total, open.mask);
    stacked.insert(stacked.end(), for_drawing.begin(), for_drawing.end());
  }
  const ir::LoopValues values = builder_->finish_loop(open.node, nexts, stacked, accumulated);

  bound_ = before;
  for (std::size_t k = 0; k < statement.carried.size(); ++k) {
    const SymbolId id = statement.carried[k];
    const bool fed = plan.feeds.contains(id);
    bound_[static_cast<std::size_t>(id)] = fed ? Value() : values.carried[k];
    if (fed)
      lost.push_back(id);
  }
  for (SymbolId id : lost) {
    bound_[static_cast<std::size_t>(id)] = Value();
    summed_[id] = chain ? chain.names.front() : enumerated.at(first.site).site;
  }
  for (std::size_t k = 0; k < stacked_symbols.size(); ++k)
    bound_[static_cast<std::size_t>(stacked_symbols[k])] = values.stacked[k];
  for (std::size_t k = 0; k < stacked_latents.size(); ++k) {
    Latent& latent = latents.at(stacked_latents[k]);
    latent.value = values.stacked[stacked_symbols.size() + k];
    ++latent.loops;
  }
  for (std::size_t k = 0; k < stacked_parameters.size(); ++k) {
    stacked_parameters[k]->value = values.stacked[first_of_parameters + k];
    ++stacked_parameters[k]->loops;
  }
  std::size_t place = stacked_symbols.size() + stacked_latents.size();
  for (const auto& [name, value] : produced)
    (loops_.empty() ? results : loops_.back().produced)[name] = values.stacked[place++];
  if (role_ == Role::predict && loops_.empty())
    for (SymbolId id : statement.carried)
      if (of_predict_block(id))
        results[program_->symbol(id).name] = bound_[static_cast<std::size_t>(id)];
  take_sums(first, values.accumulated);
  const auto of_scores_at = values.stacked.begin() + static_cast<std::ptrdiff_t>(first_of_scores);
  take_iterations(first, {of_scores_at, of_scores_at + static_cast<std::ptrdiff_t>(of_scores.size())});
  if (guide_weights && role_ == Role::guide)
    guide_chains_.push_back({chain, values.stacked.back(), loop.reverse});
  if (draws_later && (total || !summed.sites.empty() || !summed.inner.empty())) {
    summed.extent = open.extent;
    summed.reverse = loop.reverse;
    std::size_t array = first_for_drawing;
    for (SummedLoop::Kept* kept : summed.arrays())
      kept->value = values.stacked[array++];
    summed_loops_.push_back(std::move(summed));
  }
  if (chain && !chain.in_guide) {
    Term term;
    term.kind = TermKind::marginal;
    term.site = chain.names.front();
    term.span = chain.span;
    std::vector<std::int32_t> dims;
    for (std::size_t k = 0; k < chain.past.size(); ++k)
      dims.push_back(static_cast<std::int32_t>(k));
    term.log_prob = builder_->log_sum_exp(values.carried.back(), {}, dims);
    term.plates = chain.plates;
    term.in_loop = true;
    terms.push_back(std::move(term));
  }
}

} // namespace plait::elbo
