#include "compiler/elbo/executor.hpp"

#include "compiler/catalog/array_math.hpp"
#include "compiler/catalog/ops.hpp"
#include "compiler/program/builtins.hpp"

#include <functional>

namespace plait::elbo {

using catalog::as_integer;
using catalog::as_real;
using ir::Element;
using ir::Extent;
using ir::Value;
using program::BuiltinKind;

namespace {

std::vector<std::int32_t> every_dim(Value value) {
  std::vector<std::int32_t> dims(value.type().shape.size());
  for (std::size_t k = 0; k < dims.size(); ++k)
    dims[k] = static_cast<std::int32_t>(k);
  return dims;
}

Value number_of_elements(Value value) {
  ir::Builder& builder = value.builder();
  Value count = builder.integer(1);
  const std::vector<Extent> shape = value.type().shape;
  for (const Extent& extent : shape)
    count = ir::integer_multiply(count, builder.extent(extent));
  return ir::to_real(count);
}

Value positions(ir::Builder& builder, const Extent& extent) {
  return catalog::iota(builder, catalog::known(extent));
}

/** [.., K] of 0 and 1: whether the value equals k. */
Value one_hot(Value index, const Extent& size) {
  ir::Builder& builder = index.builder();
  const auto dim = static_cast<std::int32_t>(index.type().shape.size());
  Value number = positions(builder, size);
  const std::vector<Extent> shape = index.type().shape;
  for (std::size_t k = 0; k < shape.size(); ++k)
    number = builder.expand(number, static_cast<std::int32_t>(k), shape[k]);
  const Value repeated = dim == 0 ? index : builder.expand(index, dim, size);
  return ir::to_real(ir::equal(repeated, number));
}

Value product(Value value) {
  ir::Builder& builder = value.builder();
  const std::int64_t n = catalog::known(value.type().shape.at(0));
  if (value.type().shape.size() != 1) {
    std::int64_t total = 1;
    const std::vector<Extent> shape = value.type().shape;
    for (const Extent& extent : shape)
      total *= catalog::known(extent);
    return product(builder.reshape(value, {Extent::known(total)}));
  }
  Value result = builder.element(value, 0);
  for (std::int64_t k = 1; k < n; ++k) {
    const Value factor = builder.element(value, k);
    result = factor.type().element == Element::real ? result * factor : ir::integer_multiply(result, factor);
  }
  return result;
}

Value reversed(Value value) {
  ir::Builder& builder = value.builder();
  const std::int64_t n = catalog::known(value.type().shape.at(0));
  std::vector<double> order;
  for (std::int64_t k = n; k-- > 0;)
    order.push_back(static_cast<double>(k));
  return builder.gather(value, builder.literal(Element::integer, {Extent::known(n)}, std::move(order)), 0);
}

Value identity(ir::Builder& builder, const Extent& extent) {
  const std::int64_t n = catalog::known(extent);
  std::vector<double> numbers(static_cast<std::size_t>(n * n), 0.0);
  for (std::int64_t k = 0; k < n; ++k)
    numbers[static_cast<std::size_t>(k * n + k)] = 1.0;
  return builder.literal(Element::real, {extent, extent}, std::move(numbers));
}

} // namespace

Value Executor::evaluate_builtin(const program::BuiltinCall& call, const program::Expr& expr) {
  Values in;
  for (const program::ExprPtr& argument : call.arguments) {
    const Value value = evaluate(argument);
    in.push_back(call.builtin->to_real ? as_real(value) : value);
    if (in.back().type().element == Element::boolean)
      in.back() = as_integer(in.back());
  }
  const std::vector<Extent> sizes = sizes_->shape(call.sizes);
  // Sums over a ragged dimension see the elements of this row only; the places behind its end read as 0.
  const auto last_dim = [&] { return static_cast<std::int32_t>(in[0].type().shape.size()) - 1; };
  const auto last_extent = [&] { return in[0].type().shape.back(); };
  switch (call.builtin->kind) {
  case BuiltinKind::dot:
    return builder_->dot(as_real(in[0]), as_real(in[1]));
  case BuiltinKind::sum:
    return builder_->sum(in[0], {}, every_dim(in[0]));
  case BuiltinKind::mean:
    return builder_->sum_event(in[0]) / number_of_elements(in[0]);
  case BuiltinKind::variance: {
    const Value mean = builder_->sum_event(in[0]) / number_of_elements(in[0]);
    return builder_->sum_event(ir::square(in[0] - mean)) / number_of_elements(in[0]);
  }
  case BuiltinKind::prod:
    return product(in[0]);
  case BuiltinKind::max:
    return builder_->maximum_over(in[0], {}, every_dim(in[0]));
  case BuiltinKind::min: {
    if (in[0].type().element == Element::real)
      return -builder_->maximum_over(-in[0], {}, every_dim(in[0]));
    const Value zero = builder_->integer(0);
    return ir::integer_subtract(
        zero, builder_->maximum_over(ir::integer_subtract(zero, in[0]), {}, every_dim(in[0])));
  }
  case BuiltinKind::log_sum_exp:
    return builder_->log_sum_exp(in[0], {}, every_dim(in[0]));
  case BuiltinKind::softmax:
  case BuiltinKind::log_softmax: {
    const Value normalizer = builder_->log_sum_exp_last(in[0]);
    const Value log_probability =
        in[0] - (in[0].type().shape.size() == 1 ? normalizer
                                                : builder_->expand(normalizer, last_dim(), last_extent()));
    return call.builtin->kind == BuiltinKind::softmax ? ir::exp(log_probability) : log_probability;
  }
  case BuiltinKind::cumulative_sum:
    return catalog::cumulative_sum(in[0]);
  case BuiltinKind::fill:
    return catalog::fill(in[0], sizes);
  case BuiltinKind::zeros:
    return catalog::fill(builder_->real(0), sizes);
  case BuiltinKind::ones:
    return catalog::fill(builder_->real(1), sizes);
  case BuiltinKind::counts: {
    // counts[k] = number of positions w with value k: a scatter of ones, masked to the positions that exist.
    const std::vector<Extent> shape = in[0].type().shape;
    Value ones = catalog::fill(builder_->real(1), shape);
    const program::Dim& length = call.arguments[0]->type.dims.at(0);
    if (length.is_ragged()) {
      const Extent extent = in[0].type().shape.at(0);
      // Positions of a run-time extent: a running sum of ones has no constant length, so a loop fills them.
      const ir::NodeId loop = builder_->begin_loop(extent, false, {});
      const Value here = builder_->loop_index(loop);
      const Value position = builder_->finish_loop(loop, {}, std::span(&here, 1), {}).stacked.at(0);
      ones = ir::select(ir::less(position, dim_value(length)), ones, builder_->real(0));
    }
    return builder_->scatter_add(as_integer(in[0]), ones, 0, sizes.at(0), {});
  }
  case BuiltinKind::one_hot:
    return one_hot(as_integer(in[0]), sizes.at(0));
  case BuiltinKind::concat: {
    Values parts;
    const bool is_real = expr.type.is_real();
    for (Value part : in) {
      part = is_real ? as_real(part) : as_integer(part);
      const std::vector<Extent> one{Extent::known(1)};
      parts.push_back(part.type().is_scalar() ? builder_->broadcast(part, ir::Type(part.type()).axes, one)
                                              : part);
    }
    return builder_->concat(parts, 0);
  }
  case BuiltinKind::size:
    return dim_value(call.arguments[0]->type.dims.at(0));
  case BuiltinKind::transpose:
    return builder_->transpose(in[0], {1, 0});
  case BuiltinKind::diag:
    return builder_->expand(in[0], 1, last_extent()) * identity(*builder_, last_extent());
  case BuiltinKind::diagonal:
    return catalog::diagonal(in[0]);
  case BuiltinKind::cholesky:
    return builder_->cholesky(in[0]);
  case BuiltinKind::triangular_solve:
    return builder_->solve_lower(in[0], in[1]);
  case BuiltinKind::log_determinant:
    return 2.0 * builder_->sum_event(ir::log(catalog::diagonal(in[0])));
  case BuiltinKind::outer:
    return builder_->contract(as_real(in[0]), {0}, as_real(in[1]), {1}, {0, 1});
  case BuiltinKind::reverse:
    return reversed(in[0]);
  case BuiltinKind::range:
    return positions(*builder_, sizes.at(0));
  }
  throw std::logic_error("unknown array function");
}

} // namespace plait::elbo
