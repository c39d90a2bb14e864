#include "compiler/program/checker.hpp"

#include <algorithm>
#include <cmath>

namespace plait::program {

void Checker::declare_names() {
  auto claim = [&](const ast::Identifier& name) {
    auto [known, fresh] = file_spans_.emplace(name.name, name.span);
    if (!fresh)
      errors::name_taken(out_, name.span, name.name, known->second);
    return fresh;
  };
  for (const ast::Item& item : file_.items) {
    if (auto* constant = ast::get_if<ast::Const>(item)) {
      if (claim(constant->name))
        constants_[constant->name.name] = {constant, constant->name.span, false, false, -1};
    } else if (auto* function = ast::get_if<ast::Function>(item)) {
      if (!claim(function->name))
        continue;
      Function made;
      made.id = static_cast<FunctionId>(program_.functions.size());
      made.name = function->name.name;
      made.is_net = function->is_net;
      made.span = function->name.span;
      function_ids_[made.name] = made.id;
      functions_[made.name] = function;
      function_spans_[made.name] = made.span;
      program_.functions.push_back(std::move(made));
    } else if (auto* data = ast::get_if<ast::Data>(item)) {
      claim(data->name);
    } else if (auto* param = ast::get_if<ast::ParamDecl>(item)) {
      claim(param->name);
    }
  }
}

void Checker::apply_sets() {
  for (const auto& [name, value] : options_.sets) {
    if (constants_.count(name))
      continue; // resolve_constant takes it from the options
    auto size = program_.sizes.find(name);
    if (size == program_.sizes.end()) {
      std::vector<std::string> candidates;
      for (const auto& [constant, state] : constants_)
        candidates.push_back(constant);
      for (const auto& [other, entry] : program_.sizes)
        candidates.push_back(other);
      errors::set_of_unknown_name(out_, name, nearest(name, candidates));
    } else if (value < 1 || value != std::floor(value) || value > 1e15) {
      errors::set_size_not_positive(out_, name, value, size->second.span);
    } else {
      size->second.value = static_cast<std::int64_t>(value);
    }
  }
}

void Checker::apply_sizes() {
  for (const auto& [name, value] : options_.sizes) {
    auto size = program_.sizes.find(name);
    if (size == program_.sizes.end())
      continue;
    if (size->second.value && *size->second.value != value)
      errors::size_set_and_bound(out_, name, *size->second.value, value, size->second.span);
    size->second.value = value;
  }
}

void Checker::resolve_constant(const std::string& name) {
  ConstantState& state = constants_.at(name);
  if (state.done)
    return;
  if (state.busy) {
    errors::constant_cycle(out_, state.span, name);
    return;
  }
  state.busy = true;
  Context outer = std::move(now_);
  now_ = Context{};
  now_.scopes.emplace_back();
  now_.block = BlockKind::function; // constants see constants only
  const ast::Const& item = *state.item;
  ExprPtr value = check_expr(item.value);
  if (value && value->type.is_tuple()) {
    errors::tuple_as_value(out_, value->span);
    value = nullptr;
  }
  if (value && item.type) {
    auto type = check_type(*item.type);
    if (type && !(type->dims == value->type.dims)) {
      errors::constant_shape(out_, value->span, name, to_string(*type), to_string(value->type),
                             item.type->span);
      value = nullptr;
    } else {
      value = type ? convert(value, *type, "`const " + name + "`") : nullptr;
      if (value && !check_constant_inside(value, *type, "`const " + name + "`"))
        value = nullptr;
    }
  }
  if (auto given = options_.sets.find(name); value && given != options_.sets.end()) {
    double number = given->second;
    bool needs_integer = value->type.element != Element::real;
    if (!value->type.is_scalar() || (needs_integer && number != std::floor(number))) {
      errors::set_does_not_fit(out_, name, number, to_string(value->type), state.span);
      value = nullptr;
    } else {
      value = make(Constant{number}, value->type, value->span, {});
    }
  }
  now_ = std::move(outer);
  BlockKind block = std::exchange(now_.block, BlockKind::file);
  SymbolId id = declare(name, SymbolKind::constant, value ? value->type : Type{}, {}, state.span);
  now_.block = block;
  symbol(id).value = value;
  if (!value)
    poisoned_.insert(id);
  state.symbol = id;
  state.done = true;
}

void Checker::declare_sizes_in(const ast::ExprPtr& expr) {
  if (!expr)
    return;
  if (auto* name = ast::get_if<ast::Name>(expr)) {
    if (constants_.count(name->name))
      return;
    if (auto other = file_spans_.find(name->name); other != file_spans_.end()) {
      errors::size_is_other_name(out_, expr->span, name->name, other->second);
      bad_sizes_.insert(name->name);
      return;
    }
    program_.sizes.emplace(name->name, Size{name->name, expr->span, std::nullopt, -1});
  } else if (auto* binary = ast::get_if<ast::Binary>(expr)) {
    declare_sizes_in(binary->left);
    declare_sizes_in(binary->right);
  }
}

/// The lengths `T` of `ragged real[N, T]` are the int data `T[n]`, declared by the user or not.
void Checker::declare_lengths(const ast::Data& data, const std::vector<Dim>& dims) {
  auto* name = ast::get_if<ast::Name>(data.type.dims[1]);
  Span span = data.type.dims[1]->span;
  auto known = program_.sizes.find(name->name);
  if (known != program_.sizes.end()) {
    if (known->second.lengths < 0) {
      errors::lengths_not_integers(out_, span, name->name, to_string(dims[0]), known->second.span);
      return;
    }
    const Symbol& lengths = symbol(known->second.lengths);
    if (!(lengths.type.dims[0] == dims[0]))
      errors::ragged_rows_disagree(out_, span, name->name, to_string(dims[0]),
                                   to_string(lengths.type.dims[0]), known->second.span);
    return;
  }
  SymbolId id = -1;
  if (auto declared = file_names_.find(name->name); declared != file_names_.end()) {
    id = declared->second;
    const Symbol& lengths = symbol(id);
    bool fits = lengths.kind == SymbolKind::data && lengths.type.element == Element::integer &&
                lengths.type.dims.size() == 1 && lengths.type.dims[0] == dims[0];
    if (!fits) {
      errors::lengths_not_integers(out_, span, name->name, to_string(dims[0]), lengths.span);
      return;
    }
  } else {
    Type type;
    type.element = Element::integer;
    type.support.kind = catalog::SupportKind::count;
    type.dims = {dims[0]};
    id = declare(name->name, SymbolKind::data, type, {}, span);
    symbol(id).implicit = true;
    file_names_[name->name] = id;
    file_spans_[name->name] = span;
    program_.data.push_back(id);
  }
  program_.sizes.emplace(name->name, Size{name->name, span, std::nullopt, id});
}

void Checker::declare_data(const ast::Data& data, Span span) {
  const std::string& name = data.name.name;
  if (file_names_.count(name))
    return;
  bool ok = true;
  if (data.type.ragged && (data.type.dims.size() < 2 || !ast::get_if<ast::Name>(data.type.dims[1]) ||
                           constants_.count(std::get<ast::Name>(data.type.dims[1]->node).name))) {
    errors::ragged_needs_named_second(out_, data.type.span.empty() ? span : data.type.span);
    ok = false;
  }
  auto type = ok ? check_type(data.type) : std::nullopt;
  if (type && (type->lower || type->upper) && !data.type.ragged) {
    for (const ExprPtr& bound : {type->lower, type->upper})
      if (bound && !bound->type.is_scalar())
        ok = false;
  }
  SymbolId id = declare(name, SymbolKind::data, type.value_or(Type{}), {}, data.name.span);
  file_names_[name] = id;
  program_.data.push_back(id);
  if (!ok || !type)
    poisoned_.insert(id);
  else if (data.type.ragged)
    declare_lengths(data, type->dims);
}

void Checker::check_guide_family(const ast::Choice& choice) {
  GuideFamily family;
  family.family = choice.name.name;
  family.span = choice.span;
  if (!choice.arguments.empty()) {
    errors::guide_takes_one_family(out_, choice.arguments[0]->span);
    return;
  }
  for (const ast::NamedArgument& option : choice.named) {
    ExprPtr value = check_expr(option.value);
    auto number = constant_value(value);
    if (value && !number)
      errors::guide_option_not_constant(out_, option.value->span, option.name.name);
    if (!family.options.emplace(option.name.name, number.value_or(0)).second)
      errors::parameter_given_twice(out_, option.name.span, "auto", option.name.name);
  }
  program_.family = std::move(family);
}

Block Checker::check_item_block(const ast::Block& block, BlockKind kind, Names names) {
  now_ = Context{};
  now_.block = kind;
  now_.scopes.push_back(std::move(names));
  now_.scopes.emplace_back();
  Block checked;
  check_statements(block, checked);
  return checked;
}

void Checker::run() {
  declare_names();
  now_.scopes.emplace_back();
  const ast::Model* model = nullptr;
  const ast::Guide* guide = nullptr;
  const ast::Predict* predict = nullptr;
  Span model_span;
  Span guide_span;
  Span predict_span;

  // Every plain size is known before the first type is checked.
  for (const ast::Item& item : file_.items)
    if (auto* data = ast::get_if<ast::Data>(item)) {
      declare_sizes_in(data->type.index_size);
      for (std::size_t i = 0; i < data->type.dims.size(); ++i)
        if (!(data->type.ragged && i == 1))
          declare_sizes_in(data->type.dims[i]);
    }
  for (const auto& [name, state] : constants_)
    resolve_constant(name);
  apply_sets();
  apply_sizes();
  for (bool ragged : {false, true})
    for (const ast::Item& item : file_.items)
      if (auto* data = ast::get_if<ast::Data>(item); data && data->type.ragged == ragged)
        declare_data(*data, item.span);
  order_data();

  for (const ast::Item& item : file_.items) {
    Block ignored;
    if (auto* param = ast::get_if<ast::ParamDecl>(item); param && !file_names_.count(param->name.name))
      check_param(*param, item.span, ignored);
    if (auto* found = ast::get_if<ast::Model>(item)) {
      if (model)
        errors::second_block(out_, item.span, "model", model_span);
      else
        model = found, model_span = item.span;
    }
    if (auto* found = ast::get_if<ast::Guide>(item)) {
      if (guide)
        errors::second_block(out_, item.span, "guide", guide_span);
      else
        guide = found, guide_span = item.span;
    }
    if (auto* found = ast::get_if<ast::Predict>(item)) {
      if (predict)
        errors::second_block(out_, item.span, "predict", predict_span);
      else
        predict = found, predict_span = item.span;
    }
  }
  for (const ast::Item& item : file_.items)
    if (auto* function = ast::get_if<ast::Function>(item)) {
      auto claimed = functions_.find(function->name.name);
      if (claimed != functions_.end() && claimed->second == function)
        check_function_alone(*function);
    }

  if (!model) {
    errors::no_model(out_);
    return;
  }
  program_.model = check_item_block(model->body, BlockKind::model, {});
  model_names_ = now_.scopes[1];
  Names params;
  for (SymbolId id : program_.params)
    if (symbol(id).block == BlockKind::model)
      params[symbol(id).name] = id;
  for (const Symbol& made : program_.symbols)
    if (made.block == BlockKind::model)
      model_gone_.emplace(made.name, made.span);

  program_.guide_span = guide ? guide_span : model_span;
  if (guide && guide->body) {
    program_.guide = check_item_block(*guide->body, BlockKind::guide, params);
  } else if (guide && guide->family) {
    now_ = Context{};
    now_.scopes.emplace_back();
    check_guide_family(*guide->family);
  } else {
    program_.family = GuideFamily{"normal", {}, {}};
  }
  if (predict)
    program_.predict = check_item_block(predict->body, BlockKind::predict, model_names_);
}

/// Puts data back in the order of the text, implicit lengths where they are first named.
void Checker::order_data() {
  std::stable_sort(program_.data.begin(), program_.data.end(),
                   [&](SymbolId a, SymbolId b) { return symbol(a).span.begin < symbol(b).span.begin; });
}

} // namespace plait::program
