#include "compiler/plates/sites.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace plait::plates {

using program::Block;
using program::Frame;
using program::Program;

std::string_view to_string(Estimator estimator) {
  switch (estimator) {
  case Estimator::observed:
    return "observed";
  case Estimator::pathwise:
    return "pathwise";
  case Estimator::score:
    return "score";
  case Estimator::enumerate:
    return "enumerate";
  }
  return "observed";
}

namespace {

/// Calls `visit` for every sample and every assignment of a block, with the conditions around it.
template <class Visit>
void for_each_with_conditions(const Block& block, Path& conditions, Visit&& visit) {
  for (const program::Statement& statement : block.statements) {
    if (const auto* sample = program::get_if<program::Sample>(statement)) {
      visit(*sample, conditions);
    } else if (const auto* assign = program::get_if<program::Assign>(statement)) {
      visit(*assign, conditions);
    } else if (const auto* plate = program::get_if<program::PlateStatement>(statement)) {
      for_each_with_conditions(plate->body, conditions, visit);
    } else if (const auto* loop = program::get_if<program::ForStatement>(statement)) {
      for_each_with_conditions(loop->body, conditions, visit);
    } else if (const auto* branch = program::get_if<program::IfStatement>(statement)) {
      if (const auto known = program::constant_value(branch->condition)) {
        for_each_with_conditions(*known != 0 ? branch->then_body : branch->else_body, conditions, visit);
        continue;
      }
      conditions.push_back({branch->condition, true});
      for_each_with_conditions(branch->then_body, conditions, visit);
      conditions.back().taken = false;
      for_each_with_conditions(branch->else_body, conditions, visit);
      conditions.pop_back();
    }
  }
}

struct Collector {
  const Program& program;
  program::BlockKind kind;
  std::vector<Site> sites;

  void operator()(const program::Assign&, const Path&) const {}
  void operator()(const program::Sample& sample, const Path& conditions) {
    Site site;
    site.name = program.symbol(sample.symbol).name;
    site.sample = sample.id;
    site.symbol = sample.symbol;
    site.block = kind;
    site.observed = sample.observed;
    site.distribution = sample.distribution;
    site.distribution_text = program::distribution_text(sample);
    site.transformed = !sample.transforms.empty();
    site.type = sample.type;
    for (const Frame& frame : sample.frames)
      (frame.kind == Frame::Kind::plate ? site.plates : site.loops).push_back(frame.id);
    site.conditions = conditions;
    site.strategy = sample.strategy;
    site.span = sample.span;
    site.name_span = sample.target_span;
    site.call_span = sample.call_span;
    sites.push_back(std::move(site));
  }
};

/// Which latent sites the value of each symbol depends on, by the sites' position.
class Influences {
public:
  Influences(const Program& program, const std::vector<Site>& sites)
      : program_(program), result_(sites.size()) {
    for (std::size_t i = 0; i < sites.size(); ++i) {
      positions_[sites[i].sample] = i;
      if (!sites[i].observed)
        symbols_[sites[i].symbol].insert(i);
    }
  }

  std::vector<std::set<std::size_t>> find(const Block& block) {
    // Loops carry values backwards in the text: repeat until nothing is learned.
    do {
      changed_ = false;
      walk(block, {});
    } while (changed_);
    return result_;
  }

private:
  using Sites = std::set<std::size_t>;

  void merge(Sites& into, const Sites& from) {
    std::size_t before = into.size();
    into.insert(from.begin(), from.end());
    changed_ = changed_ || into.size() != before;
  }

  Sites of(const std::vector<program::ExprPtr>& expressions) const {
    Sites all;
    for (const program::ExprPtr& expr : expressions) {
      Sites own = of(expr);
      all.insert(own.begin(), own.end());
    }
    return all;
  }

  Sites of(const program::ExprPtr& expr) const {
    if (!expr || !expr->random)
      return {};
    struct Parts {
      std::vector<program::ExprPtr> operator()(const program::Constant&) { return {}; }
      std::vector<program::ExprPtr> operator()(const program::SizeValue&) { return {}; }
      std::vector<program::ExprPtr> operator()(const program::Name&) { return {}; }
      std::vector<program::ExprPtr> operator()(const program::Unary& node) { return {node.operand}; }
      std::vector<program::ExprPtr> operator()(const program::Binary& node) {
        return {node.left, node.right};
      }
      std::vector<program::ExprPtr> operator()(const program::ToReal& node) { return {node.operand}; }
      std::vector<program::ExprPtr> operator()(const program::Apply& node) { return node.arguments; }
      std::vector<program::ExprPtr> operator()(const program::BuiltinCall& node) { return node.arguments; }
      std::vector<program::ExprPtr> operator()(const program::FunctionCall& node) { return node.arguments; }
      std::vector<program::ExprPtr> operator()(const program::LayerCall& node) { return node.arguments; }
      std::vector<program::ExprPtr> operator()(const program::TupleExpr& node) { return node.elements; }
      std::vector<program::ExprPtr> operator()(const program::ArrayExpr& node) { return node.elements; }
      std::vector<program::ExprPtr> operator()(const program::Select& node) {
        return {node.condition, node.then_value, node.else_value};
      }
      std::vector<program::ExprPtr> operator()(const program::Index& node) {
        std::vector<program::ExprPtr> parts{node.base};
        for (const program::Subscript& subscript : node.subscripts)
          parts.push_back(subscript.element);
        return parts;
      }
    };
    if (auto* name = program::get_if<program::Name>(expr)) {
      auto found = symbols_.find(name->symbol);
      return found == symbols_.end() ? Sites{} : found->second;
    }
    return of(std::visit(Parts{}, expr->node));
  }

  void walk(const Block& block, const Sites& condition) {
    for (const program::Statement& statement : block.statements) {
      if (auto* assign = program::get_if<program::Assign>(statement)) {
        Sites sites = of(assign->value);
        sites.insert(condition.begin(), condition.end());
        for (program::SymbolId target : assign->targets)
          merge(symbols_[target], sites);
      } else if (auto* sample = program::get_if<program::Sample>(statement)) {
        Sites sites = of(program::reads_of(*sample));
        Sites value = of(sample->value);
        sites.insert(value.begin(), value.end());
        sites.insert(condition.begin(), condition.end());
        merge(result_[positions_.at(sample->id)], sites);
      } else if (auto* plate = program::get_if<program::PlateStatement>(statement)) {
        walk(plate->body, condition);
      } else if (auto* loop = program::get_if<program::ForStatement>(statement)) {
        walk(loop->body, condition);
      } else if (auto* branch = program::get_if<program::IfStatement>(statement)) {
        if (const auto known = program::constant_value(branch->condition)) {
          walk(*known != 0 ? branch->then_body : branch->else_body, condition);
          continue;
        }
        Sites inside = of(branch->condition);
        inside.insert(condition.begin(), condition.end());
        walk(branch->then_body, inside);
        walk(branch->else_body, inside);
      }
    }
  }

  const Program& program_;
  std::map<program::SampleId, std::size_t> positions_;
  std::map<program::SymbolId, Sites> symbols_;
  std::vector<Sites> result_;
  bool changed_ = false;
};

} // namespace

std::vector<Site> find_sites(const Program& program, const Block& block, program::BlockKind kind) {
  Collector collector{program, kind, {}};
  Path conditions;
  for_each_with_conditions(block, conditions, collector);
  return std::move(collector.sites);
}

void for_each_assignment(const Block& block,
                         const std::function<void(const program::Assign&, const Path&)>& visit) {
  struct Visitor {
    const std::function<void(const program::Assign&, const Path&)>& visit;
    void operator()(const program::Sample&, const Path&) const {}
    void operator()(const program::Assign& assign, const Path& conditions) const {
      visit(assign, conditions);
    }
  };
  Path conditions;
  for_each_with_conditions(block, conditions, Visitor{visit});
}

std::vector<std::vector<std::string>> find_influences(const Program& program, const Block& block,
                                                      const std::vector<Site>& sites) {
  std::vector<std::vector<std::string>> names(sites.size());
  auto found = Influences(program, sites).find(block);
  for (std::size_t i = 0; i < sites.size(); ++i)
    for (std::size_t other : found[i])
      names[i].push_back(sites[other].name);
  return names;
}

bool has_finite_support(const catalog::Distribution& distribution) {
  return distribution.support_size != nullptr;
}

std::string scale_text(const Program& program, const Site& site) {
  std::string text;
  for (program::PlateId id : site.plates) {
    const program::Plate& plate = program.plate(id);
    if (!plate.subsampled())
      continue;
    std::string drawn = plate.drawn ? std::to_string(*plate.drawn) : std::string("B");
    const std::string size = program::to_string(plate.size);
    if (plate.parent >= 0)
      drawn = fmt::format("min({}, {})", drawn, size);
    text += (text.empty() ? "" : " * ") + size + "/" + drawn;
  }
  return text.empty() ? "1" : text;
}

std::string plates_text(const Program& program, const Site& site) {
  std::string text;
  for (program::PlateId id : site.plates)
    text += (text.empty() ? "" : " > ") + program.plate(id).name;
  return text.empty() ? "-" : text;
}

std::string shape_text(const Program& program, const Site& site) {
  std::vector<program::Dim> dims;
  for (program::LoopId id : site.loops)
    dims.push_back(program.loop(id).extent);
  dims.insert(dims.end(), site.type.dims.begin(), site.type.dims.end());
  return dims.empty() ? "scalar" : program::to_string(dims);
}

} // namespace plait::plates
