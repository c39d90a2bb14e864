#include "compiler/elbo/chain.hpp"
#include "compiler/elbo/combine.hpp"
#include "compiler/elbo/executor.hpp"

#include "compiler/catalog/array_math.hpp"
#include "compiler/catalog/ops.hpp"
#include "compiler/catalog/ops/rows.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

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

std::vector<AxisId> sorted(std::vector<AxisId> axes) {
  std::sort(axes.begin(), axes.end());
  return axes;
}

bool enumerates(const program::Sample& sample) {
  return sample.strategy.strategy == program::Strategy::enumerate;
}

} // namespace

bool mentions(Value value, const std::vector<AxisId>& axes) {
  const std::vector<AxisId> own = value.type().axes;
  return std::any_of(axes.begin(), axes.end(), [&](AxisId axis) { return ir::contains(own, axis); });
}

Value at_axes(Value table, const std::vector<AxisId>& axes) {
  ir::Builder& builder = table.builder();
  for (AxisId axis : axes)
    table = builder.gather(table, builder.axis_index(axis), 0);
  return table;
}

Value to_table(Value value, const std::vector<AxisId>& axes) {
  ir::Builder& builder = value.builder();
  const ir::Type type = value.type();
  value = builder.broadcast(value, ir::unite(type.axes, sorted(axes)), type.shape);
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis)
    value = builder.axis_to_dim(value, *axis);
  return value;
}

std::size_t Chain::position(SymbolId site) const {
  return static_cast<std::size_t>(std::find(sites.begin(), sites.end(), site) - sites.begin());
}

AxisId Chain::axis_of(std::size_t site, std::int64_t lag) const {
  if (lag == 0)
    return current.at(site);
  for (const Past& entry : past)
    if (entry.site == site && entry.lag == lag)
      return entry.axis;
  throw std::logic_error("a past that the chain does not keep");
}

std::vector<AxisId> Chain::past_axes() const {
  std::vector<AxisId> result;
  for (const Past& entry : past)
    result.push_back(entry.axis);
  return result;
}

std::vector<AxisId> Chain::axes() const {
  std::vector<AxisId> result = past_axes();
  for (AxisId axis : current)
    if (axis >= 0)
      result.push_back(axis);
  return result;
}

void Chain::add_site(SymbolId site, const std::string& name, Extent size) {
  sites.push_back(site);
  names.push_back(name);
  sizes.push_back(size);
  current.push_back(-1);
}

bool Executor::sums_out(const program::Sample& sample) const {
  if (role_ == Role::predict)
    return false;
  if (enumerates(sample))
    return role_ == Role::model || !drawing.draws;
  const auto latent = latents.find(program_->symbol(sample.symbol).name);
  return role_ == Role::model && latent != latents.end() && latent->second.enumerated &&
         latent->second.loops > 0;
}

std::int64_t Executor::depth_in_model(const std::string& site) const {
  std::int64_t depth = 0;
  program::for_each_statement(program_->model, [&](const program::Statement& statement) {
    const auto* loop = program::get_if<program::ForStatement>(statement);
    if (!loop)
      return;
    const LoopPlan plan = plan_loop(*program_, *loop, [&](const program::Sample& sample) {
      return program_->symbol(sample.symbol).name == site;
    });
    for (const program::Sample* sample : plan.enumerated)
      depth = std::max(depth, plan.depth_of(sample->symbol));
  });
  return depth;
}

Chain Executor::begin_chain(const program::ForStatement& statement, const LoopPlan& plan) {
  Chain chain;
  std::vector<const program::Sample*> own;
  for (const program::Sample* sample : plan.enumerated)
    if (role_ == Role::guide || (enumerates(*sample) && plan.depth_of(sample->symbol) > 0))
      own.push_back(sample);
  std::vector<const program::Sample*> of_guide;
  for (const program::Sample* sample : plan.enumerated)
    if (role_ == Role::model && !enumerates(*sample))
      of_guide.push_back(sample);
  if (own.empty() && of_guide.empty())
    return chain;
  const program::Sample& first = own.empty() ? *of_guide.front() : *own.front();
  const std::string& name = program_->symbol(first.symbol).name;
  if (plan.gathers)
    throw Unsupported(program_->symbol(*plan.gathers).span,
                      fmt::format("summing out {} along its loop: {} depends on more than its last {} values",
                                  name, program_->symbol(*plan.gathers).name, LoopPlan::longest_memory));
  if (!own.empty() && !of_guide.empty())
    throw Unsupported(first.span, fmt::format("summing out {} along a loop in which the guide sums {} out",
                                              name, program_->symbol(of_guide.front()->symbol).name));
  chain.span = first.span;
  chain.in_guide = role_ == Role::guide || !of_guide.empty();
  if (chain.in_guide && !loops_.empty())
    throw Unsupported(first.span,
                      fmt::format("summing out {} in the guide, in a `for` inside another", name));
  if (!of_guide.empty()) {
    follow_guide(statement, plan, of_guide, chain);
    return chain;
  }
  for (const program::Sample* sample : own) {
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
    std::vector<AxisId> plates = open_axes();
    for (const Frame& frame : sample->frames)
      if (frame.kind == Frame::Kind::plate)
        plates = ir::unite(plates, {sizes_->axis(frame.id)});
    if (chain && plates != chain.plates)
      throw Unsupported(sample->span,
                        fmt::format("summing out {} together with {}, which lies in other plates",
                                    symbol.name, chain.names.front()));
    chain.plates = plates;
    std::int64_t depth = plan.depth_of(symbol.id);
    if (role_ == Role::guide)
      depth = std::max(depth, depth_in_model(symbol.name));
    if (depth > LoopPlan::longest_memory)
      throw Unsupported(
          sample->span,
          fmt::format("summing out {} along its loop: its value {} steps before is read, at most "
                      "{} are kept",
                      symbol.name, depth, LoopPlan::longest_memory));
    for (std::int64_t lag = 1; lag <= depth; ++lag) {
      ir::Axis axis;
      axis.name = lag == 1 ? symbol.name + ".before" : fmt::format("{}.before{}", symbol.name, lag);
      axis.kind = ir::AxisKind::enumerated;
      axis.extent = axis.population = size;
      ir::Graph& graph = builder_->graph();
      chain.past.push_back({chain.sites.size(), lag, static_cast<AxisId>(graph.axes.size())});
      summed_axes_[chain.past.back().axis] = {symbol.id, plates};
      graph.axes.push_back(std::move(axis));
    }
    chain.add_site(symbol.id, symbol.name, size);
  }
  return chain;
}

void Executor::follow_guide(const program::ForStatement& statement, const LoopPlan& plan,
                            const std::vector<const program::Sample*>& samples, Chain& chain) const {
  const bool reverse = program_->loop(statement.loop).reverse;
  for (std::size_t source = 0; source < guide_chains_.size(); ++source) {
    const GuideChain& guide = guide_chains_[source];
    const std::size_t first = chain.sites.size();
    bool used = false;
    std::vector<SymbolId> symbols(guide.chain.names.size(), -1);
    for (const program::Sample* sample : samples)
      for (std::size_t k = 0; k < symbols.size(); ++k) {
        if (program_->symbol(sample->symbol).name != guide.chain.names[k])
          continue;
        symbols[k] = sample->symbol;
        used = true;
        if (plan.depth_of(sample->symbol) > 0 && reverse != guide.reverse)
          throw Unsupported(
              sample->span,
              fmt::format("reading other iterations of {}, which the guide sums out in a `for` that runs the "
                          "other way",
                          guide.chain.names[k]));
      }
    if (!used)
      continue;
    for (std::size_t k = 0; k < symbols.size(); ++k) {
      chain.add_site(symbols[k], guide.chain.names[k], guide.chain.sizes[k]);
      chain.current.back() = guide.chain.current[k];
    }
    for (const Chain::Past& entry : guide.chain.past)
      chain.past.push_back({first + entry.site, entry.lag, entry.axis});
    chain.plates = ir::unite(chain.plates, guide.chain.plates);
    chain.sources.push_back(source);
  }
}

// Before the first iteration there is no state: every value of it weighs 1/K, and none is read.
Value Executor::first_weights(const Chain& chain, const std::vector<AxisId>& read) const {
  Value weights = builder_->real(0);
  for (const Chain::Past& entry : chain.past)
    weights = weights - ir::log(ir::to_real(builder_->extent(chain.sizes[entry.site])));
  weights = builder_->broadcast(weights, ir::unite(chain.plates, read), {});
  for (std::size_t k = chain.past.size(); k-- > 0;)
    weights = builder_->expand(weights, 0, chain.sizes[chain.past[k].site]);
  return weights;
}

Value Executor::weights_with(const Chain& chain, std::vector<Contribution>& factors, Value weights) const {
  EnumeratedSite site;
  site.site = fmt::format("{}", fmt::join(chain.names, ", "));
  site.plates = chain.plates;
  return at_axes(weights, chain.past_axes()) +
         take_factors(factors, site, chain.axes(), enumerated, *builder_);
}

// The forward algorithm (Baum et al. 1970), in logarithms: with the weight a[i] of everything so far given
// that the last state is i, and the factors f(i, j) of this iteration,
//   a'[j] = log sum_i exp(a[i] + f(i, j)).
// A chain of higher order has the states of several iterations as its state: a[i, h] with h the state before
// i, and a'[j, i] = log sum_h exp(a[i, h] + f(h, i, j)).
// In an iteration whose state does not exist (it is under an `if`), the last state stays: a'[i] = a[i] + f(i,
// .).
Value Executor::next_weights(const Chain& chain, Value total, Value weights) const {
  std::vector<AxisId> kept;
  for (const Chain::Past& entry : chain.past)
    kept.push_back(chain.axis_before(entry));
  const std::vector<AxisId> gone = ir::subtract(sorted(chain.axes()), sorted(kept));
  Value next = to_table(builder_->log_sum_exp(total, gone), kept);
  if (chain.condition) {
    const Value stays = to_table(builder_->log_sum_exp(total, sorted(chain.current)), chain.past_axes());
    next = ir::select(*chain.condition, next, stays);
  }
  const ir::Type type = weights.type();
  const std::vector<AxisId> axes = next.type().axes;
  for (AxisId axis : axes)
    if (!ir::contains(type.axes, axis))
      throw Unsupported(chain.span,
                        fmt::format("summing out {} along its loop: its weights come to depend on {}",
                                    chain.names.front(), builder_->graph().axis(axis).name));
  return builder_->broadcast_like(next, type);
}

Value Executor::next_table(const Chain& chain, const std::set<LoopPlan::Past>& feeds, SymbolId carried,
                           std::size_t number, Value argument) {
  const program::Symbol& symbol = program_->symbol(carried);
  Value next = bound_[static_cast<std::size_t>(carried)];
  next = symbol.type.is_real() ? as_real(next) : as_integer(next);
  std::vector<AxisId> axes;
  for (const Chain::Past& entry : chain.past)
    if (chain.feeds(feeds, entry))
      axes.push_back(chain.axis_before(entry));
  const std::vector<AxisId> foreign = ir::subtract(sorted(chain.axes()), sorted(axes));
  bool stays = false;
  if (mentions(next, foreign)) {
    // `if (c) { z[t] ~ …; prev = z[t]; }` leaves a choice between the new value and the old.
    const ir::Node& node = builder_->graph().node(next.id());
    stays = chain.condition && node.kind == ir::Kind::map && node.op == &op::select &&
            node.operands.at(2) == chain.entered.at(number).id();
    if (stays)
      next = builder_->value(node.operands.at(1));
    if (mentions(next, foreign))
      throw Unsupported(symbol.span,
                        fmt::format("summing out {} along its loop: {} depends on more than its last value",
                                    chain.names.front(), symbol.name));
  }
  next = to_table(builder_->broadcast(next, next.type().axes, sizes_->shape(symbol.type.dims)), axes);
  if (stays)
    next = ir::select(*chain.condition, next, argument);
  return fitted(next, argument, symbol);
}

void Executor::take_conditions(Chain& chain, const EnumeratedSite& site) const {
  if (!site.condition && !chain.condition)
    return;
  const bool alike = site.condition && (!chain.condition || chain.condition->id() == site.condition->id());
  const bool starts =
      std::count_if(chain.current.begin(), chain.current.end(), [](AxisId axis) { return axis >= 0; }) == 1;
  if (!alike || (!chain.condition && !starts))
    throw Unsupported(site.span,
                      fmt::format("summing out {} along its loop under several conditions, or together "
                                  "with another chain under another one",
                                  site.site));
  const bool longer =
      std::any_of(chain.past.begin(), chain.past.end(), [](const auto& entry) { return entry.lag > 1; });
  if (!chain.past.empty() && (longer || chain.in_guide))
    throw Unsupported(site.span,
                      fmt::format("summing out {} along its loop under a condition {}", site.site,
                                  chain.in_guide ? "in the guide" : "when more than its last value is read"));
  chain.condition = site.condition;
}

void Executor::sum_out_iteration(std::size_t first_term, std::size_t first_site, Chain& chain,
                                 std::vector<Contribution>& factors) {
  std::vector<AxisId> axes;
  if (!chain.in_guide)
    axes = chain.past_axes();
  for (std::size_t k = first_site; k < enumerated.size(); ++k) {
    EnumeratedSite& site = enumerated[k];
    if (site.summed)
      continue; // of a loop inside
    if (!site.in_guide)
      axes.push_back(site.axis);
    const std::size_t position = chain.position(site.symbol);
    if (position == chain.sites.size())
      continue;
    chain.current[position] = site.axis;
    if (!(builder_->graph().axis(site.axis).extent == chain.sizes[position]))
      throw Unsupported(site.span,
                        fmt::format("summing out {}: its number of values is not known", site.site));
    take_conditions(chain, site);
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
  std::vector<const EnumeratedSite*> left;
  for (std::size_t k = first_site; k < enumerated.size(); ++k) {
    EnumeratedSite& site = enumerated[k];
    if (site.summed || site.in_guide)
      continue;
    site.summed = true;
    if (chain.in_guide || !chain.holds(site.symbol))
      left.push_back(&site);
  }
  while (!left.empty()) {
    const EnumeratedSite& site = *take_next_site(left, factors, enumerated, builder_->graph());
    if (drawing.draws) {
      std::vector<Contribution> copies = factors;
      if (const Value weights = take_factors(copies, site, {site.axis}, enumerated, *builder_))
        summed_in_iteration_.insert(summed_in_iteration_.begin(),
                                    {site.site, site.symbol, site.axis, site.plates, {}, {weights, {}}});
    }
    eliminate_site(factors, site, enumerated, *builder_);
  }
}

// With q(h) the weight of a past h and q(z | h) the guide's density of this iteration's values, a term f(h,
// z) counts with its expectation, sum over h and z of q(h) q(z | h) f(h, z); q(h) comes from the forward
// algorithm.
Value Executor::expect_iteration(std::size_t first_term, std::size_t first_site, Chain& chain,
                                 const Values& arguments, Value index) {
  if (!chain || !chain.in_guide)
    return {};
  Value log_weights;
  const auto add = [&](Value value) { log_weights = log_weights ? log_weights + value : value; };
  if (role_ == Role::guide) {
    if (chain.carries_weights())
      add(at_axes(arguments.back(), chain.past_axes()));
    for (std::size_t k = first_site; k < enumerated.size(); ++k) {
      if (enumerated[k].summed)
        continue;
      enumerated[k].summed = true;
      latents.at(enumerated[k].site).loops = 1;
      add(enumerated[k].log_weight);
    }
  }
  for (std::size_t source : chain.sources) {
    const GuideChain& guide = guide_chains_[source];
    add(at_axes(builder_->gather(guide.log_weights, index, 0), guide.chain.axes()));
  }
  const std::vector<AxisId> axes = sorted(chain.axes());
  const Value weights = ir::exp(log_weights);
  for (std::size_t k = first_term; k < terms.size(); ++k) {
    Term& term = terms[k];
    if (term.absorbed || !mentions(term.log_prob, axes))
      continue;
    if (!ir::is_subset(chain.plates, term.plates))
      throw Unsupported(term.span,
                        fmt::format("{} is summed out element by element of its plates, but this term "
                                    "reads it from outside them",
                                    chain.names.front()));
    const std::vector<AxisId> own = term.log_prob.type().axes;
    std::vector<AxisId> read = axes, unread;
    std::erase_if(read, [&](AxisId axis) { return !ir::contains(own, axis); });
    unread = ir::subtract(axes, read);
    const Value marginal = unread.empty() ? weights : builder_->sum(weights, unread);
    term.log_prob = builder_->sum(marginal * where_possible(marginal, term.log_prob), read);
  }
  return log_weights;
}

} // namespace plait::elbo
