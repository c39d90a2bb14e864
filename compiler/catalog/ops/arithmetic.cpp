#include "compiler/catalog/ops/row.hpp"

#include "compiler/catalog/ops/lane_math.hpp"

#include <algorithm>
#include <cmath>

namespace plait::op {

namespace {

using ir::Comparison;

/** b with zeros replaced by one, so that dividing by it cannot trap. */
Lane nonzero(LaneBuilder& lanes, Lane b) {
  return lanes.select_integer(lanes.integer_compare(Comparison::equal, b, lanes.integer(0)), lanes.integer(1),
                              b);
}

Lane zero_where_divisor_is_zero(LaneBuilder& lanes, Lane divisor, Lane value) {
  return lanes.select_integer(lanes.integer_compare(Comparison::equal, divisor, lanes.integer(0)),
                              lanes.integer(0), value);
}

} // namespace

// d(a + b) = da + db
constinit const Op add = {
    .name = "add",
    .arity = 2,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return in[0] + in[1]; },
    .derivative = +[](Builder&, Value grad, Value, Values) { return Derivatives{grad, grad}; },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lanes.add(in[0], in[1]); },
    .samples = ir::SampleRange{-10, 10},
};

// d(a - b) = da - db
constinit const Op subtract = {
    .name = "subtract",
    .arity = 2,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return in[0] - in[1]; },
    .derivative = +[](Builder&, Value grad, Value, Values) { return Derivatives{grad, -grad}; },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lanes.subtract(in[0], in[1]); },
    .samples = ir::SampleRange{-10, 10},
};

// d(a b) = b da + a db
constinit const Op multiply = {
    .name = "multiply",
    .arity = 2,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return in[0] * in[1]; },
    .derivative =
        +[](Builder&, Value grad, Value, Values in) { return Derivatives{grad * in[1], grad * in[0]}; },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lanes.multiply(in[0], in[1]); },
    .samples = ir::SampleRange{-10, 10},
};

// d(a / b) = (da - (a / b) db) / b
constinit const Op divide = {
    .name = "divide",
    .arity = 2,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return in[0] / in[1]; },
    .derivative =
        +[](Builder&, Value grad, Value out, Values in) {
          const Value quotient = grad / in[1];
          return Derivatives{quotient, -(quotient * out)};
        },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lanes.divide(in[0], in[1]); },
    .samples = ir::SampleRange{0.25, 10},
};

constinit const Op negate = {
    .name = "negate",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return -in[0]; },
    .derivative = +[](Builder&, Value grad, Value, Values) { return Derivatives{-grad}; },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lanes.negate(in[0]); },
    .samples = ir::SampleRange{-10, 10},
};

// d|x| = sign(x) dx, 0 at 0
constinit const Op abs = {
    .name = "abs",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return std::fabs(in[0]); },
    .derivative = +[](Builder&, Value grad, Value, Values in) { return Derivatives{grad * ir::sign(in[0])}; },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lanes.absolute(in[0]); },
    .samples = ir::SampleRange{-10, 10},
};

// -1, 0 or 1; NaN stays NaN
constinit const Op sign = {
    .name = "sign",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return in[0] > 0   ? 1.0
                                         : in[0] < 0 ? -1.0
                                                     : in[0]; },
    .derivative = not_differentiable,
    .lower =
        +[](LaneBuilder& lanes, Lanes in) {
          const lane::Real x{lanes, in[0]};
          return lane::select(x > 0, x.constant(1), lane::select(x < 0, x.constant(-1), x)).lane();
        },
    .samples = ir::SampleRange{-10, 10},
};

// d x^2 = 2 x dx
constinit const Op square = {
    .name = "square",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return in[0] * in[0]; },
    .derivative = +[](Builder&, Value grad, Value, Values in) { return Derivatives{grad * (2 * in[0])}; },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lanes.multiply(in[0], in[0]); },
    .samples = ir::SampleRange{-10, 10},
};

constinit const Op floor = {
    .name = "floor",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return std::floor(in[0]); },
    .derivative = not_differentiable,
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lanes.floor(in[0]); },
    .samples = ir::SampleRange{-10, 10},
};

// The least integer not below x.
constinit const Op ceil = {
    .name = "ceil",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return std::ceil(in[0]); },
    .derivative = not_differentiable,
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lanes.negate(lanes.floor(lanes.negate(in[0]))); },
    .samples = ir::SampleRange{-10, 10},
};

// To the nearest integer, of two the even one.
constinit const Op round = {
    .name = "round",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return std::nearbyint(in[0]); },
    .derivative = not_differentiable,
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lanes.round_to_even(in[0]); },
    .samples = ir::SampleRange{-10, 10},
};

// The derivative goes to the smaller input, to the first of equals. min(a, NaN) = min(NaN, a) = NaN.
constinit const Op minimum = {
    .name = "minimum",
    .arity = 2,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return in[0] <= in[1]  ? in[0]
                                         : in[1] < in[0] ? in[1]
                                                         : in[0] + in[1]; },
    .derivative =
        +[](Builder& builder, Value grad, Value, Values in) {
          const Value first = ir::less_equal(in[0], in[1]);
          const Value zero = builder.real(0);
          return Derivatives{ir::select(first, grad, zero), ir::select(first, zero, grad)};
        },
    .lower =
        +[](LaneBuilder& lanes, Lanes in) {
          const lane::Real a{lanes, in[0]};
          const lane::Real b{lanes, in[1]};
          return lane::select(is_nan(a), a, lane::select(a <= b, a, b)).lane();
        },
    .samples = ir::SampleRange{-10, 10},
};

constinit const Op maximum = {
    .name = "maximum",
    .arity = 2,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return in[0] >= in[1]  ? in[0]
                                         : in[1] > in[0] ? in[1]
                                                         : in[0] + in[1]; },
    .derivative =
        +[](Builder& builder, Value grad, Value, Values in) {
          const Value first = ir::greater_equal(in[0], in[1]);
          const Value zero = builder.real(0);
          return Derivatives{ir::select(first, grad, zero), ir::select(first, zero, grad)};
        },
    .lower =
        +[](LaneBuilder& lanes, Lanes in) {
          const lane::Real a{lanes, in[0]};
          const lane::Real b{lanes, in[1]};
          return lane::select(is_nan(a), a, lane::select(a >= b, a, b)).lane();
        },
    .samples = ir::SampleRange{-10, 10},
};

// d max(x, 0) = [x > 0] dx
constinit const Op relu = {
    .name = "relu",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return in[0] < 0 ? 0.0 : in[0]; },
    .derivative =
        +[](Builder& builder, Value grad, Value, Values in) {
          const Value zero = builder.real(0);
          return Derivatives{ir::select(ir::greater(in[0], zero), grad, zero)};
        },
    .lower =
        +[](LaneBuilder& lanes, Lanes in) {
          const lane::Real x{lanes, in[0]};
          return lane::select(x < 0, x.constant(0), x).lane();
        },
    .samples = ir::SampleRange{-10, 10},
};

constinit const Op integer_add = {
    .name = "integer_add",
    .arity = 2,
    .result = ResultRule::integer,
    .evaluate = +[](Numbers in) { return in[0] + in[1]; },
    .derivative = not_differentiable,
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lanes.integer_add(in[0], in[1]); },
    .samples = ir::SampleRange{-50, 50},
};

constinit const Op integer_subtract = {
    .name = "integer_subtract",
    .arity = 2,
    .result = ResultRule::integer,
    .evaluate = +[](Numbers in) { return in[0] - in[1]; },
    .derivative = not_differentiable,
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lanes.integer_subtract(in[0], in[1]); },
    .samples = ir::SampleRange{-50, 50},
};

constinit const Op integer_multiply = {
    .name = "integer_multiply",
    .arity = 2,
    .result = ResultRule::integer,
    .evaluate = +[](Numbers in) { return in[0] * in[1]; },
    .derivative = not_differentiable,
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lanes.integer_multiply(in[0], in[1]); },
    .samples = ir::SampleRange{-50, 50},
};

constinit const Op integer_divide = {
    .name = "integer_divide",
    .arity = 2,
    .result = ResultRule::integer,
    .evaluate = +[](Numbers in) { return in[1] == 0 ? 0.0 : std::trunc(in[0] / in[1]); },
    .derivative = not_differentiable,
    .lower =
        +[](LaneBuilder& lanes, Lanes in) {
          return zero_where_divisor_is_zero(lanes, in[1], lanes.integer_divide(in[0], nonzero(lanes, in[1])));
        },
    .samples = ir::SampleRange{-50, 50},
};

constinit const Op integer_remainder = {
    .name = "integer_remainder",
    .arity = 2,
    .result = ResultRule::integer,
    .evaluate = +[](Numbers in) { return in[1] == 0 ? 0.0 : std::fmod(in[0], in[1]); },
    .derivative = not_differentiable,
    .lower =
        +[](LaneBuilder& lanes, Lanes in) {
          return zero_where_divisor_is_zero(lanes, in[1],
                                            lanes.integer_remainder(in[0], nonzero(lanes, in[1])));
        },
    .samples = ir::SampleRange{-50, 50},
};

} // namespace plait::op
