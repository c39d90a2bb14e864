#include "compiler/program/checker.hpp"

#include <algorithm>

/// `z[t] ~ normal(z[t - 1], s)`: an element is read before the checker has seen the statement that sets it.
/// The symbol is then declared ahead with a guessed type; when the statement shows another one, the whole
/// check runs again with it.
namespace plait::program {

namespace {

bool same_type(const Type& a, const Type& b) {
  return a.element == b.element && a.dims == b.dims && a.index_size == b.index_size &&
         a.support.kind == b.support.kind;
}

} // namespace

void Checker::collect_pending(const ast::Block& block, const std::string& index,
                              std::map<std::string, Pending>& pending) const {
  const auto add = [&](const ast::LValue& target, const ast::Sample* sample) {
    const bool uses =
        std::any_of(target.subscripts.begin(), target.subscripts.end(), [&](const auto& subscript) {
          const auto* name = ast::get_if<ast::Name>(subscript.element);
          return name && name->name == index;
        });
    if (uses && !file_spans_.count(target.name.name))
      pending.emplace(target.name.name, Pending{&target, sample, -1});
  };
  for (const ast::Statement& statement : block.statements) {
    if (const auto* assign = ast::get_if<ast::Assign>(statement)) {
      for (const ast::LValue& target : assign->targets)
        add(target, nullptr);
    } else if (const auto* sample = ast::get_if<ast::Sample>(statement)) {
      add(sample->target, sample);
    } else if (const auto* plate = ast::get_if<ast::Plate>(statement)) {
      collect_pending(plate->body, index, pending);
    } else if (const auto* loop = ast::get_if<ast::For>(statement)) {
      collect_pending(loop->body, index, pending);
    } else if (const auto* branch = ast::get_if<ast::If>(statement)) {
      collect_pending(branch->then_body, index, pending);
      if (branch->else_body)
        collect_pending(*branch->else_body, index, pending);
    }
  }
}

Type Checker::guess_type(const Pending& pending) {
  Type type;
  if (!pending.sample) {
    type.element = Element::bit; // the least: whatever it is combined with widens it
    type.support.kind = catalog::SupportKind::bit;
    return type;
  }
  const ast::Call* call = &pending.sample->call();
  std::vector<ast::ExprPtr> sizes = pending.sample->copies;
  while (catalog::find_transform(call->callee.name) && !call->arguments.empty()) {
    const auto* index = ast::get_if<ast::Index>(call->arguments[0]);
    const auto* inner = ast::get_if<ast::Call>(index ? index->base : call->arguments[0]);
    if (!inner)
      break;
    call = inner;
    sizes.clear();
    if (index)
      for (const ast::Subscript& subscript : index->subscripts)
        sizes.push_back(subscript.element);
  }
  if (const catalog::Distribution* row = catalog::find_distribution(call->callee.name)) {
    type.support = row->support;
    if (row->support.get().kind == catalog::SupportKind::bit)
      type.element = Element::bit;
    else if (row->support.get().kind == catalog::SupportKind::category)
      type.element = Element::index;
    else if (catalog::is_discrete(row->support.get().kind))
      type.element = Element::integer;
  }
  for (const ast::ExprPtr& copies : sizes)
    if (const auto dim = copies ? check_dim(copies) : std::nullopt)
      type.dims.push_back(*dim);
  return type;
}

SymbolId Checker::declare_ahead(const std::string& name) {
  for (std::size_t k = now_.regions.size(); k-- > 0;) {
    const auto found = now_.regions[k].pending.find(name);
    if (found == now_.regions[k].pending.end())
      continue;
    if (found->second.id >= 0)
      return found->second.id;
    const Pending pending = found->second;
    for (const ast::Subscript& subscript : pending.target->subscripts) {
      const auto* index = ast::get_if<ast::Name>(subscript.element);
      if (!index || find_local(index->name) < 0)
        return -1;
    }
    std::vector<Frame> frames;
    if (!target_loops(*pending.target, frames))
      return -1;
    const Span span = pending.target->name.span;
    const Widening& learned = widenings_[{now_.key, span.begin}];
    guesses_ = guesses_ || !learned.type;
    const Type type = learned.type ? *learned.type : guess_type(pending);
    const SymbolId id =
        declare(name, pending.sample ? SymbolKind::site : SymbolKind::local, type, frames, span);
    Symbol& made = symbol(id);
    made.random = pending.sample || learned.random;
    made.learnable = pending.sample || learned.learnable;
    made.varies = pending.sample ? open_plates() : learned.varies;
    key_[id] = now_.key;
    depth_[id] = now_.scopes.size() - 1;
    ahead_[span.begin] = {id, type};
    now_.regions[k].pending.at(name).id = id;
    return id;
  }
  return -1;
}

void Checker::settle_type(SymbolId id) {
  const Symbol& settled = symbol(id);
  const auto found = ahead_.find(settled.span.begin);
  if (found == ahead_.end() || found->second.first != id || poisoned(id))
    return;
  Widening& learned = widenings_[{now_.key, settled.span.begin}];
  if (learned.type && same_type(settled.type, found->second.second))
    return;
  // A shape that grows from element to element never settles.
  if (++learned.rounds > 6) {
    errors::element_changes_type(out_, settled.span, settled.name, to_string(found->second.second),
                                 to_string(settled.type));
    return;
  }
  learned.type = settled.type;
  grew_ = true;
}

} // namespace plait::program
