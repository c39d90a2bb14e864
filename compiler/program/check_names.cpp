#include "compiler/program/checker.hpp"
#include "compiler/program/describe.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace plait::program {

SymbolId Checker::find_local(const std::string& name, std::size_t* depth) const {
  for (std::size_t i = now_.scopes.size(); i-- > 0;)
    if (auto found = now_.scopes[i].find(name); found != now_.scopes[i].end()) {
      if (depth)
        *depth = i;
      return found->second;
    }
  return -1;
}

bool Checker::is_open(const Frame& frame) const {
  return std::find(now_.frames.begin(), now_.frames.end(), frame) != now_.frames.end();
}

std::vector<Frame> Checker::closed_frames(const Symbol& symbol) const {
  std::vector<Frame> closed;
  for (const Frame& frame : symbol.frames)
    if (!is_open(frame))
      closed.push_back(frame);
  return closed;
}

std::vector<std::string> Checker::visible_names() const {
  std::vector<std::string> names;
  for (const Names& scope : now_.scopes)
    for (const auto& [name, id] : scope)
      names.push_back(name);
  for (const auto& [name, state] : constants_)
    names.push_back(name);
  for (const auto& [name, dim] : now_.dims)
    names.push_back(name);
  for (const auto& [name, size] : program_.sizes)
    names.push_back(name);
  if (now_.block != BlockKind::function)
    for (const auto& [name, id] : file_names_)
      names.push_back(name);
  return names;
}

std::optional<std::string> similar(const std::string& name, const std::vector<std::string>& candidates) {
  // Every other letter is one slip away from a name of one letter.
  return name.size() < 2 ? std::nullopt : nearest(name, candidates);
}

void Checker::report_unknown_name(const std::string& name, Span span) {
  if (bad_sizes_.count(name))
    return; // reported where the declaration uses it
  if (auto gone = now_.gone.find(name); gone != now_.gone.end()) {
    errors::name_out_of_scope(out_, span, name, gone->second.first, gone->second.second);
    return;
  }
  if (now_.block == BlockKind::function && !now_.function && file_spans_.count(name)) {
    errors::constant_sees_only_constants(out_, span, name, file_spans_.at(name));
    return;
  }
  if (now_.block == BlockKind::function && file_spans_.count(name)) {
    errors::function_sees_only_parameters(out_, span, name, file_spans_.at(name));
    return;
  }
  if (now_.block == BlockKind::guide)
    if (auto model = model_gone_.find(name); model != model_gone_.end()) {
      errors::guide_sees_no_model_locals(out_, span, name, model->second);
      return;
    }
  if (functions_.count(name)) {
    errors::function_as_value(out_, span, name, function_spans_.at(name));
    return;
  }
  errors::unknown_name(out_, span, name, similar(name, visible_names()));
}

ExprPtr Checker::check_name(const std::string& name, Span span) {
  SymbolId id = find_local(name);
  if (id < 0) {
    if (auto dim = now_.dims.find(name); dim != now_.dims.end())
      return size_value(dim->second, span);
    if (constants_.count(name)) {
      resolve_constant(name);
      SymbolId constant = constants_.at(name).symbol;
      if (constant < 0 || poisoned(constant))
        return nullptr;
      auto copy = std::make_shared<Expr>(*symbol(constant).value);
      copy->span = span;
      return copy;
    }
    if (auto found = file_names_.find(name); found != file_names_.end() && now_.block != BlockKind::function)
      id = found->second;
    else if (auto size = program_.sizes.find(name); size != program_.sizes.end() && size->second.lengths < 0)
      return size_value(Dim::named(name), span);
  }
  if (id < 0) {
    report_unknown_name(name, span);
    return nullptr;
  }
  if (poisoned(id))
    return nullptr;
  const Symbol& found = symbol(id);
  for (const Frame& frame : found.frames)
    if (frame.kind == Frame::Kind::loop && is_open(frame)) {
      const Symbol& index = symbol(program_.loop(frame.id).index);
      errors::loop_array_needs_index(out_, span, name, index.name, found.span);
      return nullptr;
    }
  return read_symbol(found, closed_frames(found), span);
}

ExprPtr Checker::read_symbol(const Symbol& read, const std::vector<Frame>& spread, Span span) {
  Type type = read.type;
  std::vector<Dim> leading;
  PlateSet gone;
  for (const Frame& frame : spread) {
    if (frame.kind == Frame::Kind::loop) {
      leading.push_back(program_.loop(frame.id).extent);
      continue;
    }
    const Plate& plate = program_.plate(frame.id);
    if (plate.subsampled() && now_.block != BlockKind::predict) {
      errors::leaves_subsampled_plate(out_, span, read.name, read.span, plate);
      return nullptr;
    }
    leading.push_back(plate.size);
    gone.push_back(frame.id);
  }
  type.dims.insert(type.dims.begin(), leading.begin(), leading.end());
  for (PlateId plate : gone)
    for (Dim& dim : type.dims)
      leave_row(dim, plate);
  std::sort(gone.begin(), gone.end());

  auto made = std::make_shared<Expr>();
  made->node = Name{read.id, spread};
  made->type = std::move(type);
  made->span = span;
  std::set_difference(read.varies.begin(), read.varies.end(), gone.begin(), gone.end(),
                      std::back_inserter(made->varies));
  made->random = read.random;
  made->learnable = read.learnable;
  return made;
}

std::optional<Subscript> Checker::check_subscript(const ast::Subscript& written) {
  Subscript subscript;
  subscript.span = written.span;
  switch (written.kind) {
  case ast::Subscript::Kind::all:
    subscript.kind = Subscript::Kind::all;
    return subscript;
  case ast::Subscript::Kind::element:
    subscript.element = check_expr(written.element);
    if (!subscript.element)
      return std::nullopt;
    if (subscript.element->type.is_tuple() || subscript.element->type.element == Element::real) {
      errors::index_not_integer(out_, written.span, to_string(subscript.element->type));
      return std::nullopt;
    }
    return subscript;
  case ast::Subscript::Kind::slice:
    break;
  }
  subscript.kind = Subscript::Kind::slice;
  auto end_of = [&](const ast::ExprPtr& expr, Dim& dim) {
    if (!expr)
      return true;
    ExprPtr value = check_expr(expr);
    if (!value)
      return false;
    auto size = dim_of(value);
    if (!size) {
      errors::slice_end_not_size(out_, expr->span);
      return false;
    }
    dim = *size;
    return true;
  };
  // An open upper end is marked with -1 until the dimension is known.
  subscript.upper = Dim::known(-1);
  if (!end_of(written.lower, subscript.lower) || !end_of(written.upper, subscript.upper))
    return std::nullopt;
  if (written.upper && subscript.upper.is_known() && subscript.upper.constant < 0) {
    errors::slice_end_not_size(out_, written.upper->span);
    return std::nullopt;
  }
  return subscript;
}

/** Whether an index made of numbers and sizes is certainly outside: sizes that the data bring count when they
 * are known. */
bool Checker::leaves_dimension(const ExprPtr& index, const Dim& dim) const {
  const auto place = dim_of(index);
  if (!place)
    return constant_value(index).has_value(); // too large for a size
  const auto number = program_.size_value(*place), beyond = program_.size_value(*place - dim);
  return (number && *number < 0) || (beyond && *beyond >= 0);
}

/** A size and, when it is one of the data, its value. */
std::string Checker::shown_size(const Dim& dim) const {
  const auto value = program_.size_value(dim);
  return value && !dim.is_known() ? fmt::format("{} = {}", to_string(dim), *value) : to_string(dim);
}

bool Checker::check_element_bounds(const Subscript& subscript, const Dim& dim, std::size_t position,
                                   const ExprPtr& base) {
  const ExprPtr& element = subscript.element;
  std::vector<ExprPtr> fixed{element};
  if (auto* array = get_if<ArrayExpr>(element))
    fixed = array->elements;
  for (const ExprPtr& place : fixed)
    if (leaves_dimension(place, dim)) {
      errors::index_out_of_range(out_, subscript.span, describe(program_, place), shown_size(dim));
      return false;
    }
  if (dim_of(element))
    return true;
  if (element->type.element != Element::index || !element->type.index_size)
    return check_index_range(subscript, dim);
  Dim room = dim - *element->type.index_size;
  if (room.is_known() && room.constant >= 0)
    return true;
  auto* name = get_if<Name>(base);
  std::optional<Span> declared;
  if (name && !symbol(name->symbol).span.empty())
    declared = symbol(name->symbol).span;
  errors::index_size_disagrees(out_, subscript.span, describe(program_, element),
                               to_string(*element->type.index_size), describe(program_, base), position,
                               to_string(dim), declared);
  return false;
}

ExprPtr Checker::apply_subscripts(const ExprPtr& base, std::vector<Subscript> subscripts, Span span) {
  if (subscripts.empty())
    return base;
  if (base->type.is_tuple()) {
    errors::tuple_as_value(out_, base->span);
    return nullptr;
  }
  std::vector<Dim> dims = base->type.dims;
  if (subscripts.size() > dims.size()) {
    errors::too_many_subscripts(out_, span, describe(program_, base), subscripts.size(),
                                to_string(base->type));
    return nullptr;
  }
  Type type = base->type;
  std::vector<ExprPtr> parts{base};
  type.dims.clear();
  for (std::size_t i = 0; i < subscripts.size(); ++i) {
    Subscript& subscript = subscripts[i];
    if (subscript.kind == Subscript::Kind::element) {
      if (!check_element_bounds(subscript, dims[i], i, base))
        return nullptr;
      parts.push_back(subscript.element);
      const auto& gathered = subscript.element->type.dims;
      type.dims.insert(type.dims.end(), gathered.begin(), gathered.end());
      // The row of a ragged dimension is chosen by the subscript of the dimension before it.
      if (gathered.empty() && i + 1 < dims.size())
        choose_row(dims[i + 1], subscript.element, program_);
      continue;
    }
    if (subscript.kind == Subscript::Kind::slice) {
      if (subscript.upper == Dim::known(-1))
        subscript.upper = dims[i];
      Dim length = subscript.upper - subscript.lower;
      const auto elements = program_.size_value(length),
                 left = program_.size_value(dims[i] - subscript.upper),
                 first = program_.size_value(subscript.lower);
      if ((elements && *elements < 1) || (left && *left < 0) || (first && *first < 0)) {
        errors::slice_out_of_range(out_, subscript.span, to_string(subscript.lower),
                                   to_string(subscript.upper), shown_size(dims[i]));
        return nullptr;
      }
      type.dims.push_back(length);
      continue;
    }
    type.dims.push_back(dims[i]);
  }
  type.dims.insert(type.dims.end(), dims.begin() + static_cast<std::ptrdiff_t>(subscripts.size()),
                   dims.end());
  // A part of a simplex, an ordered vector or a matrix is just numbers.
  auto rank = static_cast<std::size_t>(catalog::event_rank(type.support.kind));
  if (rank > 0 && subscripts.size() + rank > dims.size())
    type.support = {};
  type.lower = type.upper = nullptr;
  return make(Index{base, std::move(subscripts)}, std::move(type), span, parts);
}

bool Checker::is_lag(const ExprPtr& element, const Loop& loop) const {
  auto* binary = get_if<Binary>(element);
  if (!binary)
    return false;
  auto* name = get_if<Name>(binary->left);
  auto offset = constant_value(binary->right);
  auto wanted = loop.reverse ? ast::BinaryOp::add : ast::BinaryOp::subtract;
  return name && name->symbol == loop.index && binary->op == wanted && offset && *offset >= 1;
}

ExprPtr Checker::check_own_index(const Symbol& indexed, const ast::Index& index, Span span, bool ahead) {
  std::vector<Subscript> subscripts;
  for (const ast::Subscript& written : index.subscripts) {
    auto subscript = check_subscript(written);
    if (!subscript)
      return nullptr;
    subscripts.push_back(std::move(*subscript));
  }
  std::vector<Frame> spread;
  std::vector<Subscript> kept;
  std::size_t next = 0;
  bool lags = false;
  const Plate* passed = nullptr; // an open plate whose own index was not written
  for (const Frame& frame : indexed.frames) {
    const Subscript* subscript = next < subscripts.size() ? &subscripts[next] : nullptr;
    if (!is_open(frame)) {
      spread.push_back(frame);
      if (subscript) {
        kept.push_back(*subscript);
        ++next;
      }
      continue;
    }
    if (frame.kind == Frame::Kind::plate) {
      if (subscript && plate_of_index(program_, subscript->element) == frame.id)
        ++next;
      else
        passed = &program_.plate(frame.id);
      continue;
    }
    const Loop& loop = program_.loop(frame.id);
    const std::string& loop_name = symbol(loop.index).name;
    if (!subscript || subscript->kind != Subscript::Kind::element) {
      errors::loop_array_needs_index(out_, span, indexed.name, loop_name, indexed.span);
      return nullptr;
    }
    ++next;
    auto* name = get_if<Name>(subscript->element);
    if (name && name->symbol == loop.index)
      continue;
    if (!is_lag(subscript->element, loop)) {
      errors::loop_array_not_yet_set(out_, subscript->span, indexed.name, loop_name, loop.reverse);
      return nullptr;
    }
    spread.push_back(frame);
    kept.push_back(*subscript);
    lags = true;
  }
  if (ahead && !lags)
    for (const Frame& frame : indexed.frames)
      if (frame.kind == Frame::Kind::loop && is_open(frame)) {
        const Loop& loop = program_.loop(frame.id);
        if (now_.gone.count(indexed.name))
          report_unknown_name(indexed.name, span);
        else
          errors::loop_array_not_yet_set(out_, span, indexed.name, symbol(loop.index).name, loop.reverse);
        return nullptr;
      }
  std::size_t rest = subscripts.size() - next;
  if (passed && rest > 0) {
    const Subscript& subscript = subscripts[next];
    bool other_row = subscript.kind == Subscript::Kind::element && subscript.element->type.index_size &&
                     *subscript.element->type.index_size == passed->size &&
                     (indexed.type.dims.empty() || !(indexed.type.dims[0] == passed->size));
    if (rest > indexed.type.dims.size() || other_row) {
      errors::other_index_in_plate(out_, subscript.span, indexed.name, indexed.span, *passed);
      return nullptr;
    }
  }
  if (rest > 0 && kept.size() < spread.size()) {
    errors::too_many_subscripts(out_, span, indexed.name, subscripts.size(), to_string(indexed.type));
    return nullptr;
  }
  kept.insert(kept.end(), subscripts.begin() + static_cast<std::ptrdiff_t>(next), subscripts.end());
  ExprPtr base = read_symbol(indexed, spread, index.base->span);
  return base ? apply_subscripts(base, std::move(kept), span) : nullptr;
}

ExprPtr Checker::check_index(const ast::Index& index, Span span) {
  if (auto* name = ast::get_if<ast::Name>(index.base)) {
    SymbolId id = find_local(name->name);
    if (id >= 0 && poisoned(id))
      return nullptr;
    const bool ahead = id < 0;
    if (ahead)
      id = declare_ahead(name->name);
    if (id >= 0 && !symbol(id).frames.empty())
      return check_own_index(Symbol(symbol(id)), index, span, ahead);
  }
  ExprPtr base = check_expr(index.base);
  bool ok = base != nullptr;
  std::vector<Subscript> subscripts;
  for (const ast::Subscript& written : index.subscripts) {
    auto subscript = check_subscript(written);
    ok = ok && subscript;
    if (subscript)
      subscripts.push_back(std::move(*subscript));
  }
  return ok ? apply_subscripts(base, std::move(subscripts), span) : nullptr;
}

} // namespace plait::program
