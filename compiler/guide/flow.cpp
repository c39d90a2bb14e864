#include "compiler/guide/flow.hpp"

#include "compiler/catalog/array_math.hpp"
#include "compiler/catalog/ops.hpp"

#include <algorithm>
#include <cmath>

namespace plait::guide {

namespace {

using catalog::Initializer;
using ir::Extent;
using ir::Value;

// Scales of one layer stay in (e^-2, e^2): a flow cannot leave the range of numbers in one step of the
// optimizer.
constexpr double largest_log_scale = 2;

Value degree_literal(ir::Builder& builder, const std::vector<int>& degrees) {
  return builder.literal(ir::Element::integer, {Extent::known(static_cast<std::int64_t>(degrees.size()))},
                         std::vector<double>(degrees.begin(), degrees.end()));
}

/** `weights` [rows, columns], 0 where the column may not be read: read when column < row, or <= with `equal`.
 */
Value masked(Value weights, const std::vector<int>& rows, const std::vector<int>& columns, bool equal) {
  ir::Builder& builder = weights.builder();
  const Extent height = Extent::known(static_cast<std::int64_t>(rows.size()));
  const Extent width = Extent::known(static_cast<std::int64_t>(columns.size()));
  const Value row = builder.expand(degree_literal(builder, rows), 1, width);
  const Value column = builder.expand(degree_literal(builder, columns), 0, height);
  return weights * ir::to_real(equal ? ir::less_equal(column, row) : ir::less(column, row));
}

} // namespace

FlowStep move(const Conditioner& conditioner, Value z) {
  const Affine step = conditioner(z, false);
  return {z * ir::exp(step.log_scale) + step.shift, step.log_scale};
}

// z = (image - t(z)) exp(-s(z)) is a fixed point that one pass solves for one more degree. The passes begin
// at the solution, so they change no value; each gives one more degree its exact derivative in `image`.
FlowStep move_back(const Conditioner& conditioner, Value image, Value z, int depth) {
  ir::Builder& builder = image.builder();
  const Value start = ir::stop_gradient(z);
  const ir::NodeId loop = builder.begin_loop(Extent::known(depth + 1), false, std::vector<Value>{start});
  const Affine step = conditioner(builder.loop_argument(loop, 0), true);
  const Value next = (image - step.shift) * ir::exp(-step.log_scale);
  const Value solved = builder.finish_loop(loop, std::vector<Value>{next}, {}, {}).carried.at(0);
  return {solved, conditioner(solved, true).log_scale};
}

FlowStep solve_halves(const Conditioner& conditioner, Value image, bool held) {
  const Affine step = conditioner(image, held);
  return {(image - step.shift) * ir::exp(-step.log_scale), step.log_scale};
}

std::vector<int> flow_degrees(catalog::FlowKind kind, std::int64_t size, std::int64_t layer) {
  std::vector<int> degrees;
  for (std::int64_t i = 0; i < size; ++i) {
    if (kind == catalog::FlowKind::autoregressive) {
      degrees.push_back(static_cast<int>(layer % 2 == 0 ? i : size - 1 - i));
      continue;
    }
    const bool second = layer % 4 < 2 ? 2 * i >= size : i % 2 == 1;
    degrees.push_back(second == (layer % 2 == 0) ? 1 : 0);
  }
  return degrees;
}

std::int64_t flow_units(std::int64_t size) {
  return std::clamp<std::int64_t>(2 * size, 8, 128);
}

MaskedNet::MaskedNet(ir::Builder& builder, const Declare& declare, const std::string& name,
                     std::vector<int> degrees, std::int64_t hidden, Value context, Value held_context)
    : depth_(*std::max_element(degrees.begin(), degrees.end())) {
  using Kind = Initializer::Kind;
  const auto n = static_cast<std::int64_t>(degrees.size());
  const Extent size = Extent::known(n);
  const Extent width = Extent::known(hidden);
  // A hidden unit of degree d reads coordinates of degree <= d, and is read by those of degree > d.
  std::vector<int> units;
  for (std::int64_t k = 0; k < hidden; ++k)
    units.push_back(static_cast<int>(k * depth_ / hidden));
  const auto weight = [&](const char* part, const std::vector<Extent>& shape, Initializer start) {
    return declare(name + "." + part, shape, start);
  };
  const Initializer zero{Kind::constant, 0};
  // An optimizer that moves every weight by its learning rate moves a sum over many inputs by much more:
  // damped by the root of their number, wide flows stay stable at the rates that suit the other parameters.
  const double by_units = 1 / std::sqrt(static_cast<double>(hidden));
  const double by_inputs = 1 / std::sqrt(static_cast<double>(n));
  weights_.in = masked(weight("in", {width, size}, {Kind::normal, by_inputs}), units, degrees, true);
  weights_.in_bias = weight("in_bias", {width}, {Kind::uniform, 1});
  weights_.scale = by_units * masked(weight("scale", {size, width}, zero), degrees, units, false);
  weights_.shift = by_units * masked(weight("shift", {size, width}, zero), degrees, units, false);
  weights_.skip = by_inputs * masked(weight("skip", {size, size}, zero), degrees, degrees, false);
  std::vector<double> moves;
  for (int degree : degrees)
    moves.push_back(degree > 0 ? 1 : 0);
  const Value moved = builder.literal(ir::Element::real, {size}, std::move(moves));
  weights_.scale_bias = moved * weight("scale_bias", {size}, zero);
  weights_.shift_bias = moved * weight("shift_bias", {size}, zero);
  if (context) {
    const Extent length = context.type().shape.at(0);
    const double by_length = 1 / std::sqrt(static_cast<double>(length.value));
    const Value matrix = weight("context", {width, length}, {Kind::normal, by_length});
    weights_.from_context = builder.matmul(matrix, context);
    held_from_context_ = builder.matmul(ir::stop_gradient(matrix), held_context ? held_context : context);
  }
}

MaskedNet::Weights MaskedNet::stopped() const {
  return {ir::stop_gradient(weights_.in),    ir::stop_gradient(weights_.in_bias),
          ir::stop_gradient(weights_.scale), ir::stop_gradient(weights_.scale_bias),
          ir::stop_gradient(weights_.shift), ir::stop_gradient(weights_.shift_bias),
          ir::stop_gradient(weights_.skip),  held_from_context_};
}

Affine MaskedNet::operator()(Value z, bool held) const {
  ir::Builder& builder = z.builder();
  const Weights weights = held ? stopped() : weights_;
  Value inputs = builder.matmul(weights.in, z) + weights.in_bias;
  if (weights.from_context)
    inputs = inputs + weights.from_context;
  const Value units = ir::tanh(inputs);
  const Value raw = builder.matmul(weights.scale, units) + weights.scale_bias;
  return {largest_log_scale * ir::tanh(raw / largest_log_scale),
          builder.matmul(weights.shift, units) + builder.matmul(weights.skip, z) + weights.shift_bias};
}

} // namespace plait::guide
