#include "compiler/elbo/executor.hpp"

#include "compiler/catalog/array_math.hpp"
#include "compiler/catalog/ops.hpp"
#include "compiler/catalog/ops/rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

namespace plait::elbo {

using catalog::as_integer;
using catalog::as_real;
using ir::Element;
using ir::Extent;
using ir::Value;
using program::Frame;

Value as_boolean(Value value) {
  const Element element = value.type().element;
  if (element == Element::boolean)
    return value;
  if (element == Element::integer)
    return ir::not_equal(value, value.builder().integer(0));
  return ir::not_equal(value, value.builder().real(0));
}

namespace {

Value converted(Value value, Element element) {
  switch (element) {
  case Element::real:
    return as_real(value);
  case Element::integer:
    return as_integer(value);
  case Element::boolean:
    return as_boolean(value);
  }
  return value;
}

Element element_of(const program::Type& type) {
  return type.element == program::Element::real ? Element::real : Element::integer;
}

} // namespace

Executor::Values Executor::evaluate_all(const program::ExprPtr& expr) {
  if (const auto* tuple = program::get_if<program::TupleExpr>(expr)) {
    Values values;
    for (const program::ExprPtr& element : tuple->elements)
      values.push_back(evaluate(element));
    return values;
  }
  if (const auto* call = program::get_if<program::FunctionCall>(expr))
    return evaluate_function(*call);
  if (const auto* choice = program::get_if<program::Select>(expr); choice && expr->type.is_tuple()) {
    const Value condition = boolean(choice->condition);
    const Values yes = evaluate_all(choice->then_value);
    const Values no = evaluate_all(choice->else_value);
    Values values;
    for (std::size_t k = 0; k < yes.size(); ++k)
      values.push_back(select(condition, yes[k], no[k], expr->type.tuple[k]));
    return values;
  }
  return {evaluate(expr)};
}

Value Executor::real(const program::ExprPtr& expr) {
  return as_real(evaluate(expr));
}
Value Executor::integer(const program::ExprPtr& expr) {
  return as_integer(evaluate(expr));
}
Value Executor::boolean(const program::ExprPtr& expr) {
  return as_boolean(evaluate(expr));
}

Value Executor::dim_value(const program::Dim& dim) {
  Value total = builder_->integer(dim.constant);
  bool first = dim.constant == 0;
  for (const program::SizeTerm& term : dim.terms) {
    Value size;
    if (term.row == program::SizeTerm::Row::plate) {
      const auto lengths = program_->sizes.find(term.name);
      size = symbol_value(lengths->second.lengths, {});
      const ir::AxisId axis = sizes_->axis(term.plate);
      size = builder_->gather(size, builder_->plate_row(axis), 0);
    } else {
      program::Dim alone;
      alone.terms = {term};
      alone.terms.front().factor = 1;
      size = builder_->extent(sizes_->extent(alone));
    }
    if (term.factor != 1)
      size = ir::integer_multiply(size, builder_->integer(term.factor));
    total = first ? size : ir::integer_add(total, size);
    first = false;
  }
  return total;
}

Value Executor::evaluate(const program::ExprPtr& expr) {
  return std::visit(
      [&](const auto& node) -> Value {
        using Node = std::decay_t<decltype(node)>;
        if constexpr (std::is_same_v<Node, program::Constant>) {
          return expr->type.is_real() ? builder_->real(node.value)
                                      : builder_->integer(static_cast<std::int64_t>(node.value));
        } else if constexpr (std::is_same_v<Node, program::SizeValue>) {
          return dim_value(node.dim);
        } else if constexpr (std::is_same_v<Node, program::Name>) {
          return evaluate_name(node, *expr);
        } else if constexpr (std::is_same_v<Node, program::Unary>) {
          if (node.op == ast::UnaryOp::logical_not)
            return ir::logical_not(boolean(node.operand));
          const Value operand = evaluate(node.operand);
          if (operand.type().element == Element::real)
            return -operand;
          return ir::integer_subtract(builder_->integer(0), as_integer(operand));
        } else if constexpr (std::is_same_v<Node, program::Binary>) {
          return noting_jump(evaluate_binary(node), expr->span);
        } else if constexpr (std::is_same_v<Node, program::ToReal>) {
          return real(node.operand);
        } else if constexpr (std::is_same_v<Node, program::Apply>) {
          return noting_jump(evaluate_apply(node), expr->span);
        } else if constexpr (std::is_same_v<Node, program::BuiltinCall>) {
          return evaluate_builtin(node, *expr);
        } else if constexpr (std::is_same_v<Node, program::FunctionCall>) {
          return evaluate_function(node).at(0);
        } else if constexpr (std::is_same_v<Node, program::LayerCall>) {
          return evaluate_layer(node);
        } else if constexpr (std::is_same_v<Node, program::Index>) {
          return evaluate_index(node);
        } else if constexpr (std::is_same_v<Node, program::TupleExpr>) {
          throw std::logic_error("a tuple where one value is needed");
        } else if constexpr (std::is_same_v<Node, program::ArrayExpr>) {
          Values parts;
          const std::vector<Extent> shape =
              sizes_->shape({expr->type.dims.begin() + 1, expr->type.dims.end()});
          for (const program::ExprPtr& element : node.elements)
            parts.push_back(catalog::fill(converted(evaluate(element), element_of(expr->type)), shape));
          return builder_->stack(parts);
        } else {
          static_assert(std::is_same_v<Node, program::Select>);
          return select(boolean(node.condition), evaluate(node.then_value), evaluate(node.else_value),
                        expr->type);
        }
      },
      expr->node);
}

Value Executor::select(Value condition, Value then_value, Value else_value, const program::Type& type) {
  const Element element = element_of(type);
  return ir::select(condition, converted(then_value, element), converted(else_value, element));
}

/** Keeps the place of a comparison or rounding of real numbers. */
Value Executor::noting_jump(Value value, Span span) {
  const ir::Node& node = builder_->graph().node(value.id());
  if (node.kind != ir::Kind::map || node.operands.empty() ||
      builder_->graph().type(node.operands.front()).element != Element::real)
    return value;
  const bool rounds =
      node.op == &op::floor || node.op == &op::ceil || node.op == &op::round || node.op == &op::sign;
  if (rounds || node.type.element == Element::boolean)
    jumps.push_back({value.id(), span});
  return value;
}

Value Executor::evaluate_binary(const program::Binary& binary) {
  using ast::BinaryOp;
  if (binary.op == BinaryOp::logical_and)
    return ir::logical_and(boolean(binary.left), boolean(binary.right));
  if (binary.op == BinaryOp::logical_or)
    return ir::logical_or(boolean(binary.left), boolean(binary.right));
  Value left = evaluate(binary.left);
  Value right = evaluate(binary.right);
  if (binary.op == BinaryOp::matrix_product)
    return builder_->matmul(as_real(left), as_real(right));
  const bool is_real = left.type().element == Element::real || right.type().element == Element::real ||
                       binary.op == BinaryOp::divide || binary.op == BinaryOp::power;
  left = is_real ? as_real(left) : as_integer(left);
  right = is_real ? as_real(right) : as_integer(right);
  switch (binary.op) {
  case BinaryOp::add:
    return is_real ? left + right : ir::integer_add(left, right);
  case BinaryOp::subtract:
    return is_real ? left - right : ir::integer_subtract(left, right);
  case BinaryOp::multiply:
    return is_real ? left * right : ir::integer_multiply(left, right);
  case BinaryOp::divide:
    return left / right;
  case BinaryOp::power: {
    const auto exponent = program::constant_value(binary.right);
    if (exponent == 2.0)
      return ir::square(left);
    if (exponent == 0.5)
      return ir::sqrt(left);
    return ir::pow(left, right);
  }
  case BinaryOp::equal:
    return ir::equal(left, right);
  case BinaryOp::not_equal:
    return ir::not_equal(left, right);
  case BinaryOp::less:
    return ir::less(left, right);
  case BinaryOp::less_equal:
    return ir::less_equal(left, right);
  case BinaryOp::greater:
    return ir::greater(left, right);
  case BinaryOp::greater_equal:
    return ir::greater_equal(left, right);
  default:
    throw std::logic_error("unknown binary operator");
  }
}

Value Executor::evaluate_apply(const program::Apply& apply) {
  Values inputs;
  for (std::size_t k = 0; k < apply.arguments.size(); ++k) {
    const Value value = evaluate(apply.arguments[k]);
    switch (apply.op->result.get()) {
    case ir::ResultRule::real:
    case ir::ResultRule::real_comparison:
      inputs.push_back(as_real(value));
      break;
    case ir::ResultRule::integer:
    case ir::ResultRule::integer_comparison:
      inputs.push_back(as_integer(value));
      break;
    case ir::ResultRule::boolean:
      inputs.push_back(as_boolean(value));
      break;
    case ir::ResultRule::select:
      inputs.push_back(k == 0 ? as_boolean(value) : value);
      break;
    case ir::ResultRule::to_real:
    case ir::ResultRule::to_integer:
      inputs.push_back(value);
      break;
    }
  }
  return builder_->map(*apply.op, inputs);
}

Value Executor::evaluate_name(const program::Name& name, const program::Expr& expr) {
  std::vector<program::Subscript> none;
  if (const Value drawn = drawn_data(name, none))
    return drawn;
  if (const Value simulated = simulated_data(name, none, expr.span))
    return simulated;
  Value value = symbol_value(name.symbol, expr.span);
  const program::Symbol& symbol = program_->symbol(name.symbol);
  return spread_value(value, symbol, name.spread, expr.span);
}

// An axis of values stands for the variable of every element at once, so an array over the elements would
// hold one and the same value in all its places.
void Executor::check_summed_apart(Value value, const program::Symbol& symbol,
                                  const std::vector<Frame>& spread, Span span) const {
  for (ir::AxisId axis : value.type().axes) {
    const auto summed = summed_axes_.find(axis);
    if (summed == summed_axes_.end())
      continue;
    for (const Frame& frame : spread) {
      if (frame.kind != Frame::Kind::plate || !ir::contains(summed->second.plates, sizes_->axis(frame.id)))
        continue;
      const program::Symbol& site = program_->symbol(summed->second.symbol);
      const std::string& plate = program_->plate(frame.id).name;
      throw Unsupported(span, fmt::format("{}`{}` is summed out in each element of plate {} by itself, and "
                                          "cannot be read for all of them together",
                                          site.name == symbol.name
                                              ? ""
                                              : fmt::format("`{}` depends on `{}`: ", symbol.name, site.name),
                                          site.name, plate))
          .note(site.span, fmt::format("`{}` belongs to plate {}", site.name, plate))
          .with_hint(fmt::format("read it inside the plate, or let the guide draw `{}`, without `using "
                                 "enumerate`",
                                 site.name));
    }
  }
}

Value Executor::spread_value(Value value, const program::Symbol& symbol, const std::vector<Frame>& spread,
                             Span span) {
  if (spread.empty())
    return value;
  check_summed_apart(value, symbol, spread, span);
  // Closed loops are already leading dimensions, in their order; closed plates become dimensions now. `dims`
  // names the frame behind each leading dimension, outermost first.
  std::vector<Frame> dims;
  for (const Frame& frame : symbol.frames)
    if (frame.kind == Frame::Kind::loop && std::find(spread.begin(), spread.end(), frame) != spread.end())
      dims.push_back(frame);
  for (auto frame = spread.rbegin(); frame != spread.rend(); ++frame) {
    if (frame->kind != Frame::Kind::plate)
      continue;
    value = builder_->axis_to_dim(value, sizes_->axis(frame->id));
    dims.insert(dims.begin(), *frame);
  }
  if (dims != spread) {
    std::vector<std::int32_t> permutation;
    for (const Frame& frame : spread)
      permutation.push_back(
          static_cast<std::int32_t>(std::find(dims.begin(), dims.end(), frame) - dims.begin()));
    for (std::size_t k = permutation.size(); k < value.type().shape.size(); ++k)
      permutation.push_back(static_cast<std::int32_t>(k));
    value = builder_->transpose(value, permutation);
  }
  return value;
}

Value Executor::evaluate_lag(const program::Index& index, std::vector<program::Subscript>& rest) {
  const auto* name = program::get_if<program::Name>(index.base);
  if (!name)
    return {};
  for (const OpenLoop& loop : loops_) {
    const auto position = spread_position(*name, loop.id);
    if (!position)
      continue;
    const program::Symbol& symbol = program_->symbol(name->symbol);
    const auto lag = lag_of(program_->loop(loop.id), index.subscripts.at(*position).element);
    const auto found = loop.lagged.find(symbol.id);
    if (!lag || found == loop.lagged.end() || *lag < 1 ||
        *lag > static_cast<std::int64_t>(found->second.size()))
      throw Unsupported(index.base->span,
                        fmt::format("reading {} at this distance from the open iteration", symbol.name));
    Value value = read_by_baseline(found->second[static_cast<std::size_t>(*lag - 1)]);
    // Loops inside the carried one have left leading dimensions; those open here are read at their index.
    std::vector<Frame> spread = name->spread;
    spread.erase(spread.begin() + static_cast<std::ptrdiff_t>(*position));
    std::int32_t dim = 0;
    bool inside = false;
    for (const Frame& frame : symbol.frames) {
      if (inside && frame.kind == Frame::Kind::loop) {
        const auto open = std::find_if(loops_.begin(), loops_.end(),
                                       [&](const OpenLoop& other) { return other.id == frame.id; });
        if (open != loops_.end() && std::find(spread.begin(), spread.end(), frame) == spread.end())
          value = builder_->gather(value, open->index, dim);
        else
          ++dim;
      }
      inside = inside || frame == Frame{Frame::Kind::loop, loop.id};
    }
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(*position));
    return spread_value(value, symbol, spread, index.base->span);
  }
  return {};
}

Value Executor::evaluate_index(const program::Index& index) {
  std::vector<program::Subscript> subscripts = index.subscripts;
  Value value = evaluate_lag(index, subscripts);
  if (const auto* name = program::get_if<program::Name>(index.base); name && !value)
    value = drawn_data(*name, subscripts);
  if (const auto* name = program::get_if<program::Name>(index.base); name && !value)
    value = simulated_data(*name, subscripts, index.base->span);
  if (!value)
    value = evaluate(index.base);
  std::int32_t dim = 0;
  for (const program::Subscript& subscript : subscripts) {
    switch (subscript.kind) {
    case program::Subscript::Kind::all:
      ++dim;
      break;
    case program::Subscript::Kind::slice: {
      const Extent lower = sizes_->extent(subscript.lower);
      value = builder_->slice(value, dim, lower, sizes_->extent(subscript.upper - subscript.lower));
      ++dim;
      break;
    }
    case program::Subscript::Kind::element: {
      Value position = integer(subscript.element);
      const bool safe =
          subscript.element->type.element == program::Element::index ||
          program::get_if<program::Constant>(subscript.element) || [&] {
            const auto* name = program::get_if<program::Name>(subscript.element);
            if (!name)
              return false;
            const program::SymbolKind kind = program_->symbol(name->symbol).kind;
            return kind == program::SymbolKind::plate_index || kind == program::SymbolKind::loop_index;
          }();
      if (!safe) {
        const Extent extent = value.type().shape.at(static_cast<std::size_t>(dim));
        position = inside(position, ir::integer_subtract(builder_->extent(extent), builder_->integer(1)));
      }
      const auto inserted = static_cast<std::int32_t>(position.type().shape.size());
      value = builder_->gather(value, position, dim);
      dim += inserted;
      break;
    }
    }
  }
  return value;
}

Value Executor::inside(Value position, Value last) const {
  const Value zero = builder_->integer(0);
  position = ir::select(ir::less(position, zero), zero, position);
  return ir::select(ir::greater(position, last), last, position);
}

Value Executor::evaluate_layer(const program::LayerCall& call) {
  const program::Layer& layer = program_->layer(call.layer);
  Values inputs;
  for (const program::ExprPtr& argument : call.arguments) {
    const Value value = evaluate(argument);
    inputs.push_back(argument->type.is_real() ? as_real(value) : as_integer(value));
  }
  const std::vector<Extent> sizes = sizes_->shape(layer.sizes);
  std::vector<std::vector<Extent>> shapes;
  for (const auto& input : layer.inputs)
    shapes.push_back(sizes_->shape(input));
  Values weights;
  for (const catalog::LayerWeight& weight : layer.layer->weights.get()(sizes, shapes)) {
    guide::RegisteredParameter registration;
    registration.start.initializer = weight.initializer;
    registration.shape = weight.shape;
    weights.push_back(parameters_->declare(fmt::format("{}.{}", layer.name, weight.name), weight.shape, {},
                                           program_->function(layer.net).name, std::move(registration)));
    if (holds_weights_)
      weights.back() = ir::stop_gradient(weights.back());
  }
  return layer.layer->value.get()(*builder_, inputs, weights);
}

Executor::Values Executor::evaluate_function(const program::FunctionCall& call) {
  const program::Instance& instance = program_->instance(call.instance);
  // All arguments before any parameter: in f(a, f(b, c)) the inner call has the same parameters.
  Values arguments;
  for (const program::ExprPtr& argument : call.arguments)
    arguments.push_back(evaluate(argument));
  for (std::size_t k = 0; k < arguments.size(); ++k)
    bound_[static_cast<std::size_t>(instance.parameters[k])] = arguments[k];
  const bool in_baseline = std::exchange(in_baseline_, false); // a net's own layers learn
  auto result = walk(instance.body);
  in_baseline_ = in_baseline;
  if (!result)
    throw std::logic_error("a function without return");
  return *result;
}

} // namespace plait::elbo
