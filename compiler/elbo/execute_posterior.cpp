// Draws of what the model sums out, from its exact distribution given the guide's draws and the data.
#include "compiler/elbo/combine.hpp"
#include "compiler/elbo/executor.hpp"

#include "compiler/catalog/array_math.hpp"
#include "compiler/catalog/ops.hpp"

#include <algorithm>

namespace plait::elbo {

using ir::AxisId;
using ir::Value;

namespace {

/** Values drawn so far, by the axis that stood for all of them. */
using DrawnAxes = std::map<AxisId, Value>;

/** A value with every axis that has been drawn replaced by the draw. */
Value at_draws(Value value, const DrawnAxes& drawn) {
  for (const auto& [axis, draw] : drawn)
    if (mentions(value, {axis}))
      value = value.builder().gather(to_table(value, {axis}), draw, 0);
  return value;
}

/** One value of `axis` with log weights `weights`; axes in `others` are summed over. */
Value draw_axis(Value weights, AxisId axis, std::vector<AxisId> others, SiteDraws& draws) {
  ir::Builder& builder = weights.builder();
  std::sort(others.begin(), others.end());
  std::erase_if(others, [&](AxisId other) { return other == axis || !mentions(weights, {other}); });
  if (!others.empty())
    weights = builder.log_sum_exp(weights, others);
  return catalog::draw_by_log_weights(draws, to_table(weights, {axis}));
}

} // namespace

SiteDraws Executor::posterior_draws(const std::string& site, const std::vector<AxisId>& plates,
                                    Value iteration) const {
  Value row = builder_->integer(0);
  for (AxisId axis : plates) {
    const Value here = builder_->plate_row(axis);
    const ir::Extent population = builder_->graph().axis(axis).population;
    row = ir::integer_add(ir::integer_multiply(row, builder_->extent(population)), here);
  }
  return SiteDraws(*builder_, site + ".posterior", row, iteration);
}

std::vector<Executor::SummedLoop::Kept*> Executor::SummedLoop::arrays() {
  std::vector<Kept*> result;
  const auto add = [&](Kept& kept) {
    if (kept)
      result.push_back(&kept);
  };
  add(weights);
  for (Site& site : sites)
    add(site.weights);
  add(exists);
  add(condition);
  for (SummedLoop& loop : inner)
    for (Kept* kept : loop.arrays())
      result.push_back(kept);
  return result;
}

void Executor::keep_for_drawing(SummedLoop& loop, const Chain& chain, Value weights,
                                std::optional<Value> exists) {
  loop.chain = chain;
  std::vector<AxisId> inside;
  if (weights) {
    loop.axes = inside = chain.axes();
    loop.weights.value = to_table(weights, loop.axes);
  } else {
    loop.chain = {};
  }
  loop.sites = std::move(summed_in_iteration_);
  summed_in_iteration_.clear();
  const auto mentioned = [&](Value value) {
    std::vector<AxisId> axes;
    std::copy_if(inside.begin(), inside.end(), std::back_inserter(axes),
                 [&](AxisId axis) { return mentions(value, {axis}); });
    return axes;
  };
  for (SummedLoop::Site& site : loop.sites) {
    inside.push_back(site.axis);
    site.axes = mentioned(site.weights.value);
    site.weights.value = to_table(site.weights.value, site.axes);
  }
  if (exists)
    loop.exists.value = catalog::as_integer(*exists);
  if (weights && chain.condition)
    loop.condition.value = catalog::as_integer(*chain.condition);
  for (SummedLoop& inner : loop.inner)
    for (SummedLoop::Kept* kept : inner.arrays()) {
      kept->around.push_back(mentioned(kept->value));
      kept->value = to_table(kept->value, kept->around.back());
    }
}

// Outside loops: eliminating the sites one after the other, innermost first, leaves for each the factors that
// mention it, f(z, rest), where `rest` are sites eliminated later. Then, the other way round,
//   p(z | rest, data) is proportional to exp f(z, rest).
void Executor::draw_summed_out() {
  std::vector<Contribution> contributions = contributions_of(*this, *builder_, false);
  std::vector<std::pair<const EnumeratedSite*, Value>> eliminated;
  std::vector<const EnumeratedSite*> left;
  for (const EnumeratedSite& site : enumerated)
    if (!site.in_guide && !site.summed)
      left.push_back(&site);
  while (!left.empty()) {
    const EnumeratedSite* site = take_next_site(left, contributions, enumerated, builder_->graph());
    const Value factors = take_factors(contributions, *site, {site->axis}, enumerated, *builder_);
    if (!factors)
      continue;
    eliminated.emplace_back(site, factors);
    contributions.push_back(
        {site->site, site->site, site->span, builder_->log_sum_exp(factors, {site->axis}), site->plates});
  }
  DrawnAxes drawn;
  for (auto step = eliminated.rbegin(); step != eliminated.rend(); ++step) {
    const auto& [site, factors] = *step;
    SiteDraws draws = posterior_draws(site->site, site->plates, {});
    const Value draw = draw_axis(at_draws(factors, drawn), site->axis, {}, draws);
    drawn[site->axis] = draw;
    Latent latent;
    latent.site = site->site;
    latent.value = draw;
    latents[site->site] = std::move(latent);
  }
  for (Value& value : bound_)
    if (value)
      value = at_draws(value, drawn);
  for (SummedLoop& loop : summed_loops_) {
    for (SummedLoop::Kept* kept : loop.arrays())
      kept->value = at_draws(kept->value, drawn);
    for (const DrawnSite& site : draw_loop(loop, {})) {
      Latent latent;
      latent.site = site.site;
      latent.value = site.value;
      latent.loops = site.loops;
      latents[site.site] = std::move(latent);
      bound_[static_cast<std::size_t>(site.symbol)] = site.value;
      summed_.erase(site.symbol);
    }
  }
}

// Forward filtering, backward sampling (Carter and Kohn 1994). `weights` of iteration t are those of the
// forward algorithm before the sum, w(past, present): everything up to t. The last iteration's values are
// drawn from them; before that the present of t is the past of t + 1, which is drawn, so that the past of t
// comes from w(past, present) at that present. Rows of different lengths begin at their own ends.
// What a loop inside sums out is independent of other iterations given the values of this one: its weights at
// those are gone through in the same way.
std::vector<Executor::DrawnSite> Executor::draw_loop(const SummedLoop& loop, Value iteration) {
  const Chain& chain = loop.chain;
  std::vector<AxisId> plates = chain.plates;
  for (const SummedLoop::Site& site : loop.sites)
    plates = ir::unite(plates, site.plates);
  if (loop.exists)
    plates = ir::unite(plates, loop.exists.value.type().axes);
  ir::Type state;
  state.element = ir::Element::integer;
  state.axes = plates;
  // Carried: whether the end of the row has been met, then the past of the next iteration.
  std::vector<Value> inits(1 + chain.past.size(), builder_->zeros(state));
  const ir::NodeId node = builder_->begin_loop(loop.extent, !loop.reverse, inits, {});
  const Value index = builder_->loop_index(node);
  const Value one = builder_->integer(1), zero = builder_->integer(0);
  const auto whole = [&](Value value) { return builder_->broadcast(catalog::as_integer(value), plates, {}); };
  const auto here = [&](const SummedLoop::Kept& array) { return builder_->gather(array.value, index, 0); };
  const Value number =
      iteration ? ir::integer_add(ir::integer_multiply(iteration, builder_->extent(loop.extent)), index)
                : index;
  const Value met = builder_->loop_argument(node, 0);
  const Value is_last = ir::equal(met, zero);
  const Value exists = loop.exists ? ir::equal(here(loop.exists), one) : builder_->boolean(true);
  const Value samples = loop.condition ? ir::equal(here(loop.condition), one) : Value();

  DrawnAxes drawn;
  std::vector<Value> nexts{whole(ir::select(exists, one, met))};
  if (loop.weights) {
    const Value weights = at_axes(here(loop.weights), loop.axes);
    // What the next iteration has drawn of this one, by its place among the carried; it comes first, so that
    // the rest is drawn given all of it.
    std::map<AxisId, std::size_t> places;
    for (std::size_t k = 0; k < chain.past.size(); ++k)
      places[chain.axis_before(chain.past[k])] = k;
    std::vector<AxisId> order = loop.axes;
    std::stable_partition(order.begin(), order.end(), [&](AxisId axis) { return places.contains(axis); });
    for (AxisId axis : order) {
      const auto place = places.find(axis);
      SiteDraws draws = posterior_draws(builder_->graph().axis(axis).name, plates, number);
      Value value = draw_axis(at_draws(weights, drawn), axis, loop.axes, draws);
      if (place != places.end())
        value = ir::select(is_last, value, builder_->loop_argument(node, 1 + place->second));
      drawn[axis] = whole(value);
    }
    for (std::size_t k = 0; k < chain.past.size(); ++k) {
      const Value before = builder_->loop_argument(node, 1 + k);
      Value next = drawn.at(chain.past[k].axis);
      if (samples) {
        // Where nothing is sampled the state stays: the past is what the next iteration has drawn.
        SiteDraws draws = posterior_draws(chain.names[chain.past[k].site] + ".stays", plates, number);
        const Value end = draw_axis(weights, chain.past[k].axis, loop.axes, draws);
        next = ir::select(samples, next, ir::select(is_last, end, before));
      }
      nexts.push_back(whole(ir::select(exists, next, before)));
    }
  }
  std::vector<Value> stacked;
  std::vector<DrawnSite> result;
  const auto keep = [&](DrawnSite site) {
    const ir::Type type = site.value.type();
    stacked.push_back(ir::select(exists, site.value, builder_->zeros(type)));
    ++site.loops;
    result.push_back(std::move(site));
  };
  for (std::size_t k = 0; k < chain.sites.size(); ++k) {
    const Value value = drawn.at(chain.current[k]);
    keep({chain.names[k], chain.sites[k], samples ? whole(ir::select(samples, value, zero)) : value, 0});
  }
  for (const SummedLoop::Site& site : loop.sites) {
    SiteDraws draws = posterior_draws(site.site, plates, number);
    const Value weights = at_draws(at_axes(here(site.weights), site.axes), drawn);
    drawn[site.axis] = whole(draw_axis(weights, site.axis, {}, draws));
    keep({site.site, site.symbol, drawn[site.axis], 0});
  }
  for (SummedLoop inner : loop.inner) {
    for (SummedLoop::Kept* kept : inner.arrays()) {
      kept->value = at_draws(at_axes(here(*kept), kept->around.back()), drawn);
      kept->around.pop_back();
    }
    for (DrawnSite& site : draw_loop(inner, number))
      keep(std::move(site));
  }
  const ir::LoopValues values = builder_->finish_loop(node, nexts, stacked, {});
  for (std::size_t k = 0; k < result.size(); ++k)
    result[k].value = values.stacked[k];
  return result;
}

} // namespace plait::elbo
