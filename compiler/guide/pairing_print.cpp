#include "compiler/guide/pairing_print.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace plait::guide {

namespace {

using Row = std::vector<std::string>;

/// Width in code points, so that `…` and the like keep the columns straight.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

/// What the statements of a site say, each thing once: `normal, student_t`.
std::string list(const std::vector<std::string>& texts) {
  std::vector<std::string> distinct;
  for (const std::string& text : texts)
    if (std::find(distinct.begin(), distinct.end(), text) == distinct.end())
      distinct.push_back(text);
  return fmt::format("{}", fmt::join(distinct, ", "));
}

std::string estimator_text(plates::Estimator estimator, const plates::Site& site, bool by_guide) {
  switch (estimator) {
  case plates::Estimator::observed:
    return "-";
  case plates::Estimator::enumerate:
    return "enumerate";
  case plates::Estimator::score: {
    std::string baseline = site.strategy.baseline ? "expression" : site.strategy.baseline_name;
    return baseline.empty() ? "score" : "score, baseline " + baseline;
  }
  case plates::Estimator::pathwise:
    break;
  }
  bool implicit = by_guide && site.distribution->pathwise.get() == catalog::Pathwise::implicit_derivative;
  return implicit ? "pathwise, implicit" : "pathwise";
}

std::string estimators_text(const Pair& pair, const std::map<program::SampleId, std::string>& estimates) {
  const std::vector<plates::Site>& drawn = pair.guide.empty() ? pair.model : pair.guide;
  std::vector<std::string> texts;
  for (std::size_t k = 0; k < pair.estimators.size(); ++k)
    if (const auto estimate = estimates.find(drawn[k].sample); estimate != estimates.end())
      texts.push_back(estimate->second);
    else
      texts.push_back(estimator_text(pair.estimators[k], drawn[k], !pair.guide.empty()));
  return list(texts);
}

std::string distributions_text(const std::vector<plates::Site>& sites) {
  std::vector<std::string> texts;
  for (const plates::Site& site : sites)
    texts.push_back(site.distribution_text);
  return list(texts);
}

std::string guide_text(const program::Program& program, const Pair& pair) {
  if (pair.site().observed)
    return "observed";
  if (!pair.guide.empty())
    return distributions_text(pair.guide);
  return pair.sums_out() ? "summed out" : "auto(" + program.family->family + ")";
}

/// Under which conditions some statement of the site runs.
std::string when_text(const program::Program& program, const Pair& pair) {
  std::vector<plates::Path> paths;
  for (const plates::Site& site : pair.model)
    paths.push_back(site.conditions);
  return plates::ConditionLogic(program).cover(paths) ? "always" : plates::text_of(program, paths);
}

std::string support_text(const plates::Site& site) {
  if (site.type.element == program::Element::real || catalog::event_rank(site.type.support.kind) > 0)
    return catalog::to_string(site.type.support);
  program::Type element = site.type;
  element.dims.clear();
  return to_string(element);
}

} // namespace

std::string print_sites(const program::Program& program, const Pairing& pairing,
                        const std::map<program::SampleId, std::string>& estimates) {
  std::vector<Row> rows{{"site", "plates", "scale", "shape", "support", "model", "guide", "estimator"}};
  bool conditional = std::any_of(pairing.pairs.begin(), pairing.pairs.end(),
                                 [](const Pair& pair) { return !pair.site().conditions.empty(); });
  if (conditional)
    rows[0].emplace_back("when");
  for (const Pair& pair : pairing.pairs) {
    const plates::Site& site = pair.site();
    rows.push_back({site.name, plates_text(program, site), scale_text(program, site),
                    shape_text(program, site), support_text(site), distributions_text(pair.model),
                    guide_text(program, pair), estimators_text(pair, estimates)});
    if (conditional)
      rows.back().push_back(when_text(program, pair));
  }
  std::vector<std::size_t> widths(rows[0].size());
  for (const Row& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], width(row[i]));
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size())
        line.append(widths[i] - width(row[i]) + 2, ' ');
    }
    text += line + "\n";
  }
  return text;
}

} // namespace plait::guide
