#include "compiler/catalog/array_math.hpp"
#include "compiler/catalog/support.hpp"

#include <cmath>
#include <functional>
#include <stdexcept>

// Formulas: Stan Reference Manual, "Constraint Transforms". Throughout, y is the unconstrained value, x the
// constrained one, K the size of the support, and indices count from 0.

namespace plait::catalog {
namespace {

using ir::Builder;
using ir::Element;
using ir::Extent;
using ir::Value;

Value bound(Builder& builder, const std::optional<Value>& value, const std::optional<double>& number,
            const char* which) {
  if (value)
    return *value;
  if (number)
    return builder.real(*number);
  throw std::logic_error(std::string("the support needs its ") + which + " bound");
}

// x = exp(y), |dx/dy| = exp(y).
Constrained positive(Value y) {
  return {exp(y), y};
}

// x = sigmoid(y), log |dx/dy| = log x + log(1 - x) = y - 2 softplus(y).
Constrained unit_interval(Value y) {
  return {sigmoid(y), y - 2.0 * softplus(y)};
}

// x = a + (b - a) sigmoid(y), log |dx/dy| = log(b - a) + y - 2 softplus(y).
Constrained interval(Value y, Value lower, Value upper) {
  const Value width = upper - lower;
  return {lower + width * sigmoid(y), log(width) + (y - 2.0 * softplus(y))};
}

// Stick breaking. z_k = sigmoid(y_k - log(K - 1 - k)) is the share that entry k takes of what the entries
// before it left: log x_k = log z_k + sum_{m<k} log(1 - z_m), k < K - 1; the last entry takes the rest. y = 0
// is the uniform point. log |J| = sum_k log z_k + (K - 1 - k) log(1 - z_k).
Constrained simplex(Builder& builder, Value y, const Shape& batch, std::int64_t size) {
  if (size == 1) {
    Shape shape = batch;
    shape.push_back(Extent::known(1));
    return {builder.broadcast(builder.real(1), y.type().axes, shape),
            builder.broadcast(builder.real(0), y.type().axes, batch)};
  }
  std::vector<double> offset;
  std::vector<double> weight;
  for (std::int64_t k = 0; k + 1 < size; ++k) {
    offset.push_back(std::log(static_cast<double>(size - 1 - k)));
    weight.push_back(static_cast<double>(size - 1 - k));
  }
  const Value shifted = y - repeat(vector_literal(builder, offset), batch);
  const Value log_taken = log_sigmoid(shifted);
  const Value log_left = log_taken - shifted; // log(1 - z) = log z - logit z
  const auto last = static_cast<std::int32_t>(batch.size());
  const Value log_value =
      builder.pad(log_taken, last, Extent::known(0), Extent::known(size)) + sums_before(log_left);
  return {exp(log_value),
          builder.sum_last(log_taken + repeat(vector_literal(builder, weight), batch) * log_left)};
}

// x_0 = y_0 (or exp(y_0) when positive), x_k = x_{k-1} + exp(y_k). log |J| = sum of the y that were
// exponentiated.
Constrained ordered(Builder& builder, Value y, const Shape& batch, std::int64_t size, bool all_positive) {
  if (all_positive)
    return {cumulative_sum(exp(y)), builder.sum_last(y)};
  if (size == 1)
    return {y, builder.broadcast(builder.real(0), y.type().axes, batch)};
  const auto last = static_cast<std::int32_t>(batch.size());
  const Value first = builder.slice(y, last, Extent::known(0), Extent::known(1));
  const Value steps = builder.slice(y, last, Extent::known(1), Extent::known(size - 1));
  const std::vector<Value> parts = {first, exp(steps)};
  return {cumulative_sum(builder.concat(parts, last)), builder.sum_last(steps)};
}

/** A square matrix whose entry (i, j) is entry position(i, j) of the last dimension of `table`. */
Value arrange(Builder& builder, Value table, std::int64_t size,
              const std::function<std::int64_t(std::int64_t, std::int64_t)>& position) {
  std::vector<double> positions;
  for (std::int64_t i = 0; i < size; ++i)
    for (std::int64_t j = 0; j < size; ++j)
      positions.push_back(static_cast<double>(position(i, j)));
  const Extent extent = Extent::known(size);
  const Value index = builder.literal(Element::integer, {extent, extent}, std::move(positions));
  return builder.gather(table, index, static_cast<std::int32_t>(table.type().shape.size()) - 1);
}

/** `value` followed, along its last dimension, by constants. */
Value followed_by(Builder& builder, Value value, const Shape& batch, const std::vector<double>& constants) {
  const std::vector<Value> parts = {value, repeat(vector_literal(builder, constants), batch)};
  return builder.concat(parts, static_cast<std::int32_t>(batch.size()));
}

/** Position of (i, j), j < i, in the rows of a strictly lower triangle. */
std::int64_t strict_position(std::int64_t i, std::int64_t j) {
  return i * (i - 1) / 2 + j;
}

// Canonical partial correlations z = tanh(y), row by row below the diagonal:
// L_ij = z_ij prod_{m<j} sqrt(1 - z_im^2), L_ii = prod_{m<i} sqrt(1 - z_im^2).
// log |J| = sum_{m<i} (1 + (i - 1 - m) / 2) log(1 - z_im^2), where log(1 - tanh(y)^2) = 2 (log 2 - y -
// softplus(-2y)).
Constrained cholesky_corr(Builder& builder, Value y, const Shape& batch, std::int64_t size) {
  if (size == 1) {
    Shape shape = batch;
    shape.insert(shape.end(), 2, Extent::known(1));
    return {builder.broadcast(builder.real(1), y.type().axes, shape),
            builder.broadcast(builder.real(0), y.type().axes, batch)};
  }
  const std::int64_t count = size * (size - 1) / 2;
  const Value log_rest = 2.0 * (std::log(2.0) - y - softplus(-2.0 * y)); // log(1 - z^2)
  std::vector<double> weight;
  for (std::int64_t i = 1; i < size; ++i)
    for (std::int64_t m = 0; m < i; ++m)
      weight.push_back(1 + static_cast<double>(i - 1 - m) / 2);

  const Value partial = arrange(builder, followed_by(builder, tanh(y), batch, {0, 1}), size,
                                [&](std::int64_t i, std::int64_t j) {
                                  return j < i ? strict_position(i, j) : j == i ? count + 1 : count;
                                });
  const Value half_log_rest =
      arrange(builder, followed_by(builder, 0.5 * log_rest, batch, {0}), size,
              [&](std::int64_t i, std::int64_t j) { return j < i ? strict_position(i, j) : count; });
  const auto last = static_cast<std::int32_t>(batch.size()) + 1;
  const Value left = builder.slice(sums_before(half_log_rest), last, Extent::known(0), Extent::known(size));
  return {partial * exp(left), builder.sum_last(repeat(vector_literal(builder, weight), batch) * log_rest)};
}

// The lower triangle row by row, its diagonal exponentiated: log |J| = sum_i y_ii.
Constrained cholesky_cov(Builder& builder, Value y, const Shape& batch, std::int64_t size) {
  const std::int64_t count = size * (size + 1) / 2;
  const auto last = static_cast<std::int32_t>(batch.size());
  std::vector<double> diagonal_positions;
  for (std::int64_t i = 0; i < size; ++i)
    diagonal_positions.push_back(static_cast<double>(i * (i + 1) / 2 + i));
  const Value log_diagonal =
      builder.gather(y, builder.literal(Element::integer, {Extent::known(size)}, diagonal_positions), last);
  const std::vector<Value> parts = {y, exp(log_diagonal)};
  const Value table = followed_by(builder, builder.concat(parts, last), batch, {0});
  const Value factor = arrange(builder, table, size, [&](std::int64_t i, std::int64_t j) {
    return j < i ? i * (i + 1) / 2 + j : j == i ? count + i : count + size;
  });
  return {factor, builder.sum_last(log_diagonal)};
}

// x = L L' with L as for cholesky_cov: log |J| = K log 2 + sum_i (K - i + 1) y_ii, the exponential's share
// included.
Constrained covariance(Builder& builder, Value y, const Shape& batch, std::int64_t size) {
  const Value factor = cholesky_cov(builder, y, batch, size).value;
  std::vector<std::int32_t> left;
  for (std::size_t k = 0; k < batch.size(); ++k)
    left.push_back(static_cast<std::int32_t>(k));
  std::vector<std::int32_t> right = left;
  std::vector<std::int32_t> out = left;
  const auto next = static_cast<std::int32_t>(batch.size());
  left.insert(left.end(), {next, next + 1});
  right.insert(right.end(), {next + 2, next + 1});
  out.insert(out.end(), {next, next + 2});
  std::vector<double> weight;
  std::vector<double> positions;
  for (std::int64_t i = 0; i < size; ++i) {
    weight.push_back(static_cast<double>(size - i + 1));
    positions.push_back(static_cast<double>(i * (i + 1) / 2 + i));
  }
  const Value log_diagonal =
      builder.gather(y, builder.literal(Element::integer, {Extent::known(size)}, positions), next);
  const Value log_det = builder.sum_last(repeat(vector_literal(builder, weight), batch) * log_diagonal);
  return {builder.contract(factor, left, factor, right, out),
          static_cast<double>(size) * std::log(2.0) + log_det};
}

} // namespace

std::vector<Extent> unconstrained_shape(SupportKind kind, const std::vector<Extent>& shape) {
  Shape result = batch_of(shape, event_rank(kind));
  switch (kind) {
  case SupportKind::simplex:
    result.push_back(Extent::known(known(shape.back()) - 1));
    return result;
  case SupportKind::cholesky_corr: {
    const std::int64_t size = known(shape.back());
    result.push_back(Extent::known(size * (size - 1) / 2));
    return result;
  }
  case SupportKind::cholesky_cov:
  case SupportKind::covariance: {
    const std::int64_t size = known(shape.back());
    result.push_back(Extent::known(size * (size + 1) / 2));
    return result;
  }
  default:
    return shape;
  }
}

Constrained constrain(Builder& builder, const Support& support, const SupportBounds& bounds,
                      Value unconstrained, const std::vector<Extent>& shape) {
  const Value y = unconstrained;
  const Shape batch = batch_of(shape, event_rank(support.kind));
  switch (support.kind) {
  case SupportKind::real:
    return {y, builder.broadcast(builder.real(0), y.type().axes, y.type().shape)};
  case SupportKind::positive:
    return positive(y);
  case SupportKind::unit_interval:
    return unit_interval(y);
  case SupportKind::interval:
    return interval(y, bound(builder, bounds.lower, support.lower, "lower"),
                    bound(builder, bounds.upper, support.upper, "upper"));
  case SupportKind::greater_than:
    return {bound(builder, bounds.lower, support.lower, "lower") + exp(y), y};
  case SupportKind::less_than:
    return {bound(builder, bounds.upper, support.upper, "upper") - exp(y), y};
  case SupportKind::simplex:
    return simplex(builder, y, batch, known(shape.back()));
  case SupportKind::ordered:
    return ordered(builder, y, batch, known(shape.back()), false);
  case SupportKind::positive_ordered:
    return ordered(builder, y, batch, known(shape.back()), true);
  case SupportKind::cholesky_corr:
    return cholesky_corr(builder, y, batch, known(shape.back()));
  case SupportKind::cholesky_cov:
    return cholesky_cov(builder, y, batch, known(shape.back()));
  case SupportKind::covariance:
    return covariance(builder, y, batch, known(shape.back()));
  default:
    throw std::logic_error("a discrete support has no unconstrained space: " + to_string(support));
  }
}

} // namespace plait::catalog
