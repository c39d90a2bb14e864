#include "compiler/guide/pairing.hpp"

#include "compiler/guide/family.hpp"
#include "compiler/guide/pairing_errors.hpp"
#include "compiler/plates/observations.hpp"
#include "compiler/program/describe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace plait::guide {

namespace {

using plates::Estimator;
using plates::Site;
using program::Strategy;

/// What the values of a site can be. A point mass is where its argument is.
std::string support_text(const Site& site) {
  if (site.distribution->point_mass)
    return "a point";
  if (catalog::event_rank(site.type.support.kind) == 0 && site.type.element != program::Element::real) {
    program::Type element = site.type;
    element.dims.clear();
    return to_string(element);
  }
  return catalog::to_string(site.type.support);
}

class Pairer {
public:
  Pairer(program::Program& program, Diagnostics& out) : program_(program), out_(out) {}

  std::optional<Pairing> run() {
    std::size_t before = out_.error_count();
    model_ = plates::find_sites(program_, program_.model, program::BlockKind::model);
    plates::check_observations(program_, model_, out_);
    if (program_.guide) {
      guide_ = plates::find_sites(program_, *program_.guide, program::BlockKind::guide);
      check_guide_plates();
      check_extra_sites();
    } else {
      check_family();
    }
    Pairing pairing;
    for (const Site& site : model_) {
      Pair pair{site, std::nullopt, Estimator::observed};
      if (!site.observed && program_.guide)
        pair_with_guide(pair);
      else if (!site.observed)
        leave_to_family(pair);
      if (!site.observed && !pair.guide)
        chosen_[site.sample] = pair.estimator;
      pairing.pairs.push_back(std::move(pair));
    }
    check_enumerated(pairing);
    if (out_.error_count() > before)
      return std::nullopt;
    write_strategies(program_.model);
    if (program_.guide)
      write_strategies(*program_.guide);
    for (Pair& pair : pairing.pairs) {
      Site& drawn = pair.guide ? *pair.guide : pair.model;
      drawn.strategy.strategy = strategy_of(pair.estimator, drawn.strategy.strategy);
    }
    return pairing;
  }

private:
  const Site* find_guide_site(const std::string& name) const {
    auto found =
        std::find_if(guide_.begin(), guide_.end(), [&](const Site& site) { return site.name == name; });
    return found == guide_.end() ? nullptr : &*found;
  }

  static bool is_absent(const program::Plate& plate) { return plate.in_guide && !plate.in_model; }

  void check_guide_plates() {
    std::vector<std::string> names;
    for (const program::Plate& plate : program_.plates)
      if (plate.in_model)
        names.push_back(plate.name);
    for (const program::Plate& plate : program_.plates)
      if (is_absent(plate))
        errors::guide_plate_absent(out_, plate,
                                   plate.name.size() < 2 ? std::nullopt : nearest(plate.name, names));
  }

  void check_extra_sites() {
    std::vector<std::string> names;
    for (const Site& site : model_)
      if (!site.observed && !find_guide_site(site.name))
        names.push_back(site.name);
    for (const Site& site : guide_) {
      bool known = std::any_of(model_.begin(), model_.end(),
                               [&](const Site& other) { return !other.observed && other.name == site.name; });
      if (!known)
        errors::extra_site(out_, site, nearest(site.name, names));
    }
  }

  void check_family() {
    const program::GuideFamily& family = *program_.family;
    const FamilyRow* row = find_family(family.family);
    if (!row) {
      std::vector<std::string> names;
      std::string known;
      for (const FamilyRow* other : families()) {
        names.emplace_back(other->name);
        known += (known.empty() ? "auto(" : ", auto(") + std::string(other->name) + ")";
      }
      errors::unknown_family(out_, family.span, family.family, nearest(family.family, names), known);
      return;
    }
    for (const auto& [name, value] : family.options) {
      std::string known;
      bool found = false;
      for (const FamilyOption& option : row->options.get()()) {
        known += (known.empty() ? "`" : ", `") + std::string(option.name) + "`";
        found = found || option.name == name;
      }
      if (!found)
        errors::unknown_family_option(out_, family.span, family.family, name, known);
    }
  }

  void pair_with_guide(Pair& pair) {
    const Site& model = pair.model;
    const Site* guide = find_guide_site(model.name);
    if (model.strategy.strategy == Strategy::enumerate) {
      pair.estimator = Estimator::enumerate;
      if (!plates::has_finite_support(*model.distribution))
        errors::enumerate_infinite(out_, model);
      if (guide)
        errors::enumerated_site_in_guide(out_, model, *guide);
      return;
    }
    if (model.strategy.strategy != Strategy::automatic)
      errors::strategy_in_model(out_, model, guide);
    if (!guide) {
      pair.estimator = Estimator::pathwise;
      errors::latent_missing(out_, model, program_.guide_span,
                             plates::has_finite_support(*model.distribution));
      return;
    }
    pair.guide = *guide;
    pair.estimator = choose(*guide);
    chosen_[guide->sample] = pair.estimator;
    compare(model, *guide);
  }

  void leave_to_family(Pair& pair) {
    const Site& model = pair.model;
    bool discrete = catalog::is_discrete(model.distribution->support.get().kind);
    bool finite = plates::has_finite_support(*model.distribution);
    pair.estimator = discrete ? Estimator::enumerate : Estimator::pathwise;
    if (model.strategy.strategy == Strategy::enumerate) {
      pair.estimator = Estimator::enumerate;
      if (!finite)
        errors::enumerate_infinite(out_, model);
    } else if (model.strategy.strategy != Strategy::automatic &&
               !(model.strategy.strategy == Strategy::pathwise && !discrete)) {
      errors::strategy_in_model(out_, model, nullptr);
    } else if (discrete && !finite) {
      errors::discrete_with_automatic_guide(out_, model);
    }
  }

  Estimator choose(const Site& guide) {
    bool has_pathwise = guide.distribution->pathwise.get() != catalog::Pathwise::none;
    switch (guide.strategy.strategy) {
    case Strategy::pathwise:
      if (!has_pathwise)
        errors::pathwise_discrete(out_, guide);
      return Estimator::pathwise;
    case Strategy::enumerate:
      if (!plates::has_finite_support(*guide.distribution))
        errors::enumerate_infinite(out_, guide);
      return Estimator::enumerate;
    case Strategy::score:
      return Estimator::score;
    case Strategy::automatic:
      break;
    }
    return has_pathwise ? Estimator::pathwise : Estimator::score;
  }

  void compare(const Site& model, const Site& guide) {
    auto sorted = [](std::vector<program::PlateId> plates) {
      std::sort(plates.begin(), plates.end());
      return plates;
    };
    bool absent = std::any_of(guide.plates.begin(), guide.plates.end(),
                              [&](program::PlateId id) { return is_absent(program_.plate(id)); });
    if (!absent && sorted(model.plates) != sorted(guide.plates))
      errors::plate_mismatch(out_, model, plates_text(program_, model), guide, plates_text(program_, guide));
    else if (!absent && !same_loops(model, guide))
      errors::loop_mismatch(out_, model, guide);
    std::string model_condition = conditions_text(program_, model);
    std::string guide_condition = conditions_text(program_, guide);
    if (model_condition != guide_condition)
      errors::condition_mismatch(out_, model, model_condition, guide, guide_condition);
    if (!(model.type.dims == guide.type.dims)) {
      auto shape = [](const Site& site) {
        return site.type.dims.empty() ? std::string("a single number")
                                      : "of shape " + to_string(site.type.dims);
      };
      Diagnostic& made = errors::shape_mismatch(out_, model, shape(model), guide, shape(guide));
      // An array over the plate where the element of this index was meant.
      for (program::PlateId id : guide.plates) {
        std::vector<program::Dim> spread{program_.plate(id).size};
        spread.insert(spread.end(), model.type.dims.begin(), model.type.dims.end());
        if (guide.type.dims == spread)
          made.with_hint(
              fmt::format("each element of plate {} draws its own: of an array over the plate take "
                          "the element, as in `m[{}]`",
                          program_.plate(id).name, program_.plate(id).index_name));
      }
    }
    if (!support_fits(model, guide))
      errors::support_mismatch(out_, model, support_text(model), guide, support_text(guide));
  }

  bool same_loops(const Site& model, const Site& guide) const {
    if (model.loops.size() != guide.loops.size())
      return false;
    for (std::size_t i = 0; i < model.loops.size(); ++i) {
      const program::Loop& a = program_.loop(model.loops[i]);
      const program::Loop& b = program_.loop(guide.loops[i]);
      if (!(a.extent == b.extent) ||
          program::describe(program_, a.lower) != program::describe(program_, b.lower))
        return false;
    }
    return true;
  }

  static bool support_fits(const Site& model, const Site& guide) {
    bool discrete = catalog::is_discrete(model.distribution->support.get().kind);
    if (guide.distribution->point_mass)
      return !discrete;
    if (model.type.index_size && guide.type.index_size && !(*model.type.index_size == *guide.type.index_size))
      return false;
    return catalog::can_guide(guide.type.support, model.type.support);
  }

  /// A latent summed out outside a subsampled plate would need the product over all rows inside the sum.
  void check_enumerated(const Pairing& pairing) {
    std::vector<std::vector<std::string>> influences =
        plates::find_influences(program_, program_.model, model_);
    for (const Pair& pair : pairing.pairs) {
      if (pair.estimator != Estimator::enumerate || pair.model.observed)
        continue;
      if (pair.guide) // an expectation under the guide is linear: its terms may be scaled
        continue;
      const Site& enumerated = pair.model;
      for (std::size_t i = 0; i < model_.size(); ++i) {
        const Site& local = model_[i];
        const auto& read = influences[i];
        if (std::find(read.begin(), read.end(), enumerated.name) == read.end())
          continue;
        auto leak = std::find_if(local.plates.begin(), local.plates.end(), [&](program::PlateId id) {
          return program_.plate(id).subsampled() &&
                 std::find(enumerated.plates.begin(), enumerated.plates.end(), id) == enumerated.plates.end();
        });
        if (leak != local.plates.end()) {
          errors::enumerated_over_subsample(out_, enumerated, local, program_.plate(*leak));
          break;
        }
      }
    }
  }

  static Strategy strategy_of(Estimator estimator, Strategy written) {
    switch (estimator) {
    case Estimator::pathwise:
      return Strategy::pathwise;
    case Estimator::score:
      return Strategy::score;
    case Estimator::enumerate:
      return Strategy::enumerate;
    case Estimator::observed:
      break;
    }
    return written;
  }

  void write_strategies(program::Block& block) {
    for (program::Statement& statement : block.statements) {
      if (auto* sample = std::get_if<program::Sample>(&statement.node)) {
        auto found = chosen_.find(sample->id);
        if (found == chosen_.end())
          continue;
        Strategy strategy = strategy_of(found->second, sample->strategy.strategy);
        sample->strategy.strategy = strategy;
      } else if (auto* plate = std::get_if<program::PlateStatement>(&statement.node)) {
        write_strategies(plate->body);
      } else if (auto* loop = std::get_if<program::ForStatement>(&statement.node)) {
        write_strategies(loop->body);
      } else if (auto* branch = std::get_if<program::IfStatement>(&statement.node)) {
        write_strategies(branch->then_body);
        write_strategies(branch->else_body);
      }
    }
  }

  program::Program& program_;
  Diagnostics& out_;
  std::vector<Site> model_;
  std::vector<Site> guide_;
  std::map<program::SampleId, Estimator> chosen_;
};

} // namespace

std::optional<Pairing> pair(program::Program& program, Diagnostics& diagnostics) {
  Diagnostics found;
  std::optional<Pairing> pairing = Pairer(program, found).run();
  found.sort_by_place();
  for (const Diagnostic& entry : found)
    diagnostics.add(entry);
  return pairing;
}

} // namespace plait::guide
