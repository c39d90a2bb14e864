#include "compiler/program/checker.hpp"

#include <algorithm>

namespace plait::program {

bool Checker::refuse_in_function(std::string_view what, Span span) {
  if (now_.block != BlockKind::function)
    return false;
  errors::not_in_function(out_, span, std::string(what), now_.function->name.name);
  return true;
}

void Checker::check_statements(const ast::Block& block, Block& into) {
  into.span = block.span;
  bool returned = false;
  for (const ast::Statement& statement : block.statements) {
    if (returned) {
      errors::statement_after_return(out_, statement.span);
      return;
    }
    check_statement(statement, into);
    returned = ast::get_if<ast::Return>(statement) != nullptr;
  }
}

void Checker::check_statement(const ast::Statement& statement, Block& into) {
  struct Dispatch {
    Checker& self;
    Span span;
    Block& into;
    void operator()(const ast::Assign& node) { self.check_assign(node, span, into); }
    void operator()(const ast::Sample& node) { self.check_sample(node, span, into); }
    void operator()(const ast::ParamDecl& node) { self.check_param(node, span, into); }
    void operator()(const ast::Plate& node) { self.check_plate(node, span, into); }
    void operator()(const ast::For& node) { self.check_for(node, span, into); }
    void operator()(const ast::If& node) { self.check_if(node, span, into); }
    void operator()(const ast::Factor& node) { self.check_factor(node, span, into); }
    void operator()(const ast::Return& node) { self.check_return(node, span, into); }
  };
  std::visit(Dispatch{*this, statement.span, into}, statement.node);
}

// ---------------------------------------------------------------------------------------------- assignment

/// The frames of a name written with `target`'s subscripts: every open plate, and the loops whose index is a
/// subscript. `h[t]` and, inside plate n, `h[n, t]` are the same.
bool Checker::target_loops(const ast::LValue& target, std::vector<Frame>& frames) {
  std::vector<Frame> written;
  for (const ast::Subscript& subscript : target.subscripts) {
    auto* name = ast::get_if<ast::Name>(subscript.element);
    SymbolId id = name ? find_local(name->name) : -1;
    bool is_index = id >= 0 && subscript.kind == ast::Subscript::Kind::element &&
                    (symbol(id).kind == SymbolKind::plate_index || symbol(id).kind == SymbolKind::loop_index);
    if (!is_index) {
      errors::target_needs_open_index(out_, subscript.span, target.name.name,
                                      ast::get_if<ast::Number>(subscript.element) != nullptr);
      return false;
    }
    auto kind = symbol(id).kind == SymbolKind::plate_index ? Frame::Kind::plate : Frame::Kind::loop;
    written.push_back({kind, symbol(id).frame_id});
  }
  std::vector<Frame> nested;
  std::optional<Frame> innermost_loop;
  for (const Frame& frame : now_.frames) {
    bool chosen = std::find(written.begin(), written.end(), frame) != written.end();
    if (chosen)
      nested.push_back(frame);
    if (chosen || frame.kind == Frame::Kind::plate)
      frames.push_back(frame);
    if (frame.kind == Frame::Kind::loop)
      innermost_loop = frame;
  }
  if (nested != written) {
    errors::target_index_order(out_, target.span, target.name.name);
    return false;
  }
  bool writes_loop = std::any_of(written.begin(), written.end(),
                                 [](const Frame& frame) { return frame.kind == Frame::Kind::loop; });
  if (writes_loop && std::find(written.begin(), written.end(), *innermost_loop) == written.end()) {
    errors::target_misses_inner_loop(out_, target.span, target.name.name,
                                     symbol(program_.loop(innermost_loop->id).index).name);
    return false;
  }
  return true;
}

void Checker::check_assign(const ast::Assign& assign, Span span, Block& into) {
  ExprPtr value = check_expr(assign.value);
  std::size_t count = assign.targets.size();
  if (value) {
    std::size_t given = value->type.is_tuple() ? value->type.tuple.size() : 1;
    if (given != count) {
      errors::wrong_target_count(out_, span, count, given, value->span);
      value = nullptr;
    }
  }
  Assign typed;
  bool ok = value != nullptr;
  for (std::size_t i = 0; i < count; ++i) {
    ExprPtr part = value;
    if (value && value->type.is_tuple()) {
      auto element = std::make_shared<Expr>(*value);
      element->type = value->type.tuple[i];
      part = element;
    }
    SymbolId id = assign_target(assign.targets[i], part);
    ok = ok && id >= 0 && !poisoned(id);
    typed.targets.push_back(id);
  }
  if (!ok)
    return;
  if (count == 1 && symbol(typed.targets[0]).type.element == Element::real)
    value = to_real(value);
  typed.value = value;
  into.statements.push_back({std::move(typed), span});
}

SymbolId Checker::assign_target(const ast::LValue& target, const ExprPtr& value) {
  const std::string& name = target.name.name;
  Span span = target.name.span;
  std::size_t depth = 0;
  SymbolId id = find_local(name, &depth);
  if (id >= 0) {
    const Symbol& known = symbol(id);
    if (now_.block == BlockKind::function && depth == 0) {
      errors::assigns_to_parameter(out_, target.span, name, known.span);
      return -1;
    }
    if (known.kind != SymbolKind::local && !now_.given.contains(id)) {
      errors::assigns_to(out_, target.span, name, known.kind, known.span);
      return -1;
    }
    if (known.block == now_.block && closed_frames(known).empty())
      return assign_again(id, target, value);
  }
  if (!check_new_name(name, span))
    return -1;
  std::vector<Frame> frames;
  if (!target_loops(target, frames))
    return -1;
  if (id >= 0 && symbol(id).block == now_.block && !check_refilled(id, target, frames))
    return -1;
  if (auto other = now_.reusable.find(name);
      other != now_.reusable.end() && value && !poisoned(other->second)) {
    const Symbol& known = symbol(other->second);
    const bool is_latent = known.kind == SymbolKind::site;
    if ((known.kind == SymbolKind::local || is_latent) && known.frames == frames &&
        known.type.dims == value->type.dims) {
      id = other->second;
      if (is_latent) {
        now_.given.insert(id);
        leave_support(id, value->type);
      }
      widen(id, *value);
      bind(name, id);
      return id;
    }
  }
  id = declare_local(name, value, frames, span);
  for (Region& region : now_.regions)
    if (region.kind == Region::Kind::loop &&
        std::find(frames.begin(), frames.end(), Frame{Frame::Kind::loop, region.id}) != frames.end())
      region.filled.push_back(id);
  return id;
}

/// An array that was filled before a loop, filled anew in each of its iterations, would be another array with
/// the same name, which the next iteration does not see.
bool Checker::check_refilled(SymbolId id, const ast::LValue& target, const std::vector<Frame>& frames) {
  for (const Region& region : now_.regions) {
    const Frame loop{Frame::Kind::loop, region.id};
    if (region.kind != Region::Kind::loop || region.depth <= depth_[id] ||
        std::find(frames.begin(), frames.end(), loop) != frames.end())
      continue;
    errors::array_filled_anew(out_, target.span, target.name.name, symbol(id).span,
                              symbol(program_.loop(region.id).index).name);
    return false;
  }
  return true;
}

SymbolId Checker::assign_again(SymbolId id, const ast::LValue& target, const ExprPtr& value) {
  const std::string& name = target.name.name;
  if (poisoned(id) || !value)
    return id;
  std::vector<Frame> frames;
  if (!target_loops(target, frames))
    return -1;
  const Symbol& known = symbol(id);
  if (frames != known.frames) {
    for (const Frame& frame : frames)
      if (frame.kind == Frame::Kind::plate &&
          std::find(known.frames.begin(), known.frames.end(), frame) == known.frames.end()) {
        errors::assigns_across_plate(out_, target.span, name, known.span, program_.plate(frame.id));
        return -1;
      }
    errors::assigned_with_other_indices(out_, target.span, name, known.span);
    return -1;
  }
  if (!(known.type.dims == value->type.dims)) {
    errors::assignment_changes_shape(out_, target.span, name, to_string(value->type), known.span,
                                     to_string(known.type));
    return -1;
  }
  widen(id, *value);
  note_assigned(id, depth_[id]);
  return id;
}

// ---------------------------------------------------------------------------------------------- param,
// factor

void Checker::check_param(const ast::ParamDecl& param, Span span, Block& into) {
  if (refuse_in_function("`param`", span))
    return;
  const std::string& name = param.name.name;
  bool ok = true;
  if (now_.block == BlockKind::predict) {
    errors::param_in_predict(out_, span);
    ok = false;
  }
  for (const Region& region : now_.regions)
    if (region.kind == Region::Kind::loop) {
      errors::param_in_loop(out_, span, name, region.span);
      ok = false;
      break;
    }
  if (now_.block != BlockKind::file) {
    ok = check_new_name(name, param.name.span) && ok;
    if (SymbolId other = find_local(name); ok && other >= 0) {
      errors::name_taken(out_, param.name.span, name, symbol(other).span);
      ok = false;
    }
  }
  if (auto other = param_spans_.find(name); ok && other != param_spans_.end()) {
    errors::name_taken(out_, param.name.span, name, other->second);
    ok = false;
  }
  param_spans_.emplace(name, param.name.span);
  if (param.type.ragged) {
    errors::ragged_outside_data(out_, param.type.span);
    ok = false;
  }
  auto type = check_type(param.type);
  if (type && type->element != Element::real) {
    errors::param_not_continuous(out_, param.type.span, name, to_string(*type));
    ok = false;
  }
  ExprPtr value;
  if (param.init) {
    value = check_expr(param.init);
    ok = ok && value;
    if (value && (value->type.is_tuple() || value->random || value->learnable)) {
      errors::initial_value_not_fixed(out_, param.init->span, name);
      ok = false;
    } else if (value && type) {
      value = to_real(value);
      if (!value->type.is_scalar() && !(value->type.dims == type->dims)) {
        errors::initial_value_shape(out_, param.init->span, name, to_string(value->type), param.type.span,
                                    to_string(*type));
        ok = false;
      }
      ok = check_constant_inside(value, *type, "the initial value of `" + name + "`") && ok;
    }
  }
  SymbolId id = declare(name, SymbolKind::param, type.value_or(Type{}), plate_frames(), param.name.span);
  symbol(id).learnable = true;
  symbol(id).varies = open_plates();
  symbol(id).value = value;
  program_.params.push_back(id);
  if (!ok || !type)
    poisoned_.insert(id);
  if (now_.block == BlockKind::file) {
    file_names_[name] = id;
    return;
  }
  bind(name, id);
  if (ok && type)
    into.statements.push_back({ParamStatement{id}, span});
}

void Checker::check_factor(const ast::Factor& factor, Span span, Block& into) {
  if (refuse_in_function("`factor`", span))
    return;
  if (now_.block != BlockKind::model) {
    errors::factor_outside_model(out_, span, now_.block == BlockKind::guide);
    return;
  }
  ExprPtr value = check_expr(factor.value);
  if (!value)
    return;
  if (!value->type.is_scalar()) {
    errors::factor_not_scalar(out_, value->span, to_string(value->type));
    return;
  }
  into.statements.push_back({FactorStatement{to_real(value)}, span});
}

// ---------------------------------------------------------------------------------------------- for, if

void Checker::check_for(const ast::For& loop, Span span, Block& into) {
  ExprPtr lower = check_scalar_integer(loop.lower, "the start of a `for`");
  ExprPtr upper = check_scalar_integer(loop.upper, "the end of a `for`");
  std::optional<Dim> extent = upper ? dim_of(upper) : std::nullopt;
  Span header = cover(loop.index.span, loop.upper->span);
  bool ok = lower && upper;
  if (upper && !extent) {
    errors::loop_end_not_size(out_, loop.upper->span);
    ok = false;
  }
  if (lower && (lower->random || lower->learnable)) {
    errors::loop_start_not_fixed(out_, loop.lower->span);
    ok = false;
  }
  if (auto start = constant_value(lower); start && *start < 0) {
    errors::loop_start_negative(out_, loop.lower->span);
    ok = false;
  }
  Loop made;
  made.id = static_cast<LoopId>(program_.loops.size());
  made.reverse = loop.reverse;
  made.lower = lower;
  made.upper = upper;
  made.extent = extent.value_or(Dim::known(1));
  made.span = header;
  LoopId id = made.id;
  program_.loops.push_back(std::move(made));

  Type type;
  type.element = Element::index;
  type.support.kind = catalog::SupportKind::category;
  type.index_size = extent;
  if (!extent)
    type.element = Element::integer;
  if (SymbolId other = find_local(loop.index.name); other >= 0) {
    errors::name_taken(out_, loop.index.span, loop.index.name, symbol(other).span);
    ok = false;
  } else {
    ok = check_new_name(loop.index.name, loop.index.span) && ok;
  }
  Region region;
  region.kind = Region::Kind::loop;
  region.id = id;
  region.depth = now_.scopes.size();
  region.span = header;
  collect_pending(loop.body, loop.index.name, region.pending);
  now_.regions.push_back(region);
  now_.scopes.emplace_back();
  now_.frames.push_back({Frame::Kind::loop, id});
  SymbolId index = declare(loop.index.name, SymbolKind::loop_index, type, {}, loop.index.span);
  symbol(index).frame_id = id;
  bind(loop.index.name, index);
  program_.loops[static_cast<std::size_t>(id)].index = index;

  ForStatement typed;
  typed.loop = id;
  check_statements(loop.body, typed.body);

  now_.frames.pop_back();
  Names names = std::move(now_.scopes.back());
  now_.scopes.pop_back();
  typed.carried = std::move(now_.regions.back().assigned);
  typed.filled = std::move(now_.regions.back().filled);
  now_.regions.pop_back();
  for (const auto& [name, inner] : names) {
    const std::vector<Frame>& frames = symbol(inner).frames;
    if (std::find(frames.begin(), frames.end(), Frame{Frame::Kind::loop, id}) != frames.end())
      bind(name, inner);
    else
      now_.gone[name] = {symbol(inner).span, "lives for one iteration of a `for` only"};
  }
  if (!ok)
    return;
  PlateSet varies = unite(lower->varies, upper->varies);
  for (const auto* written : {&typed.carried, &typed.filled})
    for (SymbolId changed : *written)
      widen(changed, false, false, varies, false, false);
  into.statements.push_back({std::move(typed), span});
}

/// After an `if` a name that both branches set is one value, if they set the same kind of value. The others
/// are gone; one that has an error of its own stays silent.
void Checker::leave_branches(const Names& then_names, const Names& else_names) {
  const auto hide = [&](const Names& names, const Names& others) {
    for (const auto& [name, id] : names) {
      const auto other = others.find(name);
      if (other == others.end()) {
        now_.gone[name] = {symbol(id).span, "is set in one branch of an `if` only"};
      } else if (poisoned(id)) {
        bind(name, id);
      } else if (other->second != id && !poisoned(other->second)) {
        const bool alike = symbol(id).frames == symbol(other->second).frames;
        now_.gone[name] = {symbol(id).span, alike ? "has another shape in each branch of an `if`"
                                                  : "has other indices in each branch of an `if`"};
      }
    }
  };
  hide(then_names, else_names);
  hide(else_names, then_names);
}

void Checker::check_if(const ast::If& branch, Span span, Block& into) {
  ExprPtr condition = check_expr(branch.condition);
  bool ok = condition != nullptr;
  if (condition && (condition->type.is_tuple() || condition->type.element != Element::bit)) {
    errors::needs_bit(out_, condition->span, "the condition of `if`", to_string(condition->type));
    ok = false;
  } else if (condition && !condition->type.is_scalar()) {
    errors::condition_not_scalar(out_, condition->span, to_string(condition->type));
    ok = false;
  }
  IfStatement typed;
  typed.condition = condition;
  typed.by_value = condition && (condition->random || condition->learnable);
  std::vector<SymbolId> assigned;
  const int number = now_.branches++;
  auto check_branch = [&](const ast::Block& block, Block& checked, bool is_first) {
    Region region;
    region.kind = Region::Kind::branch;
    region.depth = now_.scopes.size();
    region.by_value = typed.by_value;
    region.branch = {number, is_first};
    region.span = branch.condition->span;
    now_.regions.push_back(region);
    now_.scopes.emplace_back();
    const std::set<SymbolId> given = now_.given;
    ++guards_;
    check_statements(block, checked);
    --guards_;
    now_.given = given;
    Names names = std::move(now_.scopes.back());
    now_.scopes.pop_back();
    for (SymbolId id : now_.regions.back().assigned)
      if (std::find(assigned.begin(), assigned.end(), id) == assigned.end())
        assigned.push_back(id);
    now_.regions.pop_back();
    return names;
  };
  Names then_names = check_branch(branch.then_body, typed.then_body, true);
  Names else_names;
  if (branch.else_body) {
    Names reusable = now_.reusable;
    for (const auto& [name, id] : then_names)
      now_.reusable[name] = id;
    else_names = check_branch(*branch.else_body, typed.else_body, false);
    now_.reusable = std::move(reusable);
  }
  typed.merged = std::move(assigned);
  leave_branches(then_names, else_names);
  for (const auto& [name, id] : then_names)
    if (auto other = else_names.find(name); other != else_names.end() && other->second == id) {
      bind(name, id);
      typed.merged.push_back(id);
    }
  if (!ok)
    return;
  for (SymbolId id : typed.merged)
    widen(id, condition->random, condition->learnable, condition->varies, false, false);
  into.statements.push_back({std::move(typed), span});
}

} // namespace plait::program
