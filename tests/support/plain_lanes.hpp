/** \file
 * Lanes as plain numbers: one lane, computed at once. Every lowering runs on it without a JIT, in float or
 * double.
 */
#pragma once

#include "compiler/tensor_ir/op.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace plait::testing {

template <class T>
class PlainLanes final : public ir::LaneBuilder {
public:
  using Lane = ir::Lane;
  using Comparison = ir::Comparison;
  /** Looks up the C function of call_per_lane; of one or two arguments. */
  using Find = void* (*)(std::string_view);

  explicit PlainLanes(Find find = nullptr) : find_(find) {}

  /** Runs a row's lowering on numbers: reals, integers or truths, as `element` of each input says. */
  double run(const ir::Op& op, std::span<const double> inputs, std::span<const ir::Element> elements) {
    cells_.clear();
    operations_ = 0;
    std::vector<Lane> lanes;
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      if (elements[k] == ir::Element::real)
        lanes.push_back(real(inputs[k]));
      else if (elements[k] == ir::Element::integer)
        lanes.push_back(integer(static_cast<std::int32_t>(inputs[k])));
      else
        lanes.push_back(mask(inputs[k] != 0));
    }
    const Cell& result = cell(op.lower.get()(*this, lanes));
    return result.kind == Kind::real      ? static_cast<double>(result.real)
           : result.kind == Kind::integer ? static_cast<double>(result.integer)
                                          : static_cast<double>(result.truth);
  }

  /** Operations that the last run took, constants not counted. */
  int operations() const { return operations_; }

  bool is_single_precision() const override { return sizeof(T) == 4; }
  Lane real(double value) override { return constant({Kind::real, static_cast<T>(value), 0, false}); }
  Lane add(Lane a, Lane b) override { return make(r(a) + r(b)); }
  Lane subtract(Lane a, Lane b) override { return make(r(a) - r(b)); }
  Lane multiply(Lane a, Lane b) override { return make(r(a) * r(b)); }
  Lane divide(Lane a, Lane b) override { return make(r(a) / r(b)); }
  Lane negate(Lane a) override { return make(-r(a)); }
  Lane fused_multiply_add(Lane a, Lane b, Lane c) override { return make(std::fma(r(a), r(b), r(c))); }
  Lane square_root(Lane a) override { return make(std::sqrt(r(a))); }
  Lane absolute(Lane a) override { return make(std::fabs(r(a))); }
  Lane floor(Lane a) override { return make(std::floor(r(a))); }
  Lane round_to_even(Lane a) override { return make(std::nearbyint(r(a))); }
  Lane minimum(Lane a, Lane b) override { return make(r(a) < r(b) ? r(a) : r(b)); }
  Lane maximum(Lane a, Lane b) override { return make(r(a) > r(b) ? r(a) : r(b)); }
  Lane compare(Comparison comparison, Lane a, Lane b) override {
    return truth(holds(comparison, r(a), r(b)));
  }

  Lane scale_by_power_of_two(Lane a, Lane exponent) override {
    const T e = r(exponent);
    const int bounded = std::isnan(e) ? 0 : e > 100000 ? 100000 : e < -100000 ? -100000 : static_cast<int>(e);
    return make(std::isnan(e) ? e : std::scalbn(r(a), bounded));
  }
  Lane exponent_of(Lane a) override {
    return make(r(a) == 0 ? -std::numeric_limits<T>::infinity() : std::logb(r(a)));
  }
  Lane mantissa_of(Lane a) override {
    const T x = r(a);
    if (std::isnan(x) || x < 0)
      return make(std::numeric_limits<T>::quiet_NaN());
    return make(x == 0 || std::isinf(x) ? T(1) : std::scalbn(x, -std::ilogb(x)));
  }

  Lane integer(std::int32_t value) override { return constant({Kind::integer, 0, value, false}); }
  Lane integer_add(Lane a, Lane b) override { return make_integer(std::int64_t{i(a)} + i(b)); }
  Lane integer_subtract(Lane a, Lane b) override { return make_integer(std::int64_t{i(a)} - i(b)); }
  Lane integer_multiply(Lane a, Lane b) override { return make_integer(std::int64_t{i(a)} * i(b)); }
  Lane integer_divide(Lane a, Lane b) override { return make_integer(std::int64_t{i(a)} / i(b)); }
  Lane integer_remainder(Lane a, Lane b) override { return make_integer(std::int64_t{i(a)} % i(b)); }
  Lane integer_compare(Comparison comparison, Lane a, Lane b) override {
    return truth(holds(comparison, i(a), i(b)));
  }
  Lane to_real(Lane a) override {
    return make(cell(a).kind == Kind::mask ? static_cast<T>(m(a)) : static_cast<T>(i(a)));
  }
  Lane to_integer(Lane a) override {
    if (cell(a).kind == Kind::mask)
      return make_integer(m(a) ? 1 : 0);
    const double x = std::trunc(static_cast<double>(r(a)));
    return make_integer(
        std::isnan(x) ? 0 : static_cast<std::int64_t>(std::fmin(std::fmax(x, -2147483648.0), 2147483647.0)));
  }

  Lane mask(bool value) override { return constant({Kind::mask, 0, 0, value}); }
  Lane mask_and(Lane a, Lane b) override { return truth(m(a) && m(b)); }
  Lane mask_or(Lane a, Lane b) override { return truth(m(a) || m(b)); }
  Lane mask_not(Lane a) override { return truth(!m(a)); }
  Lane select(Lane mask, Lane a, Lane b) override {
    if (cell(a).kind != cell(b).kind)
      throw std::logic_error("select between lanes of two kinds");
    ++operations_;
    return m(mask) ? a : b;
  }
  Lane select_integer(Lane mask, Lane a, Lane b) override {
    i(a), i(b);
    return select(mask, a, b);
  }
  Lane mask_to_real(Lane mask) override { return make(m(mask) ? T(1) : T(0)); }
  Lane mask_to_integer(Lane mask) override { return make_integer(m(mask) ? 1 : 0); }

  Lane call_per_lane(std::string_view name, std::span<const Lane> arguments) override {
    void* address = find_ != nullptr ? find_(name) : nullptr;
    if (address == nullptr)
      throw std::logic_error("no function " + std::string(name));
    if (arguments.size() == 1)
      return make(static_cast<T>(reinterpret_cast<double (*)(double)>(address)(r(arguments[0]))));
    return make(static_cast<T>(
        reinterpret_cast<double (*)(double, double)>(address)(r(arguments[0]), r(arguments[1]))));
  }

private:
  enum class Kind : std::uint8_t { real, integer, mask };
  struct Cell {
    Kind kind;
    T real;
    std::int32_t integer;
    bool truth;
  };

  template <class N>
  static bool holds(Comparison comparison, N a, N b) {
    switch (comparison) {
    case Comparison::equal:
      return a == b;
    case Comparison::not_equal:
      return a != b;
    case Comparison::less:
      return a < b;
    case Comparison::less_equal:
      return a <= b;
    case Comparison::greater:
      return a > b;
    case Comparison::greater_equal:
      break;
    }
    return a >= b;
  }

  const Cell& cell(Lane lane) const { return cells_.at(reinterpret_cast<std::size_t>(lane.handle) - 1); }
  const Cell& of_kind(Lane lane, Kind kind) const {
    const Cell& found = cell(lane);
    if (found.kind != kind)
      throw std::logic_error("a lane of another kind was expected");
    return found;
  }
  T r(Lane lane) const { return of_kind(lane, Kind::real).real; }
  std::int32_t i(Lane lane) const { return of_kind(lane, Kind::integer).integer; }
  bool m(Lane lane) const { return of_kind(lane, Kind::mask).truth; }

  Lane constant(Cell cell) {
    cells_.push_back(cell);
    return Lane{reinterpret_cast<void*>(cells_.size())};
  }
  Lane counted(Cell cell) {
    ++operations_;
    return constant(cell);
  }
  Lane make(T value) { return counted({Kind::real, value, 0, false}); }
  Lane make_integer(std::int64_t value) {
    return counted({Kind::integer, 0, static_cast<std::int32_t>(value), false});
  }
  Lane truth(bool value) { return counted({Kind::mask, 0, 0, value}); }

  Find find_;
  std::vector<Cell> cells_;
  int operations_ = 0;
};

} // namespace plait::testing
