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

Executor::Values Executor::iterations_of_scores(const Marks& first) const {
  Values values;
  for (std::size_t k = first.score; k < scores.size(); ++k) {
    values.push_back(scores[k].log_prob);
    if (scores[k].exists)
      values.push_back(scores[k].exists);
    if (scores[k].baseline)
      values.push_back(*scores[k].baseline);
  }
  bool wanted = false;
  for (const ScoreSite& score : scores)
    wanted = wanted || score.loops > 0;
  if (loops_.empty() && (wanted || scores.size() > first.score)) {
    const Values sums = sums_of(first);
    values.insert(values.end(), sums.begin(), sums.end());
  }
  return values;
}

void Executor::take_iterations(const Marks& first, const Values& arrays) {
  std::size_t place = 0;
  for (std::size_t k = first.score; k < scores.size(); ++k) {
    ScoreSite& score = scores[k];
    // Its draw stays the one inside the body: terms of the loop read that one, terms outside the array of it.
    score.log_prob = arrays.at(place++);
    if (score.exists)
      score.exists = arrays.at(place++);
    if (score.baseline)
      score.baseline = arrays.at(place++);
    ++score.loops;
  }
  if (place == arrays.size())
    return;
  for (std::size_t k = first.term; k < terms.size(); ++k)
    if (!terms[k].absorbed)
      terms[k].by_iteration = arrays.at(place++);
  for (std::size_t k = first.form; k < closed_forms.size(); ++k)
    closed_forms[k].by_iteration = arrays.at(place++);
}

} // namespace plait::elbo
