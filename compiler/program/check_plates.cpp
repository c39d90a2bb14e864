#include "compiler/program/checker.hpp"
#include "compiler/program/describe.hpp"

#include <algorithm>
#include <cmath>

namespace plait::program {

std::optional<PlateId> Checker::find_plate(const ast::Plate& plate, const Dim& size, Span header) {
  // Two constants of the same value are still two index sets: the name of the size counts.
  auto* named = ast::get_if<ast::Name>(plate.size);
  std::string size_name = named ? named->name : to_string(size);
  for (const Plate& known : program_.plates) {
    bool same_alias = plate.alias ? known.alias == plate.alias->name : !known.alias.has_value();
    if (!same_alias)
      continue;
    if (known.size == size && (plate.alias || known.name == size_name))
      return known.id;
    if (plate.alias) {
      errors::alias_of_other_size(out_, plate.size->span, plate.alias->name, to_string(size), known);
      return std::nullopt;
    }
  }
  PlateId parent = -1;
  for (const SizeTerm& term : size.terms) {
    if (term.row == SizeTerm::Row::none)
      continue;
    if (term.row != SizeTerm::Row::plate) {
      errors::ragged_plate_needs_plate(out_, plate.size->span, to_string(size));
      return std::nullopt;
    }
    parent = term.plate;
  }
  Plate made;
  made.id = static_cast<PlateId>(program_.plates.size());
  if (plate.alias)
    made.alias = plate.alias->name;
  made.name = plate.alias ? plate.alias->name : size_name;
  made.size = size;
  made.parent = parent;
  made.index_name = plate.index.name;
  made.span = header;
  program_.plates.push_back(std::move(made));
  return program_.plates.back().id;
}

/// The first statement over a plate decides about its subsample; the others repeat it or say nothing.
bool Checker::check_subsample(const ast::Plate& plate, Plate& declared) {
  bool first = !declared.in_model && !declared.in_guide;
  if (!plate.subsample)
    return true;
  if (now_.block == BlockKind::predict) {
    errors::subsample_in_predict(out_, plate.subsample->span);
    return false;
  }
  ExprPtr drawn = check_scalar_integer(plate.subsample, "the size of a subsample");
  if (!drawn)
    return false;
  if (drawn->random || drawn->learnable || !drawn->varies.empty()) {
    errors::subsample_not_fixed(out_, plate.subsample->span);
    return false;
  }
  auto dim = dim_of(drawn);
  if (dim && dim->is_known() && dim->constant < 1) {
    errors::subsample_below_one(out_, plate.subsample->span, dim->constant);
    return false;
  }
  // Drawing every row of a plate of known size is no subsample.
  const bool draws_all =
      dim && dim->is_known() && declared.size.is_known() && dim->constant >= declared.size.constant;
  if (!first) {
    std::string now = draws_all ? "" : describe(program_, drawn);
    std::string before = declared.subsample ? describe(program_, declared.subsample) : "";
    if (now != before) {
      errors::subsample_disagrees(out_, plate.subsample->span, now, before, declared);
      return false;
    }
    return true;
  }
  if (draws_all)
    return true;
  declared.subsample = drawn;
  declared.subsample_span = plate.subsample->span;
  if (dim)
    declared.drawn = program_.size_value(*dim);
  return true;
}

void Checker::check_plate(const ast::Plate& plate, Span span, Block& into) {
  std::string word = plate.kind == ast::PlateKind::iarange ? "`iarange`" : "`irange`";
  if (refuse_in_function(word, span))
    return;
  bool ok = true;
  ExprPtr size_expr = refuse_open_length(plate.size) ? nullptr : check_expr(plate.size);
  std::optional<Dim> size;
  if (size_expr) {
    size = dim_of(size_expr);
    if (!size)
      errors::plate_size_not_size(out_, plate.size->span, to_string(size_expr->type));
    else if (size->is_known() && size->constant < 1) {
      errors::size_below_one(out_, plate.size->span, size->constant);
      size.reset();
    }
  }
  Span header = cover(plate.index.span, plate.size->span);
  PlateId id = size ? find_plate(plate, *size, header).value_or(-1) : -1;
  if (id >= 0 && is_open({Frame::Kind::plate, id})) {
    errors::plate_inside_itself(out_, header, program_.plate(id));
    id = -1;
  }
  if (id >= 0) {
    Plate& declared = program_.plates[static_cast<std::size_t>(id)];
    ok = check_subsample(plate, declared);
    declared.sequential |= plate.kind == ast::PlateKind::irange;
    declared.in_model |= now_.block == BlockKind::model;
    declared.in_guide |= now_.block == BlockKind::guide;
  }
  if (SymbolId other = find_local(plate.index.name); other >= 0) {
    errors::name_taken(out_, plate.index.span, plate.index.name, symbol(other).span);
    ok = false;
  } else {
    ok = check_new_name(plate.index.name, plate.index.span) && ok;
  }

  Region region;
  region.kind = Region::Kind::plate;
  region.id = id;
  region.depth = now_.scopes.size();
  region.span = header;
  now_.regions.push_back(region);
  now_.scopes.emplace_back();
  if (id >= 0)
    now_.frames.push_back({Frame::Kind::plate, id});
  Type type;
  type.element = Element::index;
  type.support.kind = catalog::SupportKind::category;
  type.index_size = size;
  SymbolId index = declare(plate.index.name, SymbolKind::plate_index, type, {}, plate.index.span);
  symbol(index).frame_id = id;
  if (id >= 0)
    symbol(index).varies = {id};
  bind(plate.index.name, index);
  if (id < 0)
    poisoned_.insert(index);

  PlateStatement typed;
  typed.plate = id;
  typed.index = index;
  typed.sequential = plate.kind == ast::PlateKind::irange;
  check_statements(plate.body, typed.body);

  if (id >= 0)
    now_.frames.pop_back();
  Names names = std::move(now_.scopes.back());
  now_.scopes.pop_back();
  now_.regions.pop_back();
  for (const auto& [name, inner] : names) {
    if (inner == index)
      now_.gone[name] = {symbol(inner).span, "is the index of a plate that is closed here"};
    else
      bind(name, inner);
  }
  if (ok && id >= 0)
    into.statements.push_back({std::move(typed), span});
}

} // namespace plait::program
