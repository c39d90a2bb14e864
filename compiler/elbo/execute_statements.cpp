#include "compiler/elbo/executor.hpp"

#include "compiler/catalog/array_math.hpp"
#include "compiler/catalog/ops.hpp"
#include "compiler/elbo/ragged_subset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

namespace plait::elbo {

using catalog::as_integer;
using catalog::as_real;
using ir::Extent;
using ir::Value;
using program::Statement;

Executor::Executor(const program::Program& program, ir::Builder& builder, Sizes& sizes,
                   guide::Parameters& parameters, std::optional<ir::AxisId> particles)
    : program_(&program), builder_(&builder), sizes_(&sizes), parameters_(&parameters), particles_(particles),
      bound_(program.symbols.size()), hold_(builder) {}

void Executor::run(const program::Block& block, Role role) {
  role_ = role;
  // The predict walk through the model makes its names anew; what a walk before it has left is arrays over
  // closed loops, which an iteration must not take for its own.
  if (role == Role::predict && &block == &program_->model)
    for (const program::Symbol& symbol : program_->symbols)
      if (symbol.block == program::BlockKind::model &&
          (symbol.kind == program::SymbolKind::local || symbol.kind == program::SymbolKind::site))
        bound_[static_cast<std::size_t>(symbol.id)] = Value();
  walk(block);
  if (role == Role::guide)
    carried_draws = hold_.finish();
}

std::optional<Executor::Values> Executor::walk(const program::Block& block) {
  return walk_from(block.statements, 0);
}

std::optional<Executor::Values> Executor::walk_from(const std::vector<Statement>& statements,
                                                    std::size_t first) {
  for (std::size_t k = first; k < statements.size(); ++k) {
    const Statement& statement = statements[k];
    if (const auto* assign = program::get_if<program::Assign>(statement)) {
      walk_assign(*assign);
    } else if (const auto* sample = program::get_if<program::Sample>(statement)) {
      walk_sample(*sample, statement);
    } else if (const auto* param = program::get_if<program::ParamStatement>(statement)) {
      walk_param(*param);
    } else if (const auto* plate = program::get_if<program::PlateStatement>(statement)) {
      walk_plate(*plate);
    } else if (const auto* loop = program::get_if<program::ForStatement>(statement)) {
      walk_for(*loop);
    } else if (const auto* branch = program::get_if<program::IfStatement>(statement)) {
      // A branch that returns ends the function; what follows the `if` then belongs to the other branch.
      if (auto returned = walk_if(*branch, statements, k + 1))
        return returned;
    } else if (const auto* factor = program::get_if<program::FactorStatement>(statement)) {
      if (drawing.simulates)
        throw Unsupported(
            statement.span,
            fmt::format("simulating the {}: a `factor` is a density from which nothing is drawn",
                        role_ == Role::guide ? "guide" : "model"));
      if (role_ == Role::predict)
        continue;
      Term term;
      term.kind = TermKind::factor;
      term.site = fmt::format("factor@{}", statement.span.begin);
      term.span = statement.span;
      const ir::Origin outer = builder_->origin();
      builder_->set_origin({term.site, static_cast<std::uint32_t>(statement.span.begin),
                            static_cast<std::uint32_t>(statement.span.end)});
      term.log_prob = real(factor->value);
      builder_->set_origin(outer);
      if (role_ == Role::guide)
        term.log_prob = -term.log_prob; // a factor of the guide multiplies q
      add_term(std::move(term));
    } else if (const auto* result = program::get_if<program::ReturnStatement>(statement)) {
      return evaluate_all(result->value);
    }
  }
  return std::nullopt;
}

void Executor::walk_assign(const program::Assign& assign) {
  const Values values = evaluate_all(assign.value);
  for (std::size_t k = 0; k < assign.targets.size(); ++k) {
    const program::Symbol& symbol = program_->symbol(assign.targets[k]);
    Value value = values.at(k);
    // The checker lets a scalar stand for a whole array, and an int for a real.
    value = symbol.type.is_real() ? as_real(value) : as_integer(value);
    value = catalog::fill(value, sizes_->shape(symbol.type.dims));
    bound_[static_cast<std::size_t>(symbol.id)] = value;
    if (role_ == Role::predict && loops_.empty() && of_predict_block(symbol.id))
      produce(symbol.name, value);
    note_existence(symbol.id);
  }
}

void Executor::walk_plate(const program::PlateStatement& statement) {
  const program::Plate& plate = program_->plate(statement.plate);
  const ir::AxisId axis = sizes_->axis(statement.plate);
  OpenPlate open{statement.plate, axis, builder_->plate_row(axis), std::nullopt};
  if (builder_->graph().axis(open.axis).ragged_subset) {
    const RaggedSubset subset = ragged_subset(
        *builder_, open.axis, builder_->plate_row(sizes_->axis(plate.parent)), dim_value(plate.size));
    open.row = subset.element;
    open.mask = subset.exists;
  } else if (plate.size.is_ragged()) {
    open.mask = ir::less(open.row, dim_value(plate.size));
  }
  bound_[static_cast<std::size_t>(statement.index)] = open.row;
  plates_.push_back(open);
  walk(statement.body);
  plates_.pop_back();
}

Value Executor::element_scale(const std::vector<ir::AxisId>& plates) {
  Value scale;
  for (const program::Plate& plate : program_->plates) {
    const ir::AxisId axis = sizes_->axis(plate.id);
    if (!builder_->graph().axis(axis).ragged_subset || !ir::contains(plates, axis))
      continue;
    const Value factor = ragged_scale(*builder_, axis, dim_value(plate.size));
    scale = scale ? scale * factor : factor;
  }
  return scale;
}

std::optional<Executor::Values> Executor::walk_if(const program::IfStatement& statement,
                                                  const std::vector<Statement>& rest, std::size_t next) {
  if (const auto known = program::constant_value(statement.condition))
    return walk(*known != 0 ? statement.then_body : statement.else_body);
  const Value condition = boolean(statement.condition);
  const std::vector<Value> before = bound_;

  const auto open = [&](bool taken) {
    conditions_.push_back(taken ? condition : ir::logical_not(condition));
    path_.push_back({statement.condition, taken});
  };
  const auto close = [&] {
    conditions_.pop_back();
    path_.pop_back();
  };
  open(true);
  auto then_result = walk(statement.then_body);
  close();
  const std::vector<Value> after_then = bound_;

  bound_ = before;
  open(false);
  auto else_result = walk(statement.else_body);
  if ((then_result && !else_result) || (!then_result && else_result)) {
    // One branch has returned: the statements after the `if` run for the other one.
    if (then_result) {
      else_result = walk_from(rest, next);
    } else {
      const std::vector<Value> after_else = bound_;
      bound_ = after_then;
      close();
      open(true);
      then_result = walk_from(rest, next);
      bound_ = after_else;
    }
  }
  close();
  if (then_result && else_result) {
    Values merged;
    for (std::size_t k = 0; k < then_result->size(); ++k) {
      Value yes = (*then_result)[k];
      Value no = (*else_result)[k];
      if (yes.type().element != no.type().element) {
        yes = as_real(yes);
        no = as_real(no);
      }
      merged.push_back(ir::select(condition, yes, no));
    }
    return merged;
  }
  for (program::SymbolId id : statement.merged) {
    const auto k = static_cast<std::size_t>(id);
    const Value yes = after_then[k] ? after_then[k] : before[k];
    const Value no = bound_[k] ? bound_[k] : before[k];
    if (role_ == Role::model)
      check_followed(id, yes, no, statement.condition->span);
    // A value that may be none of those that are summed over stands beside the axis.
    const program::Type& type = program_->symbol(id).type;
    const bool is_finite =
        type.element == program::Element::bit || (type.element == program::Element::index && type.index_size);
    EnumeratedSite* summed = yes && no && is_finite ? find_summed(id) : nullptr;
    if (summed)
      bound_[k] = merge_summed(*summed, condition, {statement.condition, true}, yes, no);
    else if (yes && no)
      bound_[k] = select(condition, yes, no, program_->symbol(id).type);
    else
      bound_[k] = yes ? yes : no;
  }
  return std::nullopt;
}

void Executor::walk_param(const program::ParamStatement& statement) {
  bound_[static_cast<std::size_t>(statement.symbol)] = constrain_parameter(statement.symbol);
}

std::int32_t Executor::data_index(program::SymbolId symbol) {
  const ir::Graph& graph = builder_->graph();
  const std::string& name = program_->symbol(symbol).name;
  for (std::size_t k = 0; k < graph.data.size(); ++k)
    if (graph.data[k].name == name)
      return static_cast<std::int32_t>(k);
  return -1;
}

Value Executor::data_value(program::SymbolId id) {
  if (const std::int32_t index = data_index(id); index >= 0)
    return builder_->data(index);
  // The lengths of a ragged dimension that no data item declares: they come with the ragged array.
  const program::Symbol& symbol = program_->symbol(id);
  const ir::Graph& graph = builder_->graph();
  for (std::size_t k = 0; k < graph.data.size(); ++k)
    if (graph.data[k].ragged && graph.data[k].shape.at(1).name == Sizes::longest(symbol.name))
      return builder_->data_lengths(static_cast<std::int32_t>(k));
  throw Unsupported(symbol.span, fmt::format("reading data {} here", symbol.name));
}

Value Executor::symbol_value(program::SymbolId id, Span span) {
  const program::Symbol& symbol = program_->symbol(id);
  if (symbol.kind == program::SymbolKind::data)
    return data_value(id);
  Value& value = bound_[static_cast<std::size_t>(id)];
  if (!value && symbol.kind == program::SymbolKind::param)
    value = constrain_parameter(id);
  if (!value && symbol.kind == program::SymbolKind::constant && symbol.value)
    value = evaluate(symbol.value);
  if (!value && symbol.kind == program::SymbolKind::site) {
    // The predict block reads latents by the names of the model or guide.
    if (const auto latent = latents.find(symbol.name); latent != latents.end() && !summed_.contains(id))
      return latent->second.value;
  }
  if (const auto summed = summed_.find(id); !value && summed != summed_.end())
    throw Unsupported(span,
                      fmt::format("reading {0} after its loop: {1} is summed out step by step, so nothing "
                                  "that depends on it is known afterwards; read it inside the loop, at "
                                  "the last step",
                                  symbol.name, summed->second));
  if (!value)
    throw Unsupported(span, fmt::format("reading {} before it has a value at these indices", symbol.name));
  const bool learned = symbol.kind == program::SymbolKind::param;
  return learned ? value : read_by_baseline(value);
}

void Executor::refuse_in_ragged_subset(ir::AxisId axis, Span span, const std::string& what) const {
  if (builder_->graph().axis(axis).ragged_subset)
    throw Unsupported(span, fmt::format("{} for every element of plate {}, of which each row draws its own "
                                        "subsample: let a net of the element's data give it, or drop the "
                                        "`subsample`",
                                        what, builder_->graph().axis(axis).name));
}

Executor::Start Executor::start_of(const program::Symbol& parameter, const std::vector<ir::AxisId>& axes) {
  const std::vector<Extent> shape = sizes_->shape(parameter.type.dims);
  Start start;
  start.value = builder_->broadcast(catalog::fill(real(parameter.value), shape), axes, shape);
  for (const OpenPlate& plate : plates_)
    if (plate.mask && !axes.empty())
      start.exists = start.exists ? ir::logical_and(*start.exists, *plate.mask) : *plate.mask;
  if (start.exists)
    start.exists = builder_->broadcast(ir::to_real(*start.exists), axes, {});
  return start;
}

Value Executor::constrain_parameter(program::SymbolId id) {
  const program::Symbol& symbol = program_->symbol(id);
  const std::vector<Extent> shape = sizes_->shape(symbol.type.dims);
  std::vector<ir::AxisId> axes;
  for (const program::Frame& frame : symbol.frames)
    if (frame.kind == program::Frame::Kind::plate)
      axes.push_back(sizes_->axis(frame.id));
  std::sort(axes.begin(), axes.end());
  for (ir::AxisId axis : axes)
    refuse_in_ragged_subset(axis, symbol.span, fmt::format("parameter {}", symbol.name));
  if (wants_starts && symbol.value)
    starts[symbol.name] = start_of(symbol, axes);
  catalog::Support support = symbol.type.support;
  catalog::SupportBounds bounds;
  if (symbol.type.lower)
    bounds.lower = real(symbol.type.lower);
  if (symbol.type.upper)
    bounds.upper = real(symbol.type.upper);
  guide::RegisteredParameter registration;
  registration.support = support;
  registration.shape = shape;
  registration.start.expression = symbol.value;
  const std::string group = symbol.block == program::BlockKind::guide ? "guide" : "model";
  const Value unconstrained = parameters_->declare(
      symbol.name, catalog::unconstrained_shape(support.kind, shape), axes, group, std::move(registration));
  const bool is_value = given_values && given_values->contains(symbol.name);
  if (is_value)
    leave_bounds(symbol.name, symbol.span, axes, shape, bounds);
  const Value value = support.kind == catalog::SupportKind::real || is_value
                          ? unconstrained
                          : catalog::constrain(*builder_, support, bounds, unconstrained, shape).value;
  parameters_->at(parameters_->find(symbol.name)).constrained = value.id();
  return value;
}

} // namespace plait::elbo
