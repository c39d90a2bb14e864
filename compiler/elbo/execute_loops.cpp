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
  /** The axes by which a carried value may differ beyond those of its plates: what is made of simulated data
   * differs by particle as random values do. */
  const auto with_read = [&](const program::Symbol& symbol, std::vector<AxisId> axes) {
    if (!symbol.random && !drawing.simulates)
      return axes;
    axes = ir::unite(axes, read);
    return particles_ ? ir::unite(axes, {*particles_}) : axes;
  };
  Values inits;
  for (SymbolId id : statement.carried) {
    const program::Symbol& symbol = program_->symbol(id);
    std::vector<AxisId> axes = sizes_->axes(symbol.varies);
    const std::vector<AxisId> open = open_axes();
    std::erase_if(axes, [&](AxisId axis) { return !ir::contains(open, axis); });
    if (loop.extent.is_ragged())
      axes = open; // iterations beyond a row's end leave its state alone, so the state differs by row
    axes = with_read(symbol, axes);
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
    type.axes = with_read(symbol, type.axes);
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

/** A `for` from where it opens to where it is closed. */
struct Executor::LoopWalk {
  const program::ForStatement& statement;
  const program::Loop& loop;
  const LoopPlan& plan;
  Chain chain;
  OpenLoop open = {};
  /** What an iteration is handed: carried locals, lagged elements, then the weights of the chain. */
  Values arguments = {};
  std::optional<Value> lower = std::nullopt; ///< the first iteration that exists; none: 0
  Marks first = {};                          ///< what there was before the body
  std::set<std::string> latents_before = {};
  std::vector<Contribution> factors = {}; ///< terms of the iteration over what the chain sums out
  Value guide_weights = {};               ///< as expect_iteration gives them
  Value total = {};                       ///< log weights over all axes of the chain that are carried on
};

void Executor::open_loop(LoopWalk& walk) {
  const program::Loop& loop = walk.loop;
  const Values inits = first_values(walk.statement, walk.plan, walk.chain);
  OpenLoop& open = walk.open;
  open.id = loop.id;
  open.extent = sizes_->extent(loop.extent);
  open.conditions = conditions_.size();
  const Value upper = loop.extent.is_ragged() ? integer(loop.upper) : Value();
  if (program::constant_value(loop.lower) != 0.0)
    walk.lower = integer(loop.lower);
  open.node = builder_->begin_loop(open.extent, loop.reverse, inits,
                                   upper ? std::optional<Value>(upper) : std::nullopt);
  open.index = builder_->loop_index(open.node);
  if (upper)
    open.mask = ir::less(open.index, upper);
  if (walk.lower) {
    const Value started = ir::greater_equal(open.index, *walk.lower);
    open.mask = open.mask ? ir::logical_and(*open.mask, started) : started;
  }
  bound_[static_cast<std::size_t>(loop.index)] = open.index;
  for (std::size_t k = 0; k < inits.size(); ++k)
    walk.arguments.push_back(builder_->loop_argument(open.node, k));
}

void Executor::bind_arguments(LoopWalk& walk) {
  const std::vector<SymbolId>& carried = walk.statement.carried;
  Chain& chain = walk.chain;
  for (std::size_t k = 0; k < carried.size(); ++k) {
    Value value = walk.arguments[k];
    if (const auto feeds = walk.plan.feeds.find(carried[k]); feeds != walk.plan.feeds.end())
      for (const Chain::Past& past : chain.past)
        if (chain.feeds(feeds->second, past))
          value = at_axes(value, {past.axis});
    bound_[static_cast<std::size_t>(carried[k])] = value;
    chain.entered.push_back(value);
  }
  std::size_t slot = carried.size();
  for (const auto& [id, depth] : walk.plan.lags) {
    Values& lagged = walk.open.lagged[id];
    if (!chain.holds(id)) {
      for (std::int64_t k = 0; k < depth; ++k)
        lagged.push_back(walk.arguments[slot++]);
      continue;
    }
    for (std::int64_t k = 1; k <= depth; ++k) {
      Value value = builder_->axis_index(chain.axis_of(chain.position(id), k));
      if (walk.lower) {
        // An element before the first one was never set: it reads as 0.
        const Value from = ir::integer_add(*walk.lower, builder_->integer(k));
        value = ir::select(ir::greater_equal(walk.open.index, from), value, builder_->integer(0));
      }
      lagged.push_back(value);
    }
  }
}

void Executor::walk_iteration(LoopWalk& walk) {
  walk.first = marks();
  for (const auto& [name, latent] : latents)
    walk.latents_before.insert(name);
  loops_.push_back(walk.open);
  this->walk(walk.statement.body);

  sum_out_iteration(walk.first.term, walk.first.site, walk.chain, walk.factors);
  if (walk.chain.in_guide)
    leave_factors(walk.factors);
  walk.guide_weights =
      expect_iteration(walk.first.term, walk.first.site, walk.chain, walk.arguments, walk.open.index);
  if (walk.chain || enumerated.size() > walk.first.site)
    closed_forms.resize(walk.first.form); // the terms that they stand in for are part of a sum
  walk.open.produced = std::move(loops_.back().produced);
  loops_.pop_back();
  for (auto& [id, entries] : drawn_)
    std::erase_if(entries, [&](const DrawnData& entry) { return entry.loops > loops_.size(); });
  if (role_ == Role::predict)
    for (SymbolId id : walk.statement.filled)
      if (const Value value = bound_[static_cast<std::size_t>(id)]; value && of_predict_block(id))
        walk.open.produced[program_->symbol(id).name] = value;
}

void Executor::leave_factors(std::vector<Contribution>& factors) {
  for (const Contribution& sum : factors) {
    Term term;
    term.kind = TermKind::marginal;
    term.site = sum.site;
    term.span = sum.span;
    term.log_prob = sum.value;
    term.plates = sum.plates;
    terms.push_back(std::move(term));
  }
  factors.clear();
}

Executor::Values Executor::next_values(LoopWalk& walk) {
  const Chain& chain = walk.chain;
  const Values& arguments = walk.arguments;
  Values nexts;
  const auto add = [&](Value next) {
    const Value argument = arguments[nexts.size()];
    nexts.push_back(builder_->broadcast_like(
        walk.open.mask ? ir::select(*walk.open.mask, next, argument) : next, argument.type()));
  };
  for (SymbolId id : walk.statement.carried) {
    const std::size_t k = nexts.size();
    const program::Symbol& symbol = program_->symbol(id);
    const auto feeds = walk.plan.feeds.find(id);
    add(feeds != walk.plan.feeds.end()
            ? next_table(chain, feeds->second, id, k, arguments[k])
            : fitted(of_symbol(bound_[static_cast<std::size_t>(id)], symbol), arguments[k], symbol));
  }
  for (const auto& [id, depth] : walk.plan.lags) {
    if (chain.holds(id))
      continue;
    const program::Symbol& symbol = program_->symbol(id);
    const Value here = bound_[static_cast<std::size_t>(id)];
    for (std::int64_t k = 0; k < depth; ++k)
      add(k > 0  ? arguments[nexts.size() - 1]
          : here ? fitted(of_symbol(here, symbol), arguments[nexts.size()], symbol)
                 : arguments[nexts.size()]);
  }
  if (chain.carries_weights()) {
    walk.total =
        walk.guide_weights ? walk.guide_weights : weights_with(chain, walk.factors, arguments.back());
    add(next_weights(chain, walk.total, arguments.back()));
  }
  return nexts;
}

std::vector<SymbolId> Executor::hand_over_symbols(const LoopWalk& walk, HandedOver& stacked) {
  std::vector<AxisId> gone = walk.chain.axes();
  for (std::size_t k = walk.first.site; k < enumerated.size(); ++k)
    gone.push_back(enumerated[k].axis);
  std::vector<SymbolId> lost;
  for (SymbolId id : walk.statement.filled) {
    const Value value = bound_[static_cast<std::size_t>(id)];
    if (!value)
      continue;
    if (mentions(value, gone))
      lost.push_back(id);
    else
      stacked.add(value, [this, id](Value array) { bound_[static_cast<std::size_t>(id)] = array; });
  }
  for (SymbolId id : walk.statement.carried)
    if (walk.plan.feeds.contains(id))
      lost.push_back(id);
  return lost;
}

void Executor::hand_over_latents(const LoopWalk& walk, HandedOver& stacked) {
  std::vector<std::string> names;
  for (auto& [name, latent] : latents)
    if (!walk.latents_before.contains(name) && !latent.enumerated) {
      names.push_back(name);
      stacked.add(latent.value, [&latent](Value array) {
        latent.value = array;
        ++latent.loops;
      });
    }
  for (const auto& [name, value] : walk.open.produced)
    stacked.add(value, [this, name](Value array) {
      (loops_.empty() ? results : loops_.back().produced)[name] = array;
    });
  for (Looped* parameter : parameters_in_loops(names))
    stacked.add(parameter->value, [parameter](Value array) {
      parameter->value = array;
      ++parameter->loops;
    });
}

void Executor::leave_chain_term(const Chain& chain, Value weights) {
  Term term;
  term.kind = TermKind::marginal;
  term.site = chain.names.front();
  term.span = chain.span;
  std::vector<std::int32_t> dims;
  for (std::size_t k = 0; k < chain.past.size(); ++k)
    dims.push_back(static_cast<std::int32_t>(k));
  term.log_prob = builder_->log_sum_exp(weights, {}, dims);
  term.plates = chain.plates;
  term.in_loop = true;
  terms.push_back(std::move(term));
}

void Executor::walk_for(const program::ForStatement& statement) {
  const std::vector<Value> before = bound_;
  std::vector<SummedLoop> summed_before = std::exchange(summed_loops_, {});
  std::map<SymbolId, Scattered> scattered_before = std::exchange(scattered_, {});
  const LoopPlan plan = plan_loop(*program_, statement, [&](const auto& sample) { return sums_out(sample); });
  LoopWalk walk{statement, program_->loop(statement.loop), plan, begin_chain(statement, plan)};
  const Chain& chain = walk.chain;
  open_loop(walk);
  bind_arguments(walk);
  walk_iteration(walk);
  const Values nexts = next_values(walk);
  leave_factors(walk.factors);

  HandedOver stacked, sums;
  const std::vector<SymbolId> lost = hand_over_symbols(walk, stacked);
  hand_over_latents(walk, stacked);
  hand_over_sums(walk.first, sums);
  const std::map<SymbolId, Scattered> scattered = std::exchange(scattered_, std::move(scattered_before));
  hand_over_scattered(scattered, sums);
  hand_over_scores(walk.first, stacked);
  if (walk.guide_weights && role_ == Role::guide)
    stacked.add(to_table(walk.guide_weights, chain.axes()),
                [&](Value array) { guide_chains_.push_back({chain, array, walk.loop.reverse}); });
  SummedLoop summed;
  summed.extent = walk.open.extent;
  summed.reverse = walk.loop.reverse;
  summed.inner = std::exchange(summed_loops_, std::move(summed_before));
  if (drawing.draws && role_ == Role::model && !chain.in_guide) {
    keep_for_drawing(summed, chain, walk.total, walk.open.mask);
    for (SummedLoop::Kept* kept : summed.arrays())
      stacked.add(kept->value, [kept](Value array) { kept->value = array; });
  } else {
    summed = {};
  }
  const ir::LoopValues values = builder_->finish_loop(walk.open.node, nexts, stacked.values(), sums.values());

  bound_ = before;
  for (std::size_t k = 0; k < statement.carried.size(); ++k)
    bound_[static_cast<std::size_t>(statement.carried[k])] = values.carried[k];
  for (SymbolId id : lost) {
    bound_[static_cast<std::size_t>(id)] = Value();
    summed_[id] = chain ? chain.names.front() : enumerated.at(walk.first.site).site;
  }
  stacked.take(values.stacked);
  sums.take(values.accumulated);
  if (role_ == Role::predict && loops_.empty())
    for (SymbolId id : statement.carried)
      if (of_predict_block(id))
        results[program_->symbol(id).name] = bound_[static_cast<std::size_t>(id)];
  if (summed.weights || !summed.sites.empty() || !summed.inner.empty())
    summed_loops_.push_back(std::move(summed));
  if (chain && !chain.in_guide)
    leave_chain_term(chain, values.carried.back());
}

} // namespace plait::elbo
