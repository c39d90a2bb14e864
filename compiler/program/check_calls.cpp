#include "compiler/catalog/ops.hpp"
#include "compiler/program/checker.hpp"
#include "compiler/program/extents.hpp"

#include <algorithm>
#include <cmath>

namespace plait::program {

std::vector<ExprPtr> Checker::check_arguments(const std::vector<ast::ExprPtr>& arguments, bool& ok) {
  std::vector<ExprPtr> values;
  for (const ast::ExprPtr& argument : arguments) {
    ExprPtr value = check_expr(argument);
    if (value && value->type.is_tuple()) {
      errors::tuple_as_value(out_, value->span);
      value = nullptr;
    }
    ok = ok && value;
    values.push_back(std::move(value));
  }
  return values;
}

void Checker::report_unknown_function(const ast::Call& call) {
  const std::string& name = call.callee.name;
  if (catalog::find_distribution(name)) {
    errors::distribution_as_function(out_, call.callee.span, name);
    return;
  }
  if (catalog::find_layer(name)) {
    errors::layer_outside_net(out_, call.callee.span, name);
    return;
  }
  if (find_symbol(name) || constants_.count(name) || program_.sizes.count(name)) {
    errors::value_as_function(out_, call.callee.span, name);
    return;
  }
  std::vector<std::string> candidates;
  for (const auto& [function, item] : functions_)
    candidates.push_back(function);
  for (const Builtin& row : builtins())
    candidates.emplace_back(row.name);
  for (const ir::Op* row : catalog::ops())
    if (catalog::find_op(row->name)) // not what derivatives and samplers alone are made of
      candidates.emplace_back(row->name);
  if (now_.function && now_.function->is_net)
    for (const catalog::Layer* row : catalog::layers())
      candidates.emplace_back(row->name);
  errors::unknown_function(out_, call.callee.span, name, similar(name, candidates));
}

const Symbol* Checker::find_symbol(const std::string& name) const {
  SymbolId id = find_local(name);
  if (id < 0)
    if (auto found = file_names_.find(name); found != file_names_.end())
      id = found->second;
  return id < 0 ? nullptr : &program_.symbol(id);
}

ExprPtr Checker::check_call(const ast::Call& call, Span span) {
  const std::string& name = call.callee.name;
  auto function = functions_.find(name);
  const Builtin* builtin = find_builtin(name);
  const ir::Op* op = catalog::find_op(name);
  bool in_net = now_.function && now_.function->is_net;
  const catalog::Layer* layer = in_net ? catalog::find_layer(name) : nullptr;
  if (!call.named.empty()) {
    errors::named_argument_in_call(out_, call.named.front().name.span, name);
    return nullptr;
  }
  if (!call.sizes.empty() && !layer && (function != functions_.end() || builtin || op)) {
    errors::sizes_in_call(out_, span, name);
    return nullptr;
  }
  if (function != functions_.end())
    return check_function_call(*function->second, call, span);
  if (builtin)
    return check_builtin_call(*builtin, call, span);
  if (layer)
    return check_layer_call(*layer, call, span);
  if (op)
    return check_op_call(*op, call, span);
  report_unknown_function(call);
  return nullptr;
}

ExprPtr Checker::check_op_call(const ir::Op& op, const ast::Call& call, Span span) {
  bool ok = true;
  std::vector<ExprPtr> arguments = check_arguments(call.arguments, ok);
  if (static_cast<int>(arguments.size()) != op.arity) {
    errors::wrong_argument_count(out_, span, std::string(op.name), std::to_string(op.arity.get()),
                                 arguments.size());
    return nullptr;
  }
  if (!ok)
    return nullptr;
  ir::ResultRule rule = op.result;
  Type type;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    ExprPtr& argument = arguments[i];
    bool wants_bit = rule == ir::ResultRule::boolean || (rule == ir::ResultRule::select && i == 0);
    bool wants_integer = rule == ir::ResultRule::integer || rule == ir::ResultRule::integer_comparison;
    if (wants_bit ? argument->type.element != Element::bit : wants_integer && argument->type.is_real()) {
      errors::wrong_element(out_, argument->span,
                            "argument " + std::to_string(i + 1) + " of `" + std::string(op.name) + "`",
                            wants_bit ? "bit" : "int", to_string(argument->type));
      return nullptr;
    }
    if (rule == ir::ResultRule::real || rule == ir::ResultRule::real_comparison)
      argument = to_real(argument);
  }
  if (rule == ir::ResultRule::select)
    join_elements(arguments[1], arguments[2]);
  const ExprPtr* widest = &arguments[0];
  for (const ExprPtr& argument : arguments) {
    std::vector<Dim> dims;
    if (!join_shapes(*widest, argument, dims, span))
      return nullptr;
    if ((*widest)->type.is_scalar())
      widest = &argument;
  }
  type.dims = (*widest)->type.dims;
  switch (rule) {
  case ir::ResultRule::real:
  case ir::ResultRule::to_real:
    break;
  case ir::ResultRule::integer:
  case ir::ResultRule::to_integer:
    type.element = Element::integer;
    break;
  case ir::ResultRule::select:
    type.element = arguments[1]->type.element;
    break;
  default:
    type.element = Element::bit;
    type.support.kind = catalog::SupportKind::bit;
    break;
  }
  std::vector<double> numbers;
  for (const ExprPtr& argument : arguments)
    if (auto number = constant_value(argument))
      numbers.push_back(*number);
  if (rule == ir::ResultRule::real && numbers.size() == arguments.size()) {
    double number = op.evaluate.get()(numbers);
    if (!std::isfinite(number)) {
      errors::constant_not_finite(out_, span, number);
      return nullptr;
    }
    return make(Constant{number}, type, span, {});
  }
  return make(Apply{&op, arguments}, type, span, arguments);
}

ExprPtr Checker::check_builtin_call(const Builtin& builtin, const ast::Call& call, Span span) {
  std::size_t given = call.arguments.size();
  bool any_values = builtin.values < 0;
  std::size_t values_wanted = any_values ? given : static_cast<std::size_t>(builtin.values);
  std::size_t least = (any_values ? 1 : values_wanted) + static_cast<std::size_t>(builtin.least_sizes);
  bool any = any_values || builtin.most_sizes < 0;
  std::size_t most = any ? given : values_wanted + static_cast<std::size_t>(builtin.most_sizes);
  if (given == 2 && (builtin.kind == BuiltinKind::max || builtin.kind == BuiltinKind::min)) {
    errors::reduction_of_two(out_, span, std::string(builtin.name),
                             builtin.kind == BuiltinKind::max ? "maximum" : "minimum");
    return nullptr;
  }
  if (given < least || given > most) {
    errors::wrong_argument_count(out_, span, std::string(builtin.name),
                                 any ? "at least " + std::to_string(least) : std::to_string(least), given);
    return nullptr;
  }
  bool ok = true;
  auto middle = call.arguments.begin() + static_cast<std::ptrdiff_t>(values_wanted);
  std::vector<ExprPtr> values = check_arguments({call.arguments.begin(), middle}, ok);
  std::vector<Dim> sizes;
  for (auto size = middle; size != call.arguments.end(); ++size) {
    auto dim = check_dim(*size);
    ok = ok && dim;
    if (dim)
      sizes.push_back(*dim);
  }
  if (!ok)
    return nullptr;
  bool any_real =
      std::any_of(values.begin(), values.end(), [](const ExprPtr& value) { return value->type.is_real(); });
  for (ExprPtr& value : values)
    if (builtin.to_real || (any_values && any_real))
      value = to_real(value);
  BuiltinType result = builtin.type_rule(values, sizes);
  if (!result.error.empty()) {
    errors::builtin_does_not_fit(out_, span, std::string(builtin.name), result.error);
    return nullptr;
  }
  if (builtin.kind == BuiltinKind::size)
    return size_value(values[0]->type.dims[0], span);
  return make(BuiltinCall{&builtin, values, sizes}, std::move(result.type), span, values);
}

ExprPtr Checker::check_layer_call(const catalog::Layer& layer, const ast::Call& call, Span span) {
  bool ok = true;
  std::vector<ExprPtr> arguments = check_arguments(call.arguments, ok);
  Layer wanted;
  for (const ast::ExprPtr& size : call.sizes) {
    auto dim = check_dim(size);
    ok = ok && dim;
    wanted.sizes.push_back(dim.value_or(Dim::known(1)));
  }
  if (static_cast<int>(call.sizes.size()) != layer.sizes) {
    errors::wrong_layer_sizes(out_, span, std::string(layer.name), layer.sizes, call.sizes.size());
    return nullptr;
  }
  if (static_cast<int>(arguments.size()) != layer.inputs) {
    errors::wrong_argument_count(out_, span, std::string(layer.name), std::to_string(layer.inputs.get()),
                                 arguments.size());
    return nullptr;
  }
  if (!ok)
    return nullptr;
  ExtentNames names(true);
  std::vector<ir::Extent> sizes;
  std::vector<std::vector<ir::Extent>> inputs;
  for (const Dim& size : wanted.sizes)
    sizes.push_back(names.extent(size));
  for (ExprPtr& argument : arguments) {
    // An index chooses a row (embedding); every other number is a number.
    if (argument->type.element != Element::index)
      argument = to_real(argument);
    wanted.inputs.push_back(argument->type.dims);
    inputs.push_back(names.extents(argument->type.dims));
  }
  std::string error;
  std::vector<ir::Extent> result = layer.result_shape.get()(sizes, inputs, error);
  if (!error.empty()) {
    errors::layer_does_not_fit(out_, span, std::string(layer.name), names.message(error));
    return nullptr;
  }
  wanted.result = names.dims(result);
  Type type;
  type.dims = wanted.result;
  LayerId id = declare_layer(layer, std::move(wanted), span);
  if (id < 0)
    return nullptr;
  ExprPtr made = make(LayerCall{id, arguments}, std::move(type), span, arguments);
  auto learnable = std::make_shared<Expr>(*made);
  learnable->learnable = true;
  return learnable;
}

LayerId Checker::declare_layer(const catalog::Layer& layer, Layer wanted, Span span) {
  auto place = layer_places_.find({now_.function_id, span.begin});
  if (place != layer_places_.end()) {
    const Layer& known = program_.layer(place->second);
    if (known.inputs == wanted.inputs && known.sizes == wanted.sizes)
      return known.id;
    errors::net_called_with_other_shapes(out_, span, now_.function->name.name, std::string(layer.name), known,
                                         wanted);
    return -1;
  }
  Function& net = program_.functions[static_cast<std::size_t>(now_.function_id)];
  wanted.id = static_cast<LayerId>(program_.layers.size());
  wanted.net = now_.function_id;
  wanted.layer = &layer;
  wanted.span = span;
  std::size_t number = 1;
  for (LayerId other : net.layers)
    number += program_.layer(other).layer == &layer ? 1 : 0;
  wanted.name = net.name + "." + std::string(layer.name) + "_" + std::to_string(number);
  net.layers.push_back(wanted.id);
  layer_places_[{now_.function_id, span.begin}] = wanted.id;
  program_.layers.push_back(std::move(wanted));
  return program_.layers.back().id;
}

ExprPtr Checker::check_function_call(const ast::Function& function, const ast::Call& call, Span span) {
  bool ok = true;
  std::vector<ExprPtr> arguments = check_arguments(call.arguments, ok);
  if (arguments.size() != function.parameters.size()) {
    errors::wrong_argument_count(out_, span, function.name.name, std::to_string(function.parameters.size()),
                                 arguments.size())
        .note(function.name.span, "declared here");
    return nullptr;
  }
  FunctionId id = function_ids_.at(function.name.name);
  if (std::find(active_.begin(), active_.end(), id) != active_.end()) {
    errors::recursive_function(out_, span, function.name.name, function.name.span);
    return nullptr;
  }
  return ok && !broken_.count(id) ? call_function(function, std::move(arguments), span) : nullptr;
}

ExprPtr Checker::call_function(const ast::Function& function, std::vector<ExprPtr> arguments, Span span) {
  InstanceId instance = instantiate(function, arguments, span);
  if (instance < 0)
    return nullptr;
  auto made = std::make_shared<Expr>(
      *make(FunctionCall{instance, arguments}, program_.instance(instance).result, span, arguments));
  made->learnable |= function.is_net;
  return made;
}

} // namespace plait::program
