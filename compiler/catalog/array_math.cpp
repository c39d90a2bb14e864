#include "compiler/catalog/array_math.hpp"

#include <limits>
#include <numeric>
#include <stdexcept>

namespace plait::catalog {

using ir::Builder;
using ir::Element;
using ir::Extent;
using ir::Value;

Shape batch_of(const Shape& shape, int event_rank) {
  if (shape.size() < static_cast<std::size_t>(event_rank))
    throw std::logic_error("a value has fewer dimensions than its support needs");
  return {shape.begin(), shape.end() - event_rank};
}

Shape event_of(const Shape& shape, int event_rank) {
  if (shape.size() < static_cast<std::size_t>(event_rank))
    throw std::logic_error("a value has fewer dimensions than its support needs");
  return {shape.end() - event_rank, shape.end()};
}

std::int64_t known(const Extent& extent) {
  if (!extent.is_known())
    throw UnknownSize("dimension '" + extent.name + "' must be known when the program is compiled");
  return extent.value;
}

Value as_real(Value value) {
  return value.type().element == Element::real ? value : to_real(value);
}

Value as_integer(Value value) {
  switch (value.type().element) {
  case Element::integer:
    return value;
  case Element::real:
    return to_integer(value);
  case Element::boolean:
    // Booleans become integers by way of 0.0 and 1.0.
    return to_integer(to_real(value));
  }
  throw std::logic_error("unknown element type");
}

Value repeat(Value value, const Shape& batch) {
  for (auto extent = batch.rbegin(); extent != batch.rend(); ++extent)
    value = value.builder().expand(value, 0, *extent);
  return value;
}

Value with_batch(Value value, const Shape& batch, int event_rank) {
  const std::size_t own = batch_of(value.type().shape, event_rank).size();
  return own < batch.size()
             ? repeat(value, Shape(batch.begin(), batch.end() - static_cast<std::ptrdiff_t>(own)))
             : value;
}

Value spread_last(Value value, const Extent& length) {
  return value.builder().expand(value, static_cast<std::int32_t>(value.type().shape.size()), length);
}

Value fill(Value value, const Shape& shape) {
  return value.type().is_scalar() ? value.builder().broadcast(value, value.type().axes, shape) : value;
}

Value vector_literal(Builder& builder, std::vector<double> numbers) {
  const auto length = static_cast<std::int64_t>(numbers.size());
  return builder.literal(Element::real, {Extent::known(length)}, std::move(numbers));
}

Value matrix_literal(Builder& builder, std::vector<double> numbers, std::int64_t columns) {
  const auto rows = static_cast<std::int64_t>(numbers.size()) / columns;
  return builder.literal(Element::real, {Extent::known(rows), Extent::known(columns)}, std::move(numbers));
}

Value iota(Builder& builder, std::int64_t length) {
  std::vector<double> numbers(static_cast<std::size_t>(length));
  std::iota(numbers.begin(), numbers.end(), 0.0);
  return builder.literal(Element::integer, {Extent::known(length)}, std::move(numbers));
}

namespace {

// Up to this length a running sum is a product with a triangular matrix of ones, which the plate turns into a
// matrix product; above, log2(length) shifted additions.
constexpr std::int64_t longest_triangular = 64;

Value times_matrix(Value value, Value matrix) {
  const auto rank = static_cast<std::int32_t>(value.type().shape.size());
  std::vector<std::int32_t> left(static_cast<std::size_t>(rank));
  std::iota(left.begin(), left.end(), 0);
  std::vector<std::int32_t> out = left;
  out.back() = rank;
  return value.builder().contract(value, left, matrix, {rank - 1, rank}, out);
}

// ones[m, k] = 1 where m < k + inclusive.
Value triangle(Builder& builder, std::int64_t rows, std::int64_t columns, int inclusive) {
  std::vector<double> ones(static_cast<std::size_t>(rows * columns), 0.0);
  for (std::int64_t m = 0; m < rows; ++m)
    for (std::int64_t k = 0; k < columns; ++k)
      if (m < k + inclusive)
        ones[static_cast<std::size_t>(m * columns + k)] = 1;
  return matrix_literal(builder, std::move(ones), columns);
}

} // namespace

Value cumulative_sum(Value value) {
  Builder& builder = value.builder();
  const std::int64_t length = known(value.type().shape.back());
  if (length <= 1)
    return value;
  if (length <= longest_triangular)
    return times_matrix(value, triangle(builder, length, length, 1));
  const auto last = static_cast<std::int32_t>(value.type().shape.size()) - 1;
  for (std::int64_t shift = 1; shift < length; shift *= 2) {
    const Value head = builder.slice(value, last, Extent::known(0), Extent::known(length - shift));
    value = value + builder.pad(head, last, Extent::known(shift), Extent::known(length));
  }
  return value;
}

Value sums_before(Value value) {
  Builder& builder = value.builder();
  const std::int64_t length = known(value.type().shape.back());
  if (length <= longest_triangular)
    return times_matrix(value, triangle(builder, length, length + 1, 0));
  const auto last = static_cast<std::int32_t>(value.type().shape.size()) - 1;
  return builder.pad(cumulative_sum(value), last, Extent::known(1), Extent::known(length + 1));
}

Value pick_last(Value table, Value index) {
  Builder& builder = table.builder();
  index = as_integer(index);
  if (table.type().shape.size() == 1)
    return builder.gather(table, index, 0);
  const Extent length = table.type().shape.back();
  const Shape batch = batch_of(table.type().shape, 1);
  const Value position = repeat(iota(builder, known(length)), batch);
  const Value wanted = spread_last(fill(index, batch), length);
  return builder.sum_last(select(equal(as_real(wanted), as_real(position)), table, builder.real(0)));
}

Value diagonal(Value matrix) {
  const Shape shape = matrix.type().shape;
  const std::int64_t size = known(shape.back());
  Shape flat = batch_of(shape, 2);
  const auto dim = static_cast<std::int32_t>(flat.size());
  flat.push_back(Extent::known(size * size));
  std::vector<double> positions;
  for (std::int64_t i = 0; i < size; ++i)
    positions.push_back(static_cast<double>(i * (size + 1)));
  Builder& builder = matrix.builder();
  return builder.gather(builder.reshape(matrix, flat),
                        builder.literal(Element::integer, {Extent::known(size)}, positions), dim);
}

Value solve_vectors(Value factor, Value right) {
  Builder& builder = right.builder();
  const Shape shape = right.type().shape;
  if (factor.type().shape.size() > 2) {
    // Every member of the batch has a factor of its own.
    std::vector<Value> parts;
    for (std::int64_t k = 0; k < known(shape[0]); ++k)
      parts.push_back(solve_vectors(builder.element(factor, k), builder.element(right, k)));
    return builder.stack(parts);
  }
  if (shape.size() == 1)
    return builder.solve_lower(factor, right);
  // One factor for the whole batch: the vectors become the columns of one matrix.
  Value rows = right;
  if (shape.size() > 2) {
    std::int64_t count = 1;
    for (std::size_t k = 0; k + 1 < shape.size(); ++k)
      count *= known(shape[k]);
    rows = builder.reshape(right, {Extent::known(count), shape.back()});
  }
  const Value columns = builder.solve_lower(factor, builder.transpose(rows, {1, 0}));
  return builder.reshape(builder.transpose(columns, {1, 0}), shape);
}

Value multiply_vectors(Value factor, Value right) {
  const auto rank = static_cast<std::int32_t>(right.type().shape.size());
  std::vector<std::int32_t> vectors(static_cast<std::size_t>(rank));
  std::iota(vectors.begin(), vectors.end(), 0);
  std::vector<std::int32_t> out = vectors;
  out.back() = rank;
  std::vector<std::int32_t> matrix;
  if (factor.type().shape.size() > 2)
    matrix.assign(vectors.begin(), vectors.end() - 1);
  matrix.insert(matrix.end(), {rank, rank - 1});
  return right.builder().contract(right, vectors, factor, matrix, out);
}

Value log_clamped(Value x) {
  return log(maximum(x, x.builder().real(smallest_positive)));
}

// log(1 - x) = log1p(-min(x, 1/2)) + log(min(1, 2 (1 - x))): one of the two terms is constant on either side
// of 1/2, so each works where it is exact, and neither branch has an infinite derivative that a mask would
// turn into NaN.
Value log_one_minus(Value x) {
  Builder& builder = x.builder();
  const Value near_zero = log1p(-minimum(x, builder.real(0.5)));
  // At x = 1/2 both minima meet their bound. The derivative goes to the first of equals: here to the bound,
  // so that x is counted once.
  const Value near_one =
      log(minimum(builder.real(1), maximum(2.0 - 2.0 * x, builder.real(smallest_positive))));
  return near_zero + near_one;
}

Value standardize(Value x, Value loc, Value scale) {
  const Value difference = x - loc;
  if (scale.type().axes == difference.type().axes && scale.type().shape == difference.type().shape)
    return difference / scale;
  return difference * (1.0 / scale);
}

Value log_choose(Value n, Value k) {
  return lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0);
}

Value log_beta_function(Value a, Value b) {
  return lgamma(a) + lgamma(b) - lgamma(a + b);
}

Value or_impossible(Value mask, Value value) {
  return select(mask, value, value.builder().real(-std::numeric_limits<double>::infinity()));
}

} // namespace plait::catalog
