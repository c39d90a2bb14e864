#include "compiler/program/checker.hpp"

#include <algorithm>

namespace plait::program {

bool Checker::bind_parameter(const ast::Parameter& parameter, ExprPtr& argument,
                             std::map<std::string, Dim>& dims) {
  const ast::Type& written = parameter.type;
  std::string what = "argument `" + parameter.name.name + "`";
  // A matrix type writes the size of its two last dimensions once.
  std::vector<ast::ExprPtr> wanted = written.dims;
  using Base = ast::BaseType;
  bool matrix = written.base == Base::cov || written.base == Base::corr ||
                written.base == Base::cholesky_corr || written.base == Base::cholesky_cov;
  if (matrix && !wanted.empty())
    wanted.push_back(wanted.back());
  if (guesses_ && argument->type.is_scalar() && !wanted.empty()) {
    // An element that is read before it is set has no shape yet: it takes the parameter's, and another round
    // judges.
    auto shaped = std::make_shared<Expr>(*argument);
    std::map<std::string, Dim> outside = now_.dims;
    now_.dims = dims;
    for (const ast::ExprPtr& size : wanted)
      if (auto* name = ast::get_if<ast::Name>(size);
          !name || constants_.count(name->name) || program_.sizes.count(name->name) || dims.count(name->name))
        if (auto dim = check_dim(size))
          shaped->type.dims.push_back(*dim);
    now_.dims = outside;
    argument = shaped;
  }
  const std::vector<Dim>& given = argument->type.dims;
  auto shape_error = [&] {
    errors::argument_shape(out_, argument->span, parameter.name.name, parameter.type.span,
                           to_string(argument->type), wanted.size());
    return false;
  };
  if (wanted.size() != given.size())
    return shape_error();
  std::map<std::string, Dim> outer = now_.dims;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    auto* name = ast::get_if<ast::Name>(wanted[i]);
    bool free = name && !constants_.count(name->name) && !program_.sizes.count(name->name);
    if (free && dims.emplace(name->name, given[i]).second)
      continue;
    now_.dims = dims;
    auto dim = check_dim(wanted[i]);
    now_.dims = outer;
    if (!dim)
      return false;
    if (!(*dim == given[i])) {
      errors::argument_size(out_, argument->span, parameter.name.name, wanted[i]->span,
                            to_string(argument->type), to_string(*dim), to_string(given[i]));
      return false;
    }
  }
  if (written.index_size)
    if (auto* name = ast::get_if<ast::Name>(written.index_size); name && !constants_.count(name->name) &&
                                                                 !program_.sizes.count(name->name) &&
                                                                 argument->type.index_size)
      dims.emplace(name->name, *argument->type.index_size);
  return true;
}

InstanceId Checker::instantiate(const ast::Function& function, std::vector<ExprPtr>& arguments,
                                Span call_span) {
  // Bounds far above any use, so that no file makes this run out of stack or memory.
  if (active_.size() >= 100) {
    errors::calls_too_deep(out_, call_span, function.name.name);
    return -1;
  }
  if (program_.instances.size() >= 2000) {
    errors::too_many_instances(out_, call_span, function.name.name);
    return -1;
  }
  std::map<std::string, Dim> dims;
  bool ok = true;
  for (std::size_t i = 0; i < arguments.size(); ++i)
    ok = bind_parameter(function.parameters[i], arguments[i], dims) && ok;
  if (!ok)
    return -1;

  Context outer = std::move(now_);
  now_ = Context{};
  now_.block = BlockKind::function;
  now_.function = &function;
  now_.function_id = function_ids_.at(function.name.name);
  now_.dims = dims;
  now_.scopes.emplace_back();
  std::vector<Type> types;
  for (std::size_t i = 0; ok && i < arguments.size(); ++i) {
    const ast::Parameter& parameter = function.parameters[i];
    auto type = check_type(parameter.type);
    if (type)
      arguments[i] = convert(arguments[i], *type, "argument `" + parameter.name.name + "`");
    ok = type && arguments[i] &&
         check_constant_inside(arguments[i], *type, "argument `" + parameter.name.name + "`");
    if (ok)
      types.push_back(*type);
  }
  for (const ast::Type& result : function.results) {
    auto type = ok ? check_type(result) : std::nullopt;
    ok = ok && type;
    if (ok)
      now_.results.push_back(*type);
  }
  if (!ok) {
    now_ = std::move(outer);
    return -1;
  }

  std::string key = function.name.name;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    key +=
        "|" + to_string(types[i]) + (arguments[i]->random ? "r" : "") + (arguments[i]->learnable ? "l" : "");
    for (PlateId plate : arguments[i]->varies)
      key += "," + std::to_string(plate);
    for (const Dim& dim : types[i].dims)
      for (const SizeTerm& term : dim.terms)
        key += "@" + std::to_string(term.plate);
  }
  if (auto known = instances_.find(key); known != instances_.end()) {
    now_ = std::move(outer);
    return known->second;
  }
  now_.key = key;
  active_.push_back(now_.function_id);
  Instance instance;
  instance.function = now_.function_id;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const ast::Identifier& name = function.parameters[i].name;
    SymbolId id = declare(name.name, SymbolKind::local, types[i], {}, name.span);
    symbol(id).random = arguments[i]->random;
    symbol(id).learnable = arguments[i]->learnable;
    symbol(id).varies = arguments[i]->varies;
    if (now_.scopes.back().count(name.name))
      errors::name_taken(out_, name.span, name.name, symbol(now_.scopes.back()[name.name]).span);
    bind(name.name, id);
    instance.parameters.push_back(id);
  }
  instance.result = now_.results.size() == 1 ? now_.results[0] : Type{};
  if (now_.results.size() > 1)
    instance.result.tuple = now_.results;
  std::size_t errors_before = out_.size();
  now_.scopes.emplace_back();
  check_statements(function.body, instance.body);
  instance.body.span = function.body.span;
  active_.pop_back();
  now_ = std::move(outer);
  if (out_.size() > errors_before) {
    broken_.insert(instance.function);
    if (!call_span.empty())
      note_call(errors_before, call_span, function.name.name);
    return -1;
  }
  auto id = static_cast<InstanceId>(program_.instances.size());
  program_.instances.push_back(std::move(instance));
  instances_[key] = id;
  return id;
}

/// Tells, in each diagnostic from number `first` on, which call of a function brought it up.
void Checker::note_call(std::size_t first, Span call_span, const std::string& function) {
  Diagnostics noted;
  for (std::size_t i = 0; i < out_.size(); ++i) {
    Diagnostic& entry = noted.add(out_.entries()[i]);
    if (i >= first && entry.notes.size() < 4)
      entry.note(call_span, "in this call of `" + function + "`");
  }
  out_ = std::move(noted);
}

bool Checker::ends_in_return(const ast::Block& block) const {
  if (block.statements.empty())
    return false;
  const ast::Statement& last = block.statements.back();
  if (ast::get_if<ast::Return>(last))
    return true;
  auto* branch = ast::get_if<ast::If>(last);
  return branch && branch->else_body && ends_in_return(branch->then_body) &&
         ends_in_return(*branch->else_body);
}

/// Checks the declaration for arguments of exactly the declared types, sizes free, so that a function with an
/// error is reported even if nobody calls it, and once only.
void Checker::check_function_alone(const ast::Function& function) {
  FunctionId id = function_ids_.at(function.name.name);
  if (!ends_in_return(function.body)) {
    errors::function_without_return(out_, function.name.span, function.name.name);
    broken_.insert(id);
    return;
  }
  Context outer = std::move(now_);
  now_ = Context{};
  now_.block = BlockKind::function;
  now_.scopes.emplace_back();
  now_.function = &function;
  now_.function_id = id;
  now_.generic = true;
  std::vector<ExprPtr> arguments;
  bool ok = true;
  auto declare_free = [&](const ast::ExprPtr& expr) {
    auto* name = ast::get_if<ast::Name>(expr);
    if (name && !constants_.count(name->name) && !program_.sizes.count(name->name))
      now_.dims.emplace(name->name, Dim::named(name->name));
  };
  for (const ast::Parameter& parameter : function.parameters) {
    for (const ast::ExprPtr& dim : parameter.type.dims)
      declare_free(dim);
    declare_free(parameter.type.index_size);
    if (parameter.type.ragged) {
      errors::ragged_outside_data(out_, parameter.type.span);
      ok = false;
      continue;
    }
    auto type = check_type(parameter.type);
    ok = ok && type;
    if (!type)
      continue;
    auto argument = std::make_shared<Expr>();
    argument->node = Name{};
    argument->type = *type;
    argument->random = argument->learnable = true;
    argument->span = parameter.name.span;
    arguments.push_back(argument);
  }
  for (const ast::Type& result : function.results)
    if (ok && !check_type(result))
      ok = false;
  now_ = std::move(outer);
  std::size_t errors_before = out_.error_count();
  // What this makes is thrown away: the free sizes mean nothing outside.
  auto layers = layer_places_;
  auto instances = instances_;
  auto poisoned = poisoned_;
  Program before = program_;
  if (ok)
    instantiate(function, arguments, Span{});
  if (!ok || out_.error_count() > errors_before)
    broken_.insert(id);
  layer_places_ = std::move(layers);
  instances_ = std::move(instances);
  poisoned_ = std::move(poisoned);
  program_ = std::move(before);
}

void Checker::check_return(const ast::Return& statement, Span span, Block& into) {
  if (now_.block != BlockKind::function) {
    errors::return_outside_function(out_, span);
    return;
  }
  for (const Region& region : now_.regions)
    if (region.kind == Region::Kind::loop) {
      errors::return_inside_loop(out_, span);
      return;
    }
  ExprPtr value = check_expr(statement.value);
  if (!value)
    return;
  std::size_t given = value->type.is_tuple() ? value->type.tuple.size() : 1;
  if (given != now_.results.size()) {
    errors::wrong_result_count(out_, value->span, now_.function->name.name, now_.results.size(), given,
                               now_.function->name.span);
    return;
  }
  auto check_result = [&](ExprPtr part, std::size_t i) -> ExprPtr {
    const Type& wanted = now_.results[i];
    if (!(part->type.dims == wanted.dims)) {
      errors::result_shape(out_, part->span, now_.function->name.name, to_string(wanted),
                           to_string(part->type), now_.function->results[i].span);
      return nullptr;
    }
    part = convert(part, wanted, "the result");
    if (part && !check_constant_inside(part, wanted, "the result"))
      return nullptr;
    return part;
  };
  if (given == 1) {
    value = check_result(value, 0);
  } else if (auto* tuple = get_if<TupleExpr>(value)) {
    std::vector<ExprPtr> elements;
    Type type;
    for (std::size_t i = 0; i < given; ++i) {
      ExprPtr element = check_result(tuple->elements[i], i);
      if (!element)
        return;
      type.tuple.push_back(element->type);
      elements.push_back(std::move(element));
    }
    value = make(TupleExpr{elements}, type, value->span, elements);
  } else {
    for (std::size_t i = 0; i < given; ++i) {
      const Type& part = value->type.tuple[i];
      if (!(part.dims == now_.results[i].dims) || part.is_real() != now_.results[i].is_real()) {
        errors::result_shape(out_, value->span, now_.function->name.name, to_string(now_.results[i]),
                             to_string(part), now_.function->results[i].span);
        return;
      }
    }
  }
  if (value)
    into.statements.push_back({ReturnStatement{value}, span});
}

} // namespace plait::program
