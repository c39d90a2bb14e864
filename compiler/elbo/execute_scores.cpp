#include "compiler/elbo/executor.hpp"

#include "compiler/catalog/ops.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace plait::elbo {

using ir::Value;

namespace {

Baseline kind_of(const program::Using& strategy) {
  if (strategy.baseline)
    return Baseline::expression;
  if (strategy.baseline_name == "average")
    return Baseline::average;
  if (strategy.baseline_name == "leave_one_out")
    return Baseline::leave_one_out;
  return strategy.baseline_name == "none" ? Baseline::none : Baseline::automatic;
}

} // namespace

void Executor::add_score_site(const program::Sample& sample, Value draw, Value log_prob, std::size_t term) {
  const std::vector<ir::AxisId> axes = log_prob.type().axes;
  for (ir::AxisId axis : axes)
    if (builder_->graph().axis(axis).kind == ir::AxisKind::enumerated)
      throw Unsupported(
          sample.span,
          fmt::format("a draw of {} by score function whose density depends on {}, which is summed "
                      "out",
                      program_->symbol(sample.symbol).name, builder_->graph().axis(axis).name));
  ScoreSite score;
  score.site = program_->symbol(sample.symbol).name;
  const auto others = std::count_if(scores.begin(), scores.end(),
                                    [&](const ScoreSite& other) { return other.site == score.site; });
  score.state = others == 0 ? score.site : fmt::format("{}.{}", score.site, others + 1);
  score.sample = sample.id;
  score.span = sample.span;
  score.term = term;
  score.draw = draw;
  score.log_prob = per_element(log_prob);
  if (const auto mask = open_mask())
    score.exists = ir::to_real(builder_->broadcast(*mask, ir::unite(mask->type().axes, open_axes()), {}));
  score.kind = kind_of(sample.strategy);
  if (const auto decay = sample.strategy.options.find("decay"); decay != sample.strategy.options.end())
    score.decay = program::constant_value(decay->second).value_or(score.decay);
  if (sample.strategy.baseline) {
    // The baseline learns from its own error alone: what it reads is a number to it.
    in_baseline_ = true;
    score.baseline = builder_->sum_event(real(sample.strategy.baseline));
    in_baseline_ = false;
  }
  scores.push_back(std::move(score));
}

Value Executor::read_by_baseline(Value value) const {
  const bool carries = in_baseline_ && value.type().element == ir::Element::real;
  return carries ? ir::stop_gradient(value) : value;
}

void Executor::hand_over_scores(const Marks& first, HandedOver& stacked) {
  const bool of_loop_inside =
      std::any_of(scores.begin(), scores.end(), [](const ScoreSite& score) { return score.loops > 0; });
  for (std::size_t k = first.score; k < scores.size(); ++k) {
    ScoreSite& score = scores[k];
    // Its draw stays the one inside the body: terms of the loop read that one, terms outside the array of it.
    stacked.add(score.log_prob, [&score](Value array) {
      score.log_prob = array;
      ++score.loops;
    });
    if (score.exists)
      stacked.add(score.exists, [&score](Value array) { score.exists = array; });
    if (score.baseline)
      stacked.add(*score.baseline, [&score](Value array) { score.baseline = array; });
  }
  if (!loops_.empty() || (!of_loop_inside && scores.size() == first.score))
    return;
  for (std::size_t k = first.term; k < terms.size(); ++k)
    if (Term& term = terms[k]; !term.absorbed)
      stacked.add(term.log_prob, [&term](Value array) { term.by_iteration = array; });
  for (std::size_t k = first.form; k < closed_forms.size(); ++k)
    stacked.add(closed_forms[k].value, [&form = closed_forms[k]](Value array) { form.by_iteration = array; });
}

} // namespace plait::elbo
