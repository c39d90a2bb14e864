// Drawing data anew: what the predict walk does with observed sites.
#include "compiler/elbo/executor.hpp"

#include "compiler/catalog/array_math.hpp"
#include "compiler/catalog/ops.hpp"

#include <algorithm>

namespace plait::elbo {

using ir::Value;
using program::ExprPtr;
using program::Subscript;

namespace {

/** Name and subscripts of `x` or `x[i, j]`. */
std::pair<const program::Name*, std::vector<Subscript>> parts_of_target(const ExprPtr& target) {
  if (const auto* name = program::get_if<program::Name>(target))
    return {name, {}};
  if (const auto* index = program::get_if<program::Index>(target))
    return {program::get_if<program::Name>(index->base), index->subscripts};
  return {nullptr, {}};
}

/** Whether two subscripts are the same wherever they stand: the same index, or the same number. */
bool same(const Subscript& a, const Subscript& b) {
  if (a.kind != b.kind || a.kind == Subscript::Kind::slice)
    return false;
  if (a.kind == Subscript::Kind::all)
    return true;
  const auto* left = program::get_if<program::Name>(a.element);
  const auto* right = program::get_if<program::Name>(b.element);
  if (left && right)
    return left->symbol == right->symbol && left->spread.empty() && right->spread.empty();
  const auto number = program::constant_value(a.element);
  return number && number == program::constant_value(b.element);
}

} // namespace

void Executor::keep_drawn(const program::Sample& sample, Value value) {
  const program::Symbol& symbol = program_->symbol(sample.symbol);
  value = of_symbol(value, symbol);
  if (const auto condition = open_condition()) {
    // Where the branch is not taken the data stay as given, or as another branch has drawn them.
    const Value otherwise =
        drawing.absent.contains(symbol.id) ? builder_->zeros(value.type()) : evaluate(sample.value);
    value = ir::select(*condition, value, of_symbol(otherwise, symbol));
  }
  std::vector<DrawnData>& entries = drawn_[symbol.id];
  const auto [name, subscripts] = parts_of_target(sample.value);
  std::erase_if(entries, [&](const DrawnData& entry) {
    const std::vector<Subscript> other = parts_of_target(entry.target).second;
    return std::equal(other.begin(), other.end(), subscripts.begin(), subscripts.end(), same);
  });
  if (name)
    entries.push_back({sample.value, value, loops_.size()});
}

void Executor::note_existence(program::SymbolId latent) {
  if (role_ == Role::model && drawing.partial.contains(latent))
    produce(program_->symbol(latent).name, builder_->broadcast(builder_->real(1), open_axes(), {}));
}

void Executor::take_given_values() {
  program::for_each_statement(program_->model, [&](const program::Statement& statement) {
    const auto* assign = program::get_if<program::Assign>(statement);
    if (!assign)
      return;
    for (program::SymbolId id : assign->targets) {
      const auto latent = latents.find(program_->symbol(id).name);
      const Value value = bound_[static_cast<std::size_t>(id)];
      if (program_->symbol(id).kind != program::SymbolKind::site || latent == latents.end() || !value)
        continue;
      const ir::Type drawn = latent->second.value.type();
      latent->second.value =
          builder_->broadcast(value, ir::unite(value.type().axes, drawn.axes), drawn.shape);
    }
  });
}

Value Executor::drawn_data(const program::Name& name, std::vector<Subscript>& subscripts) const {
  const auto found = drawn_.find(name.symbol);
  if (found == drawn_.end() || role_ != Role::predict)
    return {};
  for (const DrawnData& entry : found->second) {
    const std::vector<Subscript> target = parts_of_target(entry.target).second;
    if (target.size() > subscripts.size() ||
        !std::equal(target.begin(), target.end(), subscripts.begin(), same))
      continue;
    subscripts.erase(subscripts.begin(), subscripts.begin() + static_cast<std::ptrdiff_t>(target.size()));
    return entry.value;
  }
  return {};
}

} // namespace plait::elbo
