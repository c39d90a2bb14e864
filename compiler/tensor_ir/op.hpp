/** \file
 * An elementwise operation: one row with its value, its derivative and its lowering. A row that forgets one
 * of them does not compile, because Required has no default constructor.
 */
#pragma once

#include "compiler/tensor_ir/lane.hpp"
#include "compiler/tensor_ir/type.hpp"

#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace plait::ir {

class Builder;
class Value;

/** A field that an aggregate cannot leave out. */
template <class T>
class Required {
public:
  constexpr Required(T value) : value_(value) {} // NOLINT(google-explicit-constructor)
  Required() = delete;
  constexpr operator const T&() const { return value_; } // NOLINT(google-explicit-constructor)
  constexpr const T& get() const { return value_; }

private:
  T value_;
};

/** How the element type of the result follows from the inputs. */
enum class ResultRule : std::uint8_t {
  real,            ///< inputs real, result real
  integer,         ///< inputs integer, result integer
  real_comparison, ///< inputs real, result boolean
  integer_comparison,
  boolean,    ///< inputs boolean, result boolean
  select,     ///< (boolean, T, T) -> T
  to_real,    ///< integer or boolean -> real
  to_integer, ///< real or boolean -> integer
};

/** d(loss)/d(input k) for every input, given d(loss)/d(output). An entry is empty where the input carries no
 * derivative. `out` is the op's own result, for derivatives that reuse it: d/dx exp(x) = exp(x). */
using DerivativeRule = std::vector<std::optional<Value>> (*)(Builder&, Value grad, Value out,
                                                             std::span<const Value> in);

/** The explicit "no derivative": comparisons, integer arithmetic, rounding, stop_gradient. */
inline constexpr DerivativeRule not_differentiable = nullptr;

/** Inputs on which tests sample an op: each input uniform in [low, high]. */
struct SampleRange {
  double low = -2;
  double high = 2;
};

struct Op {
  std::string_view name;
  Required<int> arity;
  Required<ResultRule> result;
  Required<double (*)(std::span<const double>)> evaluate; ///< reference value in double; booleans are 0 and 1
  Required<DerivativeRule> derivative;
  Required<Lane (*)(LaneBuilder&, std::span<const Lane>)> lower;
  Required<SampleRange> samples; ///< where tests compare lowering, derivative and reference
  double tolerance = 1e-12;      ///< relative error of the f64 lowering, asserted by the table-driven test
};

} // namespace plait::ir
