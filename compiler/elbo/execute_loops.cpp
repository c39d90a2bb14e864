#include "compiler/elbo/combine.hpp"
#include "compiler/elbo/executor.hpp"

#include "compiler/catalog/array_math.hpp"
#include "compiler/catalog/ops.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace plait::elbo {

using catalog::as_integer;
using catalog::as_real;
using ir::AxisId;
using ir::Extent;
using ir::Value;
using program::Frame;
using program::SymbolId;

namespace {

bool mentions(Value value, const std::vector<AxisId>& axes) {
  const std::vector<AxisId>& own = value.type().axes;
  return std::any_of(axes.begin(), axes.end(), [&](AxisId axis) { return ir::contains(own, axis); });
}

std::vector<AxisId> sorted(std::vector<AxisId> axes) {
  std::sort(axes.begin(), axes.end());
  return axes;
}

ir::Element element_of(const program::Symbol& symbol) {
  return symbol.type.is_real() ? ir::Element::real : ir::Element::integer;
}

Value converted(Value value, const program::Symbol& symbol) {
  return symbol.type.is_real() ? as_real(value) : as_integer(value);
}

/** [K1, K2, …] at the positions of the axes. */
Value at_axes(Value table, const std::vector<AxisId>& axes) {
  ir::Builder& builder = table.builder();
  for (AxisId axis : axes)
    table = builder.gather(table, builder.axis_index(axis), 0);
  return table;
}

/** The axes as leading dimensions, in their order. */
Value to_table(Value value, const std::vector<AxisId>& axes) {
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis)
    value = value.builder().axis_to_dim(value, *axis);
  return value;
}

} // namespace

std::size_t Executor::Chain::position(SymbolId site) const {
  for (std::size_t k = 0; k < sites.size(); ++k)
    if (sites[k]->symbol == site)
      return k;
  return sites.size();
}

Executor::Chain Executor::begin_chain(const LoopPlan& plan) {
  Chain chain;
  for (const program::Sample* sample : plan.chain) {
    const program::Symbol& symbol = program_->symbol(sample->symbol);
    Extent size;
    if (symbol.type.element == program::Element::bit && symbol.type.dims.empty())
      size = Extent::known(2);
    else if (symbol.type.index_size && symbol.type.dims.empty())
      size = sizes_->extent(*symbol.type.index_size);
    else
      throw Unsupported(
          sample->span,
          fmt::format("summing out {} along its loop: only a bit or an index can be a state", symbol.name));
    if (const auto lag = plan.lags.find(symbol.id); lag != plan.lags.end() && lag->second > 1)
      throw Unsupported(
          sample->span,
          fmt::format("summing out {}, of which the value {} steps before is read: only the last "
                      "value of a chain can be read",
                      symbol.name, lag->second));
    std::vector<AxisId> plates = open_axes();
    for (const Frame& frame : sample->frames)
      if (frame.kind == Frame::Kind::plate)
        plates = ir::unite(plates, {sizes_->axis(frame.id)});
    if (chain && plates != chain.plates)
      throw Unsupported(sample->span,
                        fmt::format("summing out {} together with {}, which lies in other plates",
                                    symbol.name, program_->symbol(chain.sites.front()->symbol).name));
    chain.plates = plates;
    ir::Axis axis;
    axis.name = symbol.name + ".before";
    axis.kind = ir::AxisKind::enumerated;
    axis.extent = axis.population = size;
    ir::Graph& graph = builder_->graph();
    chain.previous.push_back(static_cast<AxisId>(graph.axes.size()));
    graph.axes.push_back(std::move(axis));
    chain.sizes.push_back(size);
    chain.sites.push_back(sample);
  }
  return chain;
}

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
    if (symbol.random) {
      axes = ir::unite(axes, read);
      if (particles_)
        axes = ir::unite(axes, {*particles_});
    }
    Value init = converted(bound_[static_cast<std::size_t>(id)], symbol);
    init = builder_->broadcast(init, ir::unite(axes, init.type().axes), sizes_->shape(symbol.type.dims));
    if (const auto feeds = plan.feeds.find(id); feeds != plan.feeds.end())
      for (std::size_t k = chain.sites.size(); k-- > 0;)
        if (feeds->second.contains(chain.sites[k]->symbol))
          init = builder_->expand(init, 0, chain.sizes[k]);
    inits.push_back(init);
  }
  for (const auto& [id, depth] : plan.lags) {
    if (chain.position(id) < chain.sites.size())
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
    if (symbol.random) {
      type.axes = ir::unite(type.axes, read);
      if (particles_)
        type.axes = ir::unite(type.axes, {*particles_});
    }
    for (std::int64_t k = 0; k < depth; ++k)
      inits.push_back(builder_->zeros(type));
  }
  if (chain) {
    // Before the first iteration there is no state: every value of it weighs 1/K, and none is read.
    Value weights = builder_->real(0);
    for (const Extent& size : chain.sizes)
      weights = weights - ir::log(ir::to_real(builder_->extent(size)));
    weights = builder_->broadcast(weights, ir::unite(chain.plates, read), {});
    for (std::size_t k = chain.sizes.size(); k-- > 0;)
      weights = builder_->expand(weights, 0, chain.sizes[k]);
    inits.push_back(weights);
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

// The forward algorithm (Baum et al. 1970), in logarithms: with the weight a[i] of everything so far given
// that the last state is i, and the factors f(i, j) of this iteration,
//   a'[j] = log sum_i exp(a[i] + f(i, j)).
// In an iteration whose state does not exist (it is under an `if`), the last state stays: a'[i] = a[i] + f(i,
// .).
Value Executor::next_weights(const Chain& chain, std::vector<Contribution>& factors, Value weights) {
  EnumeratedSite site;
  for (std::size_t k = 0; k < chain.sites.size(); ++k)
    site.site += (k ? ", " : "") + program_->symbol(chain.sites[k]->symbol).name;
  site.plates = chain.plates;
  std::vector<AxisId> axes = chain.previous;
  axes.insert(axes.end(), chain.current.begin(), chain.current.end());
  const Value factor = take_factors(factors, site, axes, *builder_);
  const Value total = at_axes(weights, chain.previous) + factor;
  Value next = to_table(builder_->log_sum_exp(total, sorted(chain.previous)), chain.current);
  if (chain.condition) {
    const Value stays = to_table(builder_->log_sum_exp(total, sorted(chain.current)), chain.previous);
    next = ir::select(*chain.condition, next, stays);
  }
  return fitted(next, weights, program_->symbol(chain.sites.front()->symbol));
}

Value Executor::next_table(const Chain& chain, const std::set<SymbolId>& feeds, SymbolId carried,
                           std::size_t number, Value argument) {
  const program::Symbol& symbol = program_->symbol(carried);
  Value next = converted(bound_[static_cast<std::size_t>(carried)], symbol);
  bool stays = false;
  if (mentions(next, chain.previous)) {
    // `if (c) { z[t] ~ …; prev = z[t]; }` leaves a choice between the new value and the old.
    const ir::Node& node = builder_->graph().node(next.id());
    stays = chain.condition && node.kind == ir::Kind::map && node.op->name == "select" &&
            node.operands.at(2) == chain.entered.at(number).id();
    if (stays)
      next = builder_->value(node.operands.at(1));
    if (mentions(next, chain.previous))
      throw Unsupported(symbol.span,
                        fmt::format("summing out {} along its loop: {} depends on more than its last value",
                                    program_->symbol(*feeds.begin()).name, symbol.name));
  }
  std::vector<AxisId> axes;
  for (std::size_t k = 0; k < chain.sites.size(); ++k)
    if (feeds.contains(chain.sites[k]->symbol))
      axes.push_back(chain.current[k]);
  next = to_table(builder_->broadcast(next, next.type().axes, sizes_->shape(symbol.type.dims)), axes);
  if (stays)
    next = ir::select(*chain.condition, next, argument);
  return fitted(next, argument, symbol);
}

void Executor::sum_out_iteration(std::size_t first_term, std::size_t first_site, Chain& chain,
                                 std::vector<Contribution>& factors) {
  std::vector<AxisId> axes = chain.previous;
  chain.current.resize(chain.sites.size());
  for (std::size_t k = first_site; k < enumerated.size(); ++k) {
    EnumeratedSite& site = enumerated[k];
    if (site.summed)
      continue; // of a loop inside
    axes.push_back(site.axis);
    const std::size_t position = chain.position(site.symbol);
    if (position == chain.sites.size())
      continue;
    chain.current[position] = site.axis;
    if (!(builder_->graph().axis(site.axis).extent == chain.sizes[position]))
      throw Unsupported(site.span,
                        fmt::format("summing out {}: its number of values is not known", site.site));
    if (site.conditions.empty())
      continue;
    if (chain.sites.size() > 1 || site.conditions.size() > 1)
      throw Unsupported(site.span, fmt::format("summing out {} along its loop under several conditions or "
                                               "together with another chain",
                                               site.site));
    chain.condition = site.conditions.front();
  }
  if (axes.empty())
    return;
  for (std::size_t k = first_term; k < terms.size(); ++k) {
    Term& term = terms[k];
    if (term.absorbed || !mentions(term.log_prob, axes))
      continue;
    if (term.kind == TermKind::guide)
      throw Unsupported(term.span,
                        fmt::format("a guide for {} that depends on a summed-out variable", term.site));
    term.absorbed = true;
    factors.push_back({term.site, term.site, term.span, term.log_prob, term.plates});
  }
  for (std::size_t k = enumerated.size(); k-- > first_site;) {
    EnumeratedSite& site = enumerated[k];
    if (site.summed)
      continue;
    site.summed = true;
    if (chain.position(site.symbol) == chain.sites.size())
      eliminate_site(factors, site, *builder_);
  }
}

void Executor::walk_for(const program::ForStatement& statement) {
  const program::Loop& loop = program_->loop(statement.loop);
  const LoopPlan plan = plan_loop(*program_, statement, role_ == Role::model);
  const std::vector<Value> before = bound_;
  Chain chain = begin_chain(plan);
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
      for (std::size_t site = 0; site < chain.sites.size(); ++site)
        if (feeds->second.contains(chain.sites[site]->symbol))
          value = at_axes(value, {chain.previous[site]});
    bound_[static_cast<std::size_t>(id)] = value;
    chain.entered.push_back(value);
  }
  std::size_t slot = statement.carried.size();
  for (const auto& [id, depth] : plan.lags) {
    Values& lagged = open.lagged[id];
    if (const std::size_t position = chain.position(id); position < chain.sites.size()) {
      Value value = builder_->axis_index(chain.previous[position]);
      if (lower_value) {
        // The element before the first one was never set: it reads as 0.
        const Value from = ir::integer_add(lower_value, builder_->integer(1));
        value = ir::select(ir::greater_equal(open.index, from), value, builder_->integer(0));
      }
      lagged.push_back(value);
      continue;
    }
    for (std::int64_t k = 0; k < depth; ++k)
      lagged.push_back(arguments[slot++]);
  }

  const std::size_t first_term = terms.size();
  const std::size_t first_score = scores.size();
  const std::size_t first_site = enumerated.size();
  std::set<std::string> latents_before;
  for (const auto& [name, latent] : latents)
    latents_before.insert(name);
  loops_.push_back(open);
  walk(statement.body);

  std::vector<Contribution> factors;
  sum_out_iteration(first_term, first_site, chain, factors);
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
            : fitted(converted(bound_[static_cast<std::size_t>(id)], symbol), arguments[k], symbol);
    nexts.push_back(keep(next, arguments[k]));
  }
  for (const auto& [id, depth] : plan.lags) {
    if (chain.position(id) < chain.sites.size())
      continue;
    const program::Symbol& symbol = program_->symbol(id);
    const Value here = bound_[static_cast<std::size_t>(id)];
    for (std::int64_t k = 0; k < depth; ++k) {
      const Value argument = arguments[nexts.size()];
      Value next = k > 0 ? arguments[nexts.size() - 1] : argument;
      if (k == 0 && here)
        next = fitted(converted(here, symbol), argument, symbol);
      nexts.push_back(keep(next, argument));
    }
  }
  if (chain)
    nexts.push_back(keep(next_weights(chain, factors, arguments.back()), arguments.back()));
  for (Contribution& sum : factors) {
    Term term;
    term.kind = TermKind::marginal;
    term.site = sum.site;
    term.span = sum.span;
    term.log_prob = sum.value;
    term.plates = sum.plates;
    terms.push_back(std::move(term));
  }

  std::vector<AxisId> gone = chain.previous;
  for (std::size_t k = first_site; k < enumerated.size(); ++k)
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
    if (!latents_before.contains(name)) {
      stacked.push_back(latent.value);
      stacked_latents.push_back(name);
    }
  for (const auto& [name, value] : produced)
    stacked.push_back(value);
  Values accumulated;
  for (std::size_t k = first_term; k < terms.size(); ++k)
    if (!terms[k].absorbed)
      accumulated.push_back(terms[k].log_prob);
  for (std::size_t k = first_score; k < scores.size(); ++k)
    accumulated.push_back(scores[k].log_prob);
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
    summed_[id] = enumerated.at(first_site).site;
  }
  for (std::size_t k = 0; k < stacked_symbols.size(); ++k)
    bound_[static_cast<std::size_t>(stacked_symbols[k])] = values.stacked[k];
  for (std::size_t k = 0; k < stacked_latents.size(); ++k) {
    Latent& latent = latents.at(stacked_latents[k]);
    latent.value = values.stacked[stacked_symbols.size() + k];
    ++latent.loops;
    latent.distribution = nullptr;
    latent.parameters.clear();
  }
  std::size_t place = stacked_symbols.size() + stacked_latents.size();
  for (const auto& [name, value] : produced)
    (loops_.empty() ? results : loops_.back().produced)[name] = values.stacked[place++];
  if (role_ == Role::predict && loops_.empty())
    for (SymbolId id : statement.carried)
      if (of_predict_block(id))
        results[program_->symbol(id).name] = bound_[static_cast<std::size_t>(id)];
  std::size_t number = 0;
  for (std::size_t k = first_term; k < terms.size(); ++k)
    if (!terms[k].absorbed) {
      terms[k].log_prob = values.accumulated[number++];
      terms[k].in_loop = true;
    }
  for (std::size_t k = first_score; k < scores.size(); ++k) {
    ScoreSite& score = scores[k];
    // Its draw stays the one inside the body: terms of the loop read that one, terms outside the array of it.
    score.log_prob = values.accumulated[number++];
    if (score.baseline)
      throw Unsupported(loop.span,
                        fmt::format("a baseline for {}, which is sampled inside a `for`", score.site));
  }
  if (chain) {
    Term term;
    term.kind = TermKind::marginal;
    term.site = program_->symbol(chain.sites.front()->symbol).name;
    term.span = chain.sites.front()->span;
    std::vector<std::int32_t> dims;
    for (std::size_t k = 0; k < chain.sizes.size(); ++k)
      dims.push_back(static_cast<std::int32_t>(k));
    term.log_prob = builder_->log_sum_exp(values.carried.back(), {}, dims);
    term.plates = chain.plates;
    term.in_loop = true;
    terms.push_back(std::move(term));
  }
}

} // namespace plait::elbo
