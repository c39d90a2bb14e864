#include "compiler/elbo/loop_plan.hpp"

#include <algorithm>
#include <variant>

namespace plait::elbo {

using program::ExprPtr;
using program::Frame;
using program::SymbolId;

std::vector<ExprPtr> parts_of(const program::Expr& expr) {
  return std::visit(
      [](const auto& node) -> std::vector<ExprPtr> {
        using Node = std::decay_t<decltype(node)>;
        if constexpr (std::is_same_v<Node, program::Unary> || std::is_same_v<Node, program::ToReal>) {
          return {node.operand};
        } else if constexpr (std::is_same_v<Node, program::Binary>) {
          return {node.left, node.right};
        } else if constexpr (std::is_same_v<Node, program::Apply> ||
                             std::is_same_v<Node, program::BuiltinCall> ||
                             std::is_same_v<Node, program::FunctionCall> ||
                             std::is_same_v<Node, program::LayerCall>) {
          return node.arguments;
        } else if constexpr (std::is_same_v<Node, program::TupleExpr> ||
                             std::is_same_v<Node, program::ArrayExpr>) {
          return node.elements;
        } else if constexpr (std::is_same_v<Node, program::Select>) {
          return {node.condition, node.then_value, node.else_value};
        } else if constexpr (std::is_same_v<Node, program::Index>) {
          std::vector<ExprPtr> parts{node.base};
          for (const program::Subscript& subscript : node.subscripts)
            if (subscript.element)
              parts.push_back(subscript.element);
          return parts;
        } else {
          return {};
        }
      },
      expr.node);
}

std::optional<std::int64_t> lag_of(const program::Loop& loop, const ExprPtr& subscript) {
  const auto* name = program::get_if<program::Name>(subscript);
  if (name && name->symbol == loop.index)
    return 0;
  const auto* binary = program::get_if<program::Binary>(subscript);
  if (!binary || binary->op != (loop.reverse ? ast::BinaryOp::add : ast::BinaryOp::subtract))
    return std::nullopt;
  const auto* index = program::get_if<program::Name>(binary->left);
  const auto offset = program::constant_value(binary->right);
  if (!index || index->symbol != loop.index || !offset || *offset < 0)
    return std::nullopt;
  return static_cast<std::int64_t>(*offset);
}

std::optional<std::size_t> spread_position(const program::Name& name, program::LoopId loop) {
  const auto found = std::find(name.spread.begin(), name.spread.end(), Frame{Frame::Kind::loop, loop});
  if (found == name.spread.end())
    return std::nullopt;
  return static_cast<std::size_t>(found - name.spread.begin());
}

namespace {

/** Finite variables, each with how many steps before this iteration; 0 for its value in this one. */
using Sites = std::set<LoopPlan::Past>;

/** Follows which sites each symbol depends on, statement by statement. */
class Planner {
public:
  Planner(const program::Program& program, const program::ForStatement& statement,
          std::function<bool(const program::Sample&)> sums_out)
      : program_(program), statement_(statement), loop_(program.loop(statement.loop)),
        sums_out_(std::move(sums_out)) {}

  LoopPlan plan() {
    // What a carried local enters the body with is known from a walk of the body.
    std::map<SymbolId, Sites> before;
    do {
      before = plan_.feeds;
      sources_.clear();
      replaced_.clear();
      walk(statement_.body, true);
      for (SymbolId carried : statement_.carried)
        for (const auto& [site, lag] : sources_[carried]) {
          if (lag < LoopPlan::longest_memory)
            plan_.feeds[carried].insert({site, lag + 1});
          else
            plan_.gathers = carried;
        }
    } while (plan_.feeds != before || grew_by_site());
    for (const program::Sample* site : plan_.enumerated)
      if (plan_.depth_of(site->symbol) > 0)
        plan_.chain.push_back(site);
    return std::move(plan_);
  }

private:
  /** A lag may be read before the statement that shows that its site is summed out. */
  bool grew_by_site() {
    const bool grew = plan_.enumerated.size() > known_sites_;
    known_sites_ = plan_.enumerated.size();
    return grew;
  }

  bool is_summed(SymbolId symbol) const {
    return std::any_of(plan_.enumerated.begin(), plan_.enumerated.end(),
                       [&](const program::Sample* sample) { return sample->symbol == symbol; });
  }

  void read(const ExprPtr& expr, Sites& sources) {
    if (!expr)
      return;
    if (const auto* index = program::get_if<program::Index>(expr))
      if (const auto* name = program::get_if<program::Name>(index->base))
        if (const auto position = spread_position(*name, loop_.id);
            position && *position < index->subscripts.size())
          if (const auto lag = lag_of(loop_, index->subscripts[*position].element)) {
            std::int64_t& farthest = plan_.lags[name->symbol];
            farthest = std::max(farthest, *lag);
            if (*lag > 0 && is_summed(name->symbol))
              sources.insert({name->symbol, *lag});
          }
    if (const auto* name = program::get_if<program::Name>(expr)) {
      plan_.reads.insert(name->symbol);
      if (!spread_position(*name, loop_.id)) {
        if (const auto found = sources_.find(name->symbol); found != sources_.end())
          sources.insert(found->second.begin(), found->second.end());
        if (const auto entered = plan_.feeds.find(name->symbol);
            entered != plan_.feeds.end() && !replaced_.contains(name->symbol))
          sources.insert(entered->second.begin(), entered->second.end());
      }
    }
    for (const ExprPtr& part : parts_of(*expr))
      read(part, sources);
  }

  void set(SymbolId symbol, const Sites& sources, bool replaces) {
    if (replaces) {
      sources_[symbol] = sources;
      replaced_.insert(symbol);
    } else {
      sources_[symbol].insert(sources.begin(), sources.end());
    }
  }

  void walk_sample(const program::Sample& sample, bool replaces) {
    Sites ignored;
    for (const ExprPtr& argument : program::reads_of(sample))
      read(argument, ignored);
    if (sample.observed) {
      read(sample.value, ignored);
      return;
    }
    read(sample.strategy.baseline, ignored);
    const bool enumerates = sums_out_(sample);
    plan_.draws = plan_.draws || !enumerates;
    Frame innermost;
    for (const Frame& frame : sample.frames)
      if (frame.kind == Frame::Kind::loop)
        innermost = frame;
    if (!enumerates || innermost.id != loop_.id)
      return;
    if (!is_summed(sample.symbol))
      plan_.enumerated.push_back(&sample);
    set(sample.symbol, {{sample.symbol, 0}}, replaces);
  }

  /** `replaces`: the statement runs exactly once in an iteration, so that an assignment forgets what was
   * before. */
  void walk(const program::Block& block, bool replaces) {
    for (const program::Statement& statement : block.statements) {
      Sites sources;
      if (const auto* assign = program::get_if<program::Assign>(statement)) {
        read(assign->value, sources);
        for (SymbolId target : assign->targets)
          set(target, sources, replaces);
      } else if (const auto* sample = program::get_if<program::Sample>(statement)) {
        walk_sample(*sample, replaces);
      } else if (const auto* plate = program::get_if<program::PlateStatement>(statement)) {
        walk(plate->body, replaces);
      } else if (const auto* inner = program::get_if<program::ForStatement>(statement)) {
        read(program_.loop(inner->loop).lower, sources);
        read(program_.loop(inner->loop).upper, sources);
        for (int round = 0; round < 2; ++round) // what an iteration leaves may reach the next
          walk(inner->body, false);
      } else if (const auto* branch = program::get_if<program::IfStatement>(statement)) {
        read(branch->condition, sources);
        walk(branch->then_body, false);
        walk(branch->else_body, false);
        for (SymbolId merged : branch->merged)
          set(merged, sources, false);
      } else if (const auto* factor = program::get_if<program::FactorStatement>(statement)) {
        read(factor->value, sources);
      } else if (const auto* result = program::get_if<program::ReturnStatement>(statement)) {
        read(result->value, sources);
      }
    }
  }

  const program::Program& program_;
  const program::ForStatement& statement_;
  const program::Loop& loop_;
  std::function<bool(const program::Sample&)> sums_out_;
  LoopPlan plan_;
  std::map<SymbolId, Sites> sources_; ///< of what the iteration has set so far
  std::set<SymbolId> replaced_;       ///< of these nothing is left of the value that they entered with
  std::size_t known_sites_ = 0;
};

} // namespace

std::int64_t LoopPlan::depth_of(SymbolId site) const {
  const auto lag = lags.find(site);
  std::int64_t depth = lag == lags.end() ? 0 : lag->second;
  for (const auto& [carried, sites] : feeds)
    for (const auto& [fed, steps] : sites)
      if (fed == site)
        depth = std::max(depth, steps);
  return depth;
}

LoopPlan plan_loop(const program::Program& program, const program::ForStatement& statement,
                   std::function<bool(const program::Sample&)> sums_out) {
  return Planner(program, statement, std::move(sums_out)).plan();
}

} // namespace plait::elbo
