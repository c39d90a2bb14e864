#include "compiler/guide/pairing_print.hpp"

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

std::string estimator_text(const Pair& pair) {
  const plates::Site& site = pair.guide ? *pair.guide : pair.model;
  switch (pair.estimator) {
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
  bool implicit =
      pair.guide && pair.guide->distribution->pathwise.get() == catalog::Pathwise::implicit_derivative;
  return implicit ? "pathwise, implicit" : "pathwise";
}

std::string guide_text(const program::Program& program, const Pair& pair) {
  if (pair.model.observed)
    return "observed";
  if (pair.guide)
    return pair.guide->distribution_text;
  return pair.estimator == plates::Estimator::enumerate ? "summed out"
                                                        : "auto(" + program.family->family + ")";
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
                        const std::map<std::string, std::string>& estimates) {
  std::vector<Row> rows{{"site", "plates", "scale", "shape", "support", "model", "guide", "estimator"}};
  bool conditional = std::any_of(pairing.pairs.begin(), pairing.pairs.end(),
                                 [](const Pair& pair) { return !pair.model.conditions.empty(); });
  if (conditional)
    rows[0].emplace_back("when");
  for (const Pair& pair : pairing.pairs) {
    const plates::Site& site = pair.model;
    const auto estimate = estimates.find(site.name);
    const bool is_decided = estimate != estimates.end() && pair.estimator != plates::Estimator::observed;
    rows.push_back({site.name, plates_text(program, site), scale_text(program, site),
                    shape_text(program, site), support_text(site), site.distribution_text,
                    guide_text(program, pair), is_decided ? estimate->second : estimator_text(pair)});
    if (conditional) {
      std::string when = conditions_text(program, site);
      rows.back().push_back(when.empty() ? "always" : when);
    }
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
