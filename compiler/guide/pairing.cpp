#include "compiler/guide/pairing.hpp"

#include "compiler/guide/family.hpp"
#include "compiler/guide/pairing_errors.hpp"
#include "compiler/plates/observations.hpp"
#include "compiler/program/describe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
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
      Pair* latent = site.observed ? nullptr : find_pair(pairing, site.symbol);
      if (latent)
        latent->model.push_back(site);
      else
        pairing.pairs.push_back({{site}, {}, {Estimator::observed}});
    }
    for (Pair& pair : pairing.pairs) {
      if (pair.site().observed)
        continue;
      if (program_.guide)
        pair_with_guide(pair);
      else
        leave_to_family(pair);
      check_summed_together(pair);
      const std::vector<Site>& drawn = pair.guide.empty() ? pair.model : pair.guide;
      for (std::size_t k = 0; k < drawn.size(); ++k)
        chosen_[drawn[k].sample] = pair.estimators[k];
    }
    check_enumerated(pairing);
    if (out_.error_count() > before)
      return std::nullopt;
    write_strategies(program_.model);
    if (program_.guide)
      write_strategies(*program_.guide);
    for (Pair& pair : pairing.pairs) {
      std::vector<Site>& drawn = pair.guide.empty() ? pair.model : pair.guide;
      for (std::size_t k = 0; k < pair.estimators.size(); ++k)
        drawn[k].strategy.strategy = strategy_of(pair.estimators[k], drawn[k].strategy.strategy);
    }
    return pairing;
  }

private:
  static Pair* find_pair(Pairing& pairing, program::SymbolId latent) {
    const auto found = std::find_if(pairing.pairs.begin(), pairing.pairs.end(),
                                    [&](const Pair& pair) { return pair.site().symbol == latent; });
    return found == pairing.pairs.end() ? nullptr : &*found;
  }

  std::vector<Site> find_guide_sites(const std::string& name) const {
    std::vector<Site> found;
    std::copy_if(guide_.begin(), guide_.end(), std::back_inserter(found),
                 [&](const Site& site) { return site.name == name; });
    return found;
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
      if (!site.observed && find_guide_sites(site.name).empty())
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
      for (const catalog::Option& option : row->options.get()()) {
        known += (known.empty() ? "`" : ", `") + std::string(option.name) + "`";
        found = found || option.name == name;
      }
      if (!found)
        errors::unknown_family_option(out_, family.span, family.family, name, known);
    }
  }

  void pair_with_guide(Pair& pair) {
    const std::vector<Site> guide = find_guide_sites(pair.site().name);
    const Site* first = guide.empty() ? nullptr : &guide.front();
    std::vector<Estimator> of_model;
    for (const Site& model : pair.model) {
      const bool sums = model.strategy.strategy == Strategy::enumerate;
      of_model.push_back(sums ? Estimator::enumerate : Estimator::pathwise);
      if (sums && !plates::has_finite_support(*model.distribution))
        errors::enumerate_infinite(out_, model);
      if (!sums && model.strategy.strategy != Strategy::automatic)
        errors::strategy_in_model(out_, model, first);
    }
    const auto summed = std::find(of_model.begin(), of_model.end(), Estimator::enumerate);
    if (guide.empty() || summed != of_model.end()) {
      pair.estimators = of_model;
      if (!guide.empty())
        errors::enumerated_site_in_guide(
            out_, pair.model[static_cast<std::size_t>(summed - of_model.begin())], *first);
      else if (summed == of_model.end())
        errors::latent_missing(out_, pair.site(), program_.guide_span,
                               plates::has_finite_support(*pair.site().distribution));
      return;
    }
    pair.guide = guide;
    pair.estimators.clear();
    for (const Site& site : guide)
      pair.estimators.push_back(choose(site));
    compare(pair);
  }

  void leave_to_family(Pair& pair) {
    pair.estimators.clear();
    for (const Site& model : pair.model) {
      bool discrete = catalog::is_discrete(model.distribution->support.get().kind);
      bool finite = plates::has_finite_support(*model.distribution);
      Estimator estimator = discrete ? Estimator::enumerate : Estimator::pathwise;
      if (model.strategy.strategy == Strategy::enumerate) {
        estimator = Estimator::enumerate;
        if (!finite)
          errors::enumerate_infinite(out_, model);
      } else if (model.strategy.strategy != Strategy::automatic &&
                 !(model.strategy.strategy == Strategy::pathwise && !discrete)) {
        errors::strategy_in_model(out_, model, nullptr);
      } else if (discrete && !finite) {
        errors::discrete_with_automatic_guide(out_, model);
      }
      pair.estimators.push_back(estimator);
    }
  }

  /// A latent is a draw in all branches, or an axis in all.
  void check_summed_together(const Pair& pair) {
    const std::vector<Site>& drawn = pair.guide.empty() ? pair.model : pair.guide;
    for (std::size_t k = 1; k < pair.estimators.size(); ++k)
      if ((pair.estimators[k] == Estimator::enumerate) != pair.sums_out()) {
        errors::summed_out_in_one_branch(out_, pair.sums_out() ? drawn[0] : drawn[k],
                                         pair.sums_out() ? drawn[k] : drawn[0]);
        return;
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

  /// Conditions are compared over all branches together; everything else for each statement of the guide with
  /// each of the model that can run where it does.
  void compare(const Pair& pair) {
    const auto paths_of = [](const std::vector<Site>& sites) {
      std::vector<plates::Path> paths;
      for (const Site& site : sites)
        paths.push_back(site.conditions);
      return paths;
    };
    const plates::ConditionLogic logic(program_);
    const std::vector<plates::Path> model_paths = paths_of(pair.model), guide_paths = paths_of(pair.guide);
    bool alike = true;
    for (const Site& guide : pair.guide)
      for (const Site& model : pair.model)
        if (alike && !logic.exclude(model.conditions, guide.conditions))
          alike = compare(model, guide);
    if (!logic.same(model_paths, guide_paths))
      errors::condition_mismatch(out_, pair.model, logic.explain(model_paths), pair.guide,
                                 logic.explain(guide_paths));
  }

  bool compare(const Site& model, const Site& guide) {
    const std::size_t before = out_.error_count();
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
    return out_.error_count() == before;
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
      if (pair.site().observed || !pair.sums_out())
        continue;
      if (!pair.guide.empty()) // an expectation under the guide is linear: its terms may be scaled
        continue;
      const Site& enumerated = pair.site();
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
