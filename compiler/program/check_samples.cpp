#include "compiler/catalog/ops.hpp"
#include "compiler/program/checker.hpp"
#include "compiler/program/describe.hpp"
#include "compiler/program/extents.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace plait::program {

namespace {

using catalog::SupportKind;

bool is_integer_like(const Type& type) {
  return type.element != Element::real;
}

/// No parameter has the rank of a draw, so the event's size is written in the call: lkj_corr_cholesky(eta,
/// 3).
bool needs_size(const catalog::Distribution& row) {
  if (row.event_rank == 0)
    return false;
  const std::vector<catalog::DistributionParameter> parameters = row.parameters.get()();
  return std::none_of(parameters.begin(), parameters.end(), [&](const catalog::DistributionParameter& one) {
    return one.rank > 0 && one.rank >= row.event_rank;
  });
}

/// The name from which an elementwise expression has its dimensions; null when they are made otherwise.
ExprPtr array_behind(const ExprPtr& expr) {
  if (get_if<Name>(expr))
    return expr;
  std::vector<ExprPtr> operands;
  if (const auto* unary = get_if<Unary>(expr))
    operands = {unary->operand};
  else if (const auto* binary = get_if<Binary>(expr); binary && binary->op != ast::BinaryOp::matrix_product)
    operands = {binary->left, binary->right};
  else if (const auto* real = get_if<ToReal>(expr))
    operands = {real->operand};
  else if (const auto* apply = get_if<Apply>(expr))
    operands = apply->arguments;
  for (const ExprPtr& operand : operands)
    if (operand->type.dims == expr->type.dims)
      return array_behind(operand);
  return nullptr;
}

} // namespace

/// Puts positional and named arguments in the order of the distribution's parameters. The size of a matrix
/// that no parameter fixes is the last of them.
bool Checker::order_arguments(const ast::Call& call, const catalog::Distribution& row,
                              std::vector<ast::ExprPtr>& ordered) {
  std::vector<catalog::DistributionParameter> parameters = row.parameters.get()();
  if (needs_size(row))
    parameters.push_back({.name = "size", .integer = true});
  std::string name(row.name);
  std::string signature;
  for (const auto& parameter : parameters)
    signature += (signature.empty() ? "" : ", ") + std::string(parameter.name);
  signature = name + "(" + signature + ")";
  ordered.assign(parameters.size(), nullptr);
  if (call.arguments.size() > parameters.size()) {
    errors::wrong_parameter_count(out_, cover(call.callee.span, call.arguments.back()->span), signature,
                                  call.arguments.size() + call.named.size());
    return false;
  }
  std::copy(call.arguments.begin(), call.arguments.end(), ordered.begin());
  for (const ast::NamedArgument& named : call.named) {
    auto found = std::find_if(parameters.begin(), parameters.end(),
                              [&](const auto& parameter) { return parameter.name == named.name.name; });
    if (found == parameters.end()) {
      errors::unknown_parameter(out_, named.name.span, name, named.name.name, signature);
      return false;
    }
    auto position = static_cast<std::size_t>(found - parameters.begin());
    if (ordered[position]) {
      errors::parameter_given_twice(out_, named.name.span, name, named.name.name);
      return false;
    }
    ordered[position] = named.value;
  }
  for (const ast::ExprPtr& argument : ordered)
    if (!argument) {
      errors::wrong_parameter_count(out_, call.callee.span, signature,
                                    call.arguments.size() + call.named.size());
      return false;
    }
  return true;
}

bool Checker::check_distribution(const ast::Sample& sample, Sample& typed) {
  typed.call_span = sample.distribution->span;
  return peel_transforms(sample, typed);
}

bool Checker::check_distribution_call(const ast::Call& call, const std::vector<ast::ExprPtr>& copies_written,
                                      Sample& typed) {
  const std::string& name = call.callee.name;
  typed.distribution = catalog::find_distribution(name);
  if (!typed.distribution) {
    std::vector<std::string> candidates;
    for (const catalog::Distribution* row : catalog::distributions())
      candidates.emplace_back(row->name);
    errors::unknown_distribution(out_, call.callee.span, name, similar(name, candidates),
                                 functions_.count(name) > 0 || find_builtin(name) || catalog::find_op(name));
    bool ok = true;
    check_arguments(call.arguments, ok);
    return false;
  }
  if (!call.sizes.empty()) {
    errors::copies_before_arguments(out_, call.callee.span, name);
    return false;
  }
  std::vector<ast::ExprPtr> ordered;
  if (!order_arguments(call, *typed.distribution, ordered))
    return false;
  bool ok = true;
  if (needs_size(*typed.distribution)) {
    const ast::ExprPtr written = ordered.back();
    ordered.pop_back();
    const auto size = check_dim(written);
    ok = size.has_value();
    // The density is unrolled over the rows of the matrix.
    if (size && !size->is_known()) {
      errors::event_size_not_constant(out_, written->span, name, to_string(*size));
      ok = false;
    }
    typed.event.assign(static_cast<std::size_t>(typed.distribution->event_rank.get()),
                       size.value_or(Dim::known(1)));
  }
  typed.arguments = check_arguments(ordered, ok);
  for (const ast::ExprPtr& copies : copies_written) {
    auto dim = check_dim(copies);
    ok = ok && dim;
    typed.copies.push_back(dim.value_or(Dim::known(1)));
  }
  if (!ok)
    return false;
  std::vector<catalog::DistributionParameter> parameters = typed.distribution->parameters.get()();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const catalog::DistributionParameter& parameter = parameters[i];
    ExprPtr& argument = typed.arguments[i];
    std::string what = "`" + std::string(parameter.name) + "` of " + name;
    if (parameter.integer) {
      if (!is_integer_like(argument->type)) {
        errors::wrong_element(out_, argument->span, what, "int", to_string(argument->type));
        ok = false;
        continue;
      }
    } else {
      argument = to_real(argument);
    }
    if (static_cast<int>(argument->type.dims.size()) < parameter.rank) {
      errors::parameter_rank(out_, argument->span, what, parameter.rank, to_string(argument->type));
      ok = false;
      continue;
    }
    Type constraint;
    constraint.element = parameter.integer ? Element::integer : Element::real;
    constraint.support.kind = parameter.constraint;
    ok = check_constant_inside(argument, constraint, what) && ok;
    if (catalog::event_rank(parameter.constraint) == 2) {
      const auto& dims = argument->type.dims;
      if (!(dims[dims.size() - 1] == dims[dims.size() - 2])) {
        errors::parameter_not_square(out_, argument->span, what, to_string(argument->type));
        ok = false;
      }
    }
  }
  return ok;
}

std::optional<Dim> Checker::support_size(const catalog::Distribution& row,
                                         const std::vector<ExprPtr>& arguments) const {
  if (!row.support_size)
    return std::nullopt;
  // The row answers from shapes and literals, so a scratch graph that has nothing else is enough.
  ir::Graph graph;
  ir::Builder builder(graph);
  ExtentNames names;
  std::vector<ir::Value> values;
  std::vector<catalog::DistributionParameter> parameters = row.parameters.get()();
  try {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      const Type& type = arguments[i]->type;
      auto rank = static_cast<std::ptrdiff_t>(parameters[i].rank);
      std::vector<Dim> event(type.dims.end() - rank, type.dims.end());
      auto number = constant_value(arguments[i]);
      if (number && event.empty()) {
        values.push_back(parameters[i].integer ? builder.integer(static_cast<std::int64_t>(*number))
                                               : builder.real(*number));
        continue;
      }
      ir::Type shape;
      shape.element = parameters[i].integer ? ir::Element::integer : ir::Element::real;
      shape.shape = names.extents(event);
      values.push_back(builder.zeros(shape));
    }
    auto extent = row.support_size(values);
    return extent ? std::optional<Dim>(names.dim(*extent)) : std::nullopt;
  } catch (const std::logic_error&) {
    return std::nullopt;
  }
}

/// The batch and event dimensions of a draw. Parameters must agree with each other; copies come first.
bool Checker::check_distribution_shape(const catalog::Distribution& row, Sample& typed,
                                       std::vector<Dim>& dims) {
  std::vector<catalog::DistributionParameter> parameters = row.parameters.get()();
  const ExprPtr* batch_from = nullptr;
  const ExprPtr* event_from = nullptr;
  std::vector<Dim> batch;
  std::vector<Dim> event = typed.event;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const std::vector<Dim>& given = typed.arguments[i]->type.dims;
    auto split = given.end() - parameters[i].rank;
    std::vector<Dim> own_batch(given.begin(), split);
    if (!own_batch.empty()) {
      if (batch_from && !(own_batch == batch)) {
        errors::parameters_disagree(out_, typed.call_span, std::string(row.name), (*batch_from)->span,
                                    to_string((*batch_from)->type), typed.arguments[i]->span,
                                    to_string(typed.arguments[i]->type));
        return false;
      }
      batch = own_batch;
      batch_from = &typed.arguments[i];
    }
    if (parameters[i].rank == 0 || row.event_rank == 0 || parameters[i].rank < row.event_rank)
      continue;
    std::vector<Dim> own_event(given.end() - row.event_rank, given.end());
    if (event_from && !(own_event == event)) {
      errors::parameters_disagree(out_, typed.call_span, std::string(row.name), (*event_from)->span,
                                  to_string((*event_from)->type), typed.arguments[i]->span,
                                  to_string(typed.arguments[i]->type));
      return false;
    }
    event = own_event;
    event_from = &typed.arguments[i];
  }
  dims = typed.copies;
  dims.insert(dims.end(), batch.begin(), batch.end());
  dims.insert(dims.end(), event.begin(), event.end());
  return true;
}

/// Says where an array comes from in place of one number: a value of a plate that is closed here, or an array
/// over an open plate without its index.
void Checker::explain_array(Diagnostic& error, const std::vector<ExprPtr>& arguments) {
  for (const ExprPtr& argument : arguments) {
    const ExprPtr found = argument->type.dims.empty() ? nullptr : array_behind(argument);
    const auto* name = get_if<Name>(found);
    if (!name)
      continue;
    const Symbol& array = symbol(name->symbol);
    for (const Frame& frame : name->spread)
      if (frame.kind == Frame::Kind::plate) {
        error.note(found->span, fmt::format("`{}` belongs to plate {}: outside it, it is the array of all "
                                            "elements",
                                            array.name, program_.plate(frame.id).name));
        return;
      }
    if (array.kind == SymbolKind::site) {
      error.note(array.span, fmt::format("`{}` has shape {} here", array.name, to_string(found->type.dims)));
      return;
    }
    for (PlateId id : open_plates())
      if (program_.plate(id).size == found->type.dims.front()) {
        const std::string index = open_index_of(id);
        error.note(found->span,
                   fmt::format("`{}` is an array over plate {}", array.name, program_.plate(id).name));
        error.with_hint(fmt::format("take the element of this plate: `{}[{}]`", array.name, index));
        return;
      }
  }
}

/// The name under which the index of an open plate is known here.
std::string Checker::open_index_of(PlateId plate) {
  for (const Names& scope : now_.scopes)
    for (const auto& [name, id] : scope)
      if (symbol(id).kind == SymbolKind::plate_index && symbol(id).frame_id == plate)
        return name;
  return program_.plate(plate).index_name;
}

bool Checker::check_observed(const ast::Sample& sample, const Symbol& data, Sample& typed) {
  const std::string name = data.name;
  Span declared = data.span;
  typed.observed = true;
  typed.symbol = data.id;
  if (now_.block == BlockKind::guide) {
    errors::guide_samples_data(out_, sample.target.span, name, declared);
    return false;
  }
  if (now_.block == BlockKind::predict) {
    errors::predict_samples_data(out_, sample.target.span, name, declared);
    return false;
  }
  if (sample.strategy) {
    errors::observed_with_strategy(out_, sample.strategy->span, name);
    return false;
  }
  ast::Index index;
  auto base = std::make_shared<ast::Expr>();
  base->node = ast::Name{name};
  base->span = sample.target.name.span;
  index.base = base;
  index.subscripts = sample.target.subscripts;
  typed.value = index.subscripts.empty() ? check_name(name, sample.target.span)
                                         : check_index(index, sample.target.span);
  std::vector<Dim> dims;
  if (!typed.value || !check_distribution(sample, typed) ||
      !check_distribution_shape(*typed.distribution, typed, dims))
    return false;

  for (PlateId plate : open_plates())
    if (!std::binary_search(typed.value->varies.begin(), typed.value->varies.end(), plate)) {
      errors::observed_without_plate_index(out_, sample.target.span, name, program_.plate(plate));
      return false;
    }

  const catalog::Distribution& row = *typed.distribution;
  const Type& type = typed.value->type;
  catalog::Support support = row.support;
  typed.source_dims = dims;
  if (!apply_transforms(typed, dims, support))
    return false;
  std::string row_name(row.name);
  if (catalog::is_discrete(support.kind)) {
    bool needs_bits = support.kind == SupportKind::bit;
    bool needs_index = support.kind == SupportKind::category;
    bool fits = is_integer_like(type);
    if (needs_bits)
      fits = type.element == Element::bit;
    if (needs_index)
      fits = type.element == Element::index || type.element == Element::bit;
    if (!fits) {
      errors::observed_element(out_, sample.target.span, name, to_string(type), row_name,
                               needs_bits    ? "bit"
                               : needs_index ? "index<K>"
                                             : "int",
                               declared);
      return false;
    }
    auto size = needs_index ? support_size(row, typed.arguments) : std::nullopt;
    if (size && type.index_size && !(*size == *type.index_size)) {
      errors::observed_categories(out_, sample.target.span, name, to_string(*type.index_size), row_name,
                                  to_string(*size), declared);
      return false;
    }
  } else {
    bool constrained = catalog::event_rank(support.kind) > 0 || support.kind == SupportKind::unit_interval;
    if (is_integer_like(type) && constrained) {
      errors::observed_element(out_, sample.target.span, name, to_string(type), row_name,
                               catalog::to_string(support), declared);
      return false;
    }
    typed.value = to_real(typed.value);
  }
  // A scalar distribution observes each element of an array; anything else must have the same shape.
  auto event = static_cast<std::size_t>(row.event_rank.get());
  for (const Transform& transform : typed.transforms)
    event = std::max(event, static_cast<std::size_t>(transform.row->event_rank.get()));
  bool scalar_batch = dims.size() == event && typed.copies.empty();
  const std::vector<Dim>& observed = typed.value->type.dims;
  bool same = dims == observed;
  if (!same && scalar_batch && observed.size() >= event) {
    std::vector<Dim> tail(observed.end() - static_cast<std::ptrdiff_t>(event), observed.end());
    same = tail == dims;
  }
  if (!same) {
    explain_array(errors::observed_shape(out_, typed.call_span, name, to_string(type), row_name,
                                         to_string(dims), sample.target.span),
                  typed.arguments);
    return false;
  }
  typed.type = typed.value->type;
  if (observed.size() > dims.size())
    typed.source_dims.insert(typed.source_dims.begin(), observed.begin(),
                             observed.end() - static_cast<std::ptrdiff_t>(dims.size()));
  return true;
}

bool Checker::check_using(const ast::Choice& choice, Using& typed) {
  typed.span = choice.span;
  const std::string& name = choice.name.name;
  if (name == "pathwise")
    typed.strategy = Strategy::pathwise;
  else if (name == "score")
    typed.strategy = Strategy::score;
  else if (name == "enumerate")
    typed.strategy = Strategy::enumerate;
  else {
    errors::unknown_strategy(out_, choice.name.span, name, nearest(name, {"pathwise", "score", "enumerate"}));
    return false;
  }
  if (!choice.arguments.empty()) {
    errors::strategy_argument(out_, choice.arguments.front()->span, name);
    return false;
  }
  bool ok = true;
  for (const ast::NamedArgument& argument : choice.named) {
    bool baseline = argument.name.name == "baseline";
    if (typed.strategy != Strategy::score || (!baseline && argument.name.name != "decay")) {
      errors::strategy_argument(out_, argument.name.span, name);
      ok = false;
      continue;
    }
    auto* word = ast::get_if<ast::Name>(argument.value);
    if (baseline && word &&
        (word->name == "average" || word->name == "none" || word->name == "leave_one_out") &&
        !find_symbol(word->name)) {
      typed.baseline_name = word->name;
      continue;
    }
    if (baseline && word && !find_symbol(word->name)) {
      errors::unknown_baseline(out_, argument.value->span, word->name);
      ok = false;
      continue;
    }
    ExprPtr value = check_expr(argument.value);
    if (!value) {
      ok = false;
      continue;
    }
    if (!value->type.is_scalar()) {
      errors::baseline_not_scalar(out_, value->span, argument.name.name, to_string(value->type));
      ok = false;
      continue;
    }
    value = to_real(value);
    if (baseline)
      typed.baseline = value;
    else if (auto decay = constant_value(value); decay && *decay >= 0 && *decay < 1)
      typed.options["decay"] = value;
    else {
      errors::decay_out_of_range(out_, value->span);
      ok = false;
    }
  }
  return ok;
}

void Checker::check_sample(const ast::Sample& sample, Span span, Block& into) {
  if (refuse_in_function("`~`", span))
    return;
  Sample typed;
  typed.id = program_.sample_count++;
  typed.span = span;
  typed.target_span = sample.target.span;
  typed.frames = now_.frames;
  const std::string& name = sample.target.name.name;
  auto file_level = file_names_.find(name);
  bool is_data = file_level != file_names_.end() && symbol(file_level->second).kind == SymbolKind::data;
  if (is_data && poisoned(file_level->second))
    return;
  bool ok = is_data ? check_observed(sample, Symbol(symbol(file_level->second)), typed)
                    : check_latent(sample, typed);
  if (ok)
    into.statements.push_back({std::move(typed), span});
}

} // namespace plait::program
