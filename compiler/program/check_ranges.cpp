#include "compiler/program/checker.hpp"
#include "compiler/program/describe.hpp"

#include <functional>
#include <optional>
#include <set>
#include <utility>

namespace plait::program {

namespace {

/// All places that an integer expression takes while the indices in it run, both ends included. Exact for a
/// sum of multiples of different indices: every combination of them occurs.
struct PlaceRange {
  Dim low, high;
  std::set<SymbolId> indices; ///< each read once
};

PlaceRange times(const PlaceRange& range, std::int64_t factor) {
  PlaceRange result{scale(range.low, factor), scale(range.high, factor), range.indices};
  if (factor < 0)
    std::swap(result.low, result.high);
  return result;
}

std::optional<PlaceRange> sum(const PlaceRange& left, PlaceRange right) {
  const std::size_t together = left.indices.size() + right.indices.size();
  right.indices.insert(left.indices.begin(), left.indices.end());
  if (right.indices.size() < together) // `t - t` is not all that its two ranges allow
    return std::nullopt;
  return PlaceRange{left.low + right.low, left.high + right.high, std::move(right.indices)};
}

/// The range of an expression of sizes and indices; empty when it is of another kind.
class RangeFinder {
public:
  using SizeOf = std::function<std::optional<Dim>(const ExprPtr&)>;

  RangeFinder(const Program& program, SizeOf size_of) : program_(program), size_of_(std::move(size_of)) {}

  std::optional<PlaceRange> find(const ExprPtr& expr) const {
    if (const auto size = size_of_(expr))
      return PlaceRange{*size, *size, {}};
    if (const auto* name = get_if<Name>(expr))
      return of_index(name->symbol);
    if (const auto* unary = get_if<Unary>(expr); unary && unary->op == ast::UnaryOp::negate) {
      const auto operand = find(unary->operand);
      return operand ? std::optional(times(*operand, -1)) : std::nullopt;
    }
    const auto* binary = get_if<Binary>(expr);
    if (!binary)
      return std::nullopt;
    const auto left = find(binary->left), right = find(binary->right);
    if (!left || !right)
      return std::nullopt;
    switch (binary->op) {
    case ast::BinaryOp::add:
      return sum(*left, *right);
    case ast::BinaryOp::subtract:
      return sum(*left, times(*right, -1));
    case ast::BinaryOp::multiply:
      return product(*left, *right);
    default:
      return std::nullopt;
    }
  }

private:
  std::optional<PlaceRange> of_index(SymbolId id) const {
    const Symbol& index = program_.symbol(id);
    if (!index.type.index_size)
      return std::nullopt;
    const Dim last = *index.type.index_size - Dim::known(1);
    if (index.kind == SymbolKind::plate_index)
      return PlaceRange{Dim::known(0), last, {id}};
    if (index.kind != SymbolKind::loop_index)
      return std::nullopt;
    const auto first = size_of_(program_.loop(index.frame_id).lower);
    if (!first)
      return std::nullopt;
    const auto steps = program_.size_value(last - *first);
    if (steps && *steps < 0) // the loop never runs
      return std::nullopt;
    return PlaceRange{*first, last, {id}};
  }

  static std::optional<PlaceRange> product(const PlaceRange& left, const PlaceRange& right) {
    if (right.indices.empty() && right.low.is_known())
      return times(left, right.low.constant);
    if (left.indices.empty() && left.low.is_known())
      return times(right, left.low.constant);
    return std::nullopt;
  }

  const Program& program_;
  SizeOf size_of_;
};

} // namespace

/// `x[t + 1]`, `x[2 * t]` and the like, of indices that run from a known start to a known end. Inside a
/// branch of `if` or `? :` the index may be chosen with care, so nothing is said there.
bool Checker::check_index_range(const Subscript& subscript, const Dim& dim) {
  if (guards_ > 0)
    return true;
  const auto range =
      RangeFinder(program_, [this](const ExprPtr& expr) { return dim_of(expr); }).find(subscript.element);
  if (!range)
    return true;
  const auto leaves = [&](const Dim& place, bool below) {
    errors::index_leaves_range(out_, subscript.span, describe(program_, subscript.element), shown_size(place),
                               shown_size(dim), below);
    return false;
  };
  for (const Dim& place : {range->low, range->high}) {
    if (const auto value = program_.size_value(place); value && *value < 0)
      return leaves(place, true);
    if (const auto beyond = program_.size_value(place - dim); beyond && *beyond >= 0)
      return leaves(place, false);
  }
  return true;
}

} // namespace plait::program
