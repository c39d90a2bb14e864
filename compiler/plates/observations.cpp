#include "compiler/plates/observations.hpp"

#include "compiler/program/describe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace plait::plates {

using program::Dim;
using program::ExprPtr;
using program::Program;
using program::SymbolKind;

namespace {

/// The elements of one dimension that a statement observes: from `lower` up to but without `upper`, which is
/// empty for the end of the dimension.
struct Range {
  std::int64_t lower = 0;
  std::optional<std::int64_t> upper;
  bool whole() const { return lower == 0 && !upper; }
};

std::optional<Range> range_of(const Program& program, const Dim& lower, const Dim& upper, const Dim& size) {
  const auto first = program.size_value(lower);
  if (!first)
    return std::nullopt;
  if (upper == size)
    return Range{*first, std::nullopt};
  const auto end = program.size_value(upper);
  return end ? std::optional(Range{*first, *end}) : std::nullopt;
}

/// What a subscript stands for over all indices of the plates and loops around; empty when that is not
/// certain, as for a gather. `used` holds the indices that stood in other dimensions: a diagonal is no
/// rectangle.
std::optional<Range> range_of(const Program& program, const ExprPtr& element, const Dim& size,
                              std::set<program::SymbolId>& used) {
  if (const auto number = program::constant_value(element)) {
    const auto index = static_cast<std::int64_t>(*number);
    return Range{index, index + 1};
  }
  const auto* name = program::get_if<program::Name>(element);
  if (!name || !used.insert(name->symbol).second)
    return std::nullopt;
  const program::Symbol& index = program.symbol(name->symbol);
  if (index.kind == SymbolKind::plate_index)
    return Range{};
  if (index.kind != SymbolKind::loop_index)
    return std::nullopt;
  const program::Loop& loop = program.loop(index.frame_id);
  const auto lower = program::constant_value(loop.lower);
  return lower ? range_of(program, Dim::known(static_cast<std::int64_t>(*lower)), loop.extent, size)
               : std::nullopt;
}

/// The rectangle of data that a sample observes, by dimension.
std::vector<std::optional<Range>> observed_part(const Program& program, const program::Sample& sample) {
  const std::vector<Dim>& dims = program.symbol(sample.symbol).type.dims;
  std::vector<std::optional<Range>> part(dims.size(), Range{});
  const auto* index = program::get_if<program::Index>(sample.value);
  if (!index)
    return part;
  std::set<program::SymbolId> used;
  for (std::size_t k = 0; k < index->subscripts.size() && k < dims.size(); ++k) {
    const program::Subscript& subscript = index->subscripts[k];
    if (subscript.kind == program::Subscript::Kind::slice)
      part[k] = range_of(program, subscript.lower, subscript.upper, dims[k]);
    else if (subscript.kind == program::Subscript::Kind::element)
      part[k] = range_of(program, subscript.element, dims[k], used);
  }
  return part;
}

using Conditions = std::vector<std::pair<std::string, bool>>;

Conditions conditions_of(const Program& program, const Site& site) {
  Conditions result;
  for (const Condition& condition : site.conditions)
    result.emplace_back(program::describe(program, condition.expr), condition.taken);
  return result;
}

/// Whether two statements certainly observe some element both.
bool overlap(const Program& program, const Site& first, const program::Sample& first_sample,
             const Site& second, const program::Sample& second_sample) {
  const auto left = observed_part(program, first_sample), right = observed_part(program, second_sample);
  // A statement under more conditions than the other takes part of its elements, those for which they hold.
  // Which ones is known only where both reach every element.
  Conditions fewer = conditions_of(program, first), more = conditions_of(program, second);
  if (fewer.size() > more.size())
    std::swap(fewer, more);
  if (!std::equal(fewer.begin(), fewer.end(), more.begin()))
    return false;
  const bool alike = fewer.size() == more.size();
  for (std::size_t k = 0; k < left.size(); ++k) {
    if (!left[k] || !right[k] || (!alike && !(left[k]->whole() && right[k]->whole())))
      return false;
    const std::int64_t lower = std::max(left[k]->lower, right[k]->lower);
    for (const Range& range : {*left[k], *right[k]})
      if (range.upper && *range.upper <= lower)
        return false;
  }
  return true;
}

/// Whether the element observed is the same in every iteration of `loop`. Values that are computed on the way
/// may depend on it.
bool is_same_in_every_iteration(const Program& program, const program::Sample& sample, program::LoopId loop) {
  const auto* index = program::get_if<program::Index>(sample.value);
  if (!index)
    return true;
  const auto is_fixed = [&](const program::Subscript& subscript) {
    if (subscript.kind != program::Subscript::Kind::element || program::constant_value(subscript.element))
      return true;
    const auto* name = program::get_if<program::Name>(subscript.element);
    if (!name)
      return false;
    const program::Symbol& symbol = program.symbol(name->symbol);
    return symbol.kind == SymbolKind::plate_index ||
           (symbol.kind == SymbolKind::loop_index && symbol.frame_id != loop);
  };
  return std::all_of(index->subscripts.begin(), index->subscripts.end(), is_fixed);
}

/// Whether a loop certainly runs more than once.
bool repeats(const Program& program, const program::Loop& loop) {
  const auto lower = program::constant_value(loop.lower), upper = program::constant_value(loop.upper);
  if (lower && upper)
    return *upper - *lower > 1;
  const auto size = program.size_value(loop.extent);
  return !size || !lower || static_cast<double>(*size) - *lower > 1;
}

} // namespace

void check_observations(const Program& program, const std::vector<Site>& model, Diagnostics& diagnostics) {
  std::map<program::SampleId, const program::Sample*> samples;
  program::for_each_statement(program.model, [&](const program::Statement& statement) {
    if (const auto* sample = program::get_if<program::Sample>(statement))
      samples[sample->id] = sample;
  });
  for (auto site = model.begin(); site != model.end(); ++site) {
    if (!site->observed)
      continue;
    const program::Sample& sample = *samples.at(site->sample);
    for (program::LoopId id : site->loops) {
      const program::Loop& loop = program.loop(id);
      // A condition may single out one iteration.
      if (!site->conditions.empty() || !repeats(program, loop) ||
          !is_same_in_every_iteration(program, sample, id))
        continue;
      const std::string& index = program.symbol(loop.index).name;
      diagnostics
          .error("observed-twice", site->name_span,
                 fmt::format("this observation is the same in every iteration of the `for` over `{}`, so it "
                             "would be counted in each",
                             index))
          .note(loop.span, "the loop is opened here")
          .with_hint(
              fmt::format("index `{}` with `{}`, or move the statement out of the loop", site->name, index));
    }
    const auto earlier = std::find_if(model.begin(), site, [&](const Site& other) {
      return other.observed && other.symbol == site->symbol &&
             overlap(program, other, *samples.at(other.sample), *site, sample);
    });
    if (earlier != site)
      diagnostics
          .error("observed-twice", site->name_span,
                 fmt::format("`{}` is observed twice: the joint density would count the same data again",
                             site->name))
          .note(earlier->name_span, "first observed here")
          .with_hint(
              fmt::format("observe each element once; what weighs it further is a `factor`, and a "
                          "second measurement is data of its own, which may be bound to the same file"));
  }
}

} // namespace plait::plates
