#include "compiler/guide/pairing_print.hpp"

#include <algorithm>
#include <array>

namespace plait::guide {

namespace {

using Row = std::array<std::string, 8>;

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
    return std::string(pair.guide->distribution->name);
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

std::string print_sites(const program::Program& program, const Pairing& pairing) {
  std::vector<Row> rows{{"site", "plates", "scale", "shape", "support", "model", "guide", "estimator"}};
  for (const Pair& pair : pairing.pairs)
    rows.push_back({pair.model.name, plates_text(program, pair.model), scale_text(program, pair.model),
                    shape_text(program, pair.model), support_text(pair.model),
                    std::string(pair.model.distribution->name), guide_text(program, pair),
                    estimator_text(pair)});
  std::array<std::size_t, 8> widths{};
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
