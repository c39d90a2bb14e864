#include "compiler/program/checker.hpp"

#include <algorithm>
#include <iterator>

namespace plait::program {

PlateSet unite(const PlateSet& a, const PlateSet& b) {
  PlateSet result;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(result));
  return result;
}

bool is_inside(const PlateSet& inner, const PlateSet& outer) {
  return std::includes(outer.begin(), outer.end(), inner.begin(), inner.end());
}

std::vector<Frame> Checker::plate_frames() const {
  std::vector<Frame> plates;
  std::copy_if(now_.frames.begin(), now_.frames.end(), std::back_inserter(plates),
               [](const Frame& frame) { return frame.kind == Frame::Kind::plate; });
  return plates;
}

PlateSet Checker::open_plates() const {
  PlateSet plates;
  for (const Frame& frame : plate_frames())
    plates.push_back(frame.id);
  std::sort(plates.begin(), plates.end());
  return plates;
}

SymbolId Checker::declare(std::string name, SymbolKind kind, Type type, std::vector<Frame> frames,
                          Span span) {
  if (const auto ahead = ahead_.find(span.begin);
      ahead != ahead_.end() && symbol(ahead->second.first).name == name &&
      symbol(ahead->second.first).block == now_.block && symbol(ahead->second.first).frames == frames) {
    symbol(ahead->second.first).type = std::move(type);
    return ahead->second.first;
  }
  for (const Region& region : now_.regions)
    if (const auto pending = region.pending.find(name); pending != region.pending.end() &&
                                                        pending->second.id >= 0 &&
                                                        pending->second.target->name.span == span)
      errors::element_read_elsewhere(out_, span, name);
  Symbol made;
  made.id = static_cast<SymbolId>(program_.symbols.size());
  made.name = std::move(name);
  made.kind = kind;
  made.block = now_.block;
  made.span = span;
  made.type = std::move(type);
  made.frames = std::move(frames);
  program_.symbols.push_back(std::move(made));
  return program_.symbols.back().id;
}

void Checker::bind(const std::string& name, SymbolId id) {
  now_.scopes.back()[name] = id;
  now_.gone.erase(name);
  depth_[id] = now_.scopes.size() - 1;
  key_[id] = now_.key;
}

// Inside a block a name means one thing; functions, which see nothing but constants, may reuse any other
// name.
bool Checker::check_new_name(const std::string& name, Span span) {
  auto file_level = file_spans_.find(name);
  bool hides = file_level != file_spans_.end() &&
               (now_.block != BlockKind::function || constants_.count(name) || now_.dims.count(name));
  if (hides) {
    errors::name_taken(out_, span, name, file_level->second);
    return false;
  }
  if (auto size = program_.sizes.find(name);
      size != program_.sizes.end() && now_.block != BlockKind::function) {
    errors::name_is_size(out_, span, name, size->second.span);
    return false;
  }
  return true;
}

SymbolId Checker::declare_local(const std::string& name, const ExprPtr& value, std::vector<Frame> frames,
                                Span span) {
  Type type;
  if (value) {
    type.element = value->type.element;
    type.dims = value->type.dims;
    type.index_size = value->type.index_size;
    if (type.element == Element::bit)
      type.support.kind = catalog::SupportKind::bit;
    if (type.element == Element::index)
      type.support.kind = catalog::SupportKind::category;
  }
  SymbolId id = declare(name, SymbolKind::local, std::move(type), std::move(frames), span);
  bind(name, id);
  if (!value) {
    poisoned_.insert(id);
    return id;
  }
  if (const auto ahead = ahead_.find(span.begin); ahead != ahead_.end() && ahead->second.first == id)
    widen(id, value->random, value->learnable, value->varies, false, false);
  Symbol& made = symbol(id);
  made.varies = value->varies;
  made.random = value->random;
  made.learnable = value->learnable;
  apply_widening(id);
  settle_type(id);
  return id;
}

/// What an earlier round of the check has learned about a symbol.
void Checker::apply_widening(SymbolId id) {
  Symbol& made = symbol(id);
  const auto learned = widenings_.find({now_.key, made.span.begin});
  if (learned == widenings_.end())
    return;
  const Widening& widening = learned->second;
  made.varies = unite(made.varies, widening.varies);
  made.random |= widening.random;
  made.learnable |= widening.learnable;
  if (widening.real || widening.integer) {
    made.type.element = widening.real ? Element::real : Element::integer;
    made.type.index_size.reset();
    made.type.support = {};
  }
}

void Checker::widen(SymbolId id, const Expr& value) {
  const Type& type = symbol(id).type;
  bool real = type.element != Element::real && value.type.element == Element::real;
  bool same_index = type.element != Element::index || !type.index_size || !value.type.index_size ||
                    *type.index_size == *value.type.index_size;
  bool integer = !real && type.element != Element::real && type.element != Element::integer &&
                 (type.element != value.type.element || !same_index);
  widen(id, value.random, value.learnable, value.varies, real, integer);
}

void Checker::widen(SymbolId id, bool random, bool learnable, const PlateSet& varies, bool real,
                    bool integer) {
  if (poisoned(id))
    return;
  Symbol& changed = symbol(id);
  bool grows = (random && !changed.random) || (learnable && !changed.learnable) ||
               !is_inside(varies, changed.varies) || real || integer;
  if (!grows)
    return;
  Widening& widening = widenings_[{key_[id], changed.span.begin}];
  widening.random |= random;
  widening.learnable |= learnable;
  widening.varies = unite(widening.varies, varies);
  widening.real |= real;
  widening.integer |= integer;
  changed.random |= random;
  changed.learnable |= learnable;
  changed.varies = unite(changed.varies, varies);
  if (real || integer)
    changed.type.element = real ? Element::real : Element::integer;
  grew_ = true;
}

void Checker::note_assigned(SymbolId id, std::size_t depth) {
  for (Region& region : now_.regions)
    if (depth < region.depth &&
        std::find(region.assigned.begin(), region.assigned.end(), id) == region.assigned.end())
      region.assigned.push_back(id);
}

} // namespace plait::program
