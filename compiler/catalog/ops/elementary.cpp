#include "compiler/catalog/ops/row.hpp"

#include "compiler/catalog/ops/lane_math.hpp"

#include <cmath>
#include <limits>

namespace plait::op {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double log_2 = 0.69314718055994530942;
constexpr double log_10 = 2.30258509299404568402;

double sigmoid_of(double x) {
  if (x >= 0)
    return 1 / (1 + std::exp(-x));
  const double e = std::exp(x);
  return e / (1 + e);
}

// log(1 + e^x) = max(x, 0) + log1p(e^-|x|)
double softplus_of(double x) {
  return (x > 0 ? x : 0.0) + std::log1p(std::exp(-std::fabs(x)));
}

} // namespace

// d e^x = e^x dx
constinit const Op exp = {
    .name = "exp",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return std::exp(in[0]); },
    .derivative = +[](Builder&, Value grad, Value out, Values) { return Derivatives{grad * out}; },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lane::exp(lane::Real{lanes, in[0]}).lane(); },
    .samples = ir::SampleRange{-20, 20},
};

// d log x = dx / x
constinit const Op log = {
    .name = "log",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return std::log(in[0]); },
    .derivative = +[](Builder&, Value grad, Value, Values in) { return Derivatives{grad / in[0]}; },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lane::log(lane::Real{lanes, in[0]}).lane(); },
    .samples = ir::SampleRange{0.01, 20},
};

// d log(1 + x) = dx / (1 + x)
constinit const Op log1p = {
    .name = "log1p",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return std::log1p(in[0]); },
    .derivative = +[](Builder&, Value grad, Value, Values in) { return Derivatives{grad / (1 + in[0])}; },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lane::log1p(lane::Real{lanes, in[0]}).lane(); },
    .samples = ir::SampleRange{-0.9, 5},
};

// d (e^x - 1) = e^x dx
constinit const Op expm1 = {
    .name = "expm1",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return std::expm1(in[0]); },
    .derivative = +[](Builder&, Value grad, Value out, Values) { return Derivatives{grad * (out + 1)}; },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lane::expm1(lane::Real{lanes, in[0]}).lane(); },
    .samples = ir::SampleRange{-5, 5},
};

// d log2(x) = dx / (x log 2)
constinit const Op log2 = {
    .name = "log2",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return std::log2(in[0]); },
    .derivative = +[](Builder&, Value grad, Value, Values in) { return Derivatives{grad / (in[0] * log_2)}; },
    .lower = +[](LaneBuilder& lanes,
                 Lanes in) { return (lane::log(lane::Real{lanes, in[0]}) * (1 / log_2)).lane(); },
    .samples = ir::SampleRange{0.01, 20},
};

// d log10(x) = dx / (x log 10)
constinit const Op log10 = {
    .name = "log10",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return std::log10(in[0]); },
    .derivative =
        +[](Builder&, Value grad, Value, Values in) { return Derivatives{grad / (in[0] * log_10)}; },
    .lower = +[](LaneBuilder& lanes,
                 Lanes in) { return (lane::log(lane::Real{lanes, in[0]}) * (1 / log_10)).lane(); },
    .samples = ir::SampleRange{0.01, 20},
};

// d sqrt(x) = dx / (2 sqrt(x))
constinit const Op sqrt = {
    .name = "sqrt",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return std::sqrt(in[0]); },
    .derivative = +[](Builder&, Value grad, Value out, Values) { return Derivatives{0.5 * grad / out}; },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lanes.square_root(in[0]); },
    .samples = ir::SampleRange{0.01, 20},
};

// d x^y = y x^(y-1) dx + x^y log(x) dy. Where y = 0 the first term is 0, also at x = 0; where x = 0 the
// second is.
constinit const Op pow = {
    .name = "pow",
    .arity = 2,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return std::pow(in[0], in[1]); },
    .derivative =
        +[](Builder& builder, Value grad, Value out, Values in) {
          const Value zero = builder.real(0);
          const Value one = builder.real(1);
          const Value x = in[0];
          const Value y = in[1];
          const Value constant = ir::equal(y, zero);
          const Value by_x = y * ir::pow(x, ir::select(constant, one, y - 1));
          const Value at_zero = ir::equal(x, zero);
          const Value by_y = ir::select(at_zero, zero, out * ir::log(ir::select(at_zero, one, x)));
          return Derivatives{grad * by_x, grad * by_y};
        },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lane::pow({lanes, in[0]}, {lanes, in[1]}).lane(); },
    .samples = ir::SampleRange{0.1, 3},
};

// d sin(x) = cos(x) dx
constinit const Op sin = {
    .name = "sin",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return std::sin(in[0]); },
    .derivative = +[](Builder&, Value grad, Value, Values in) { return Derivatives{grad * ir::cos(in[0])}; },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lane::sin(lane::Real{lanes, in[0]}).lane(); },
    .samples = ir::SampleRange{-10, 10},
};

// d cos(x) = -sin(x) dx
constinit const Op cos = {
    .name = "cos",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return std::cos(in[0]); },
    .derivative =
        +[](Builder&, Value grad, Value, Values in) { return Derivatives{-(grad * ir::sin(in[0]))}; },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lane::cos(lane::Real{lanes, in[0]}).lane(); },
    .samples = ir::SampleRange{-10, 10},
};

// d tan(x) = (1 + tan(x)^2) dx
constinit const Op tan = {
    .name = "tan",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return std::tan(in[0]); },
    .derivative =
        +[](Builder&, Value grad, Value out, Values) { return Derivatives{grad * (1 + out * out)}; },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lane::tan(lane::Real{lanes, in[0]}).lane(); },
    .samples = ir::SampleRange{-1.3, 1.3},
};

// d atan(x) = dx / (1 + x^2)
constinit const Op atan = {
    .name = "atan",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return std::atan(in[0]); },
    .derivative =
        +[](Builder&, Value grad, Value, Values in) { return Derivatives{grad / (1 + in[0] * in[0])}; },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lane::atan(lane::Real{lanes, in[0]}).lane(); },
    .samples = ir::SampleRange{-10, 10},
};

// d asin(x) = dx / sqrt(1 - x^2)
constinit const Op asin = {
    .name = "asin",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return std::asin(in[0]); },
    .derivative = +[](Builder&, Value grad, Value,
                      Values in) { return Derivatives{grad / ir::sqrt((1 - in[0]) * (1 + in[0]))}; },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lane::asin(lane::Real{lanes, in[0]}).lane(); },
    .samples = ir::SampleRange{-0.95, 0.95},
};

// d acos(x) = -dx / sqrt(1 - x^2)
constinit const Op acos = {
    .name = "acos",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return std::acos(in[0]); },
    .derivative = +[](Builder&, Value grad, Value,
                      Values in) { return Derivatives{-(grad / ir::sqrt((1 - in[0]) * (1 + in[0])))}; },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lane::acos(lane::Real{lanes, in[0]}).lane(); },
    .samples = ir::SampleRange{-0.95, 0.95},
};

// d sinh(x) = cosh(x) dx
constinit const Op sinh = {
    .name = "sinh",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return std::sinh(in[0]); },
    .derivative = +[](Builder&, Value grad, Value, Values in) { return Derivatives{grad * ir::cosh(in[0])}; },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lane::sinh(lane::Real{lanes, in[0]}).lane(); },
    .samples = ir::SampleRange{-5, 5},
};

// d cosh(x) = sinh(x) dx
constinit const Op cosh = {
    .name = "cosh",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return std::cosh(in[0]); },
    .derivative = +[](Builder&, Value grad, Value, Values in) { return Derivatives{grad * ir::sinh(in[0])}; },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lane::cosh(lane::Real{lanes, in[0]}).lane(); },
    .samples = ir::SampleRange{-5, 5},
};

// d atanh(x) = dx / (1 - x^2)
constinit const Op atanh = {
    .name = "atanh",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return std::atanh(in[0]); },
    .derivative = +[](Builder&, Value grad, Value,
                      Values in) { return Derivatives{grad / ((1 - in[0]) * (1 + in[0]))}; },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lane::atanh(lane::Real{lanes, in[0]}).lane(); },
    .samples = ir::SampleRange{-0.95, 0.95},
};

// d tanh(x) = (1 - tanh(x)^2) dx
constinit const Op tanh = {
    .name = "tanh",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return std::tanh(in[0]); },
    .derivative =
        +[](Builder&, Value grad, Value out, Values) { return Derivatives{grad * (1 - out * out)}; },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lane::tanh(lane::Real{lanes, in[0]}).lane(); },
    .samples = ir::SampleRange{-5, 5},
};

// s(x) = 1 / (1 + e^-x); ds = s (1 - s) dx
constinit const Op sigmoid = {
    .name = "sigmoid",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return sigmoid_of(in[0]); },
    .derivative =
        +[](Builder&, Value grad, Value out, Values) { return Derivatives{grad * (out * (1 - out))}; },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lane::sigmoid(lane::Real{lanes, in[0]}).lane(); },
    .samples = ir::SampleRange{-10, 10},
};

// log(p / (1 - p)), the inverse of sigmoid; d = dp / (p (1 - p))
constinit const Op logit = {
    .name = "logit",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return std::log(in[0]) - std::log1p(-in[0]); },
    .derivative =
        +[](Builder&, Value grad, Value, Values in) { return Derivatives{grad / (in[0] * (1 - in[0]))}; },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lane::logit(lane::Real{lanes, in[0]}).lane(); },
    .samples = ir::SampleRange{0.01, 0.99},
};

// log(1 + e^x); its derivative is sigmoid(x)
constinit const Op softplus = {
    .name = "softplus",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return softplus_of(in[0]); },
    .derivative =
        +[](Builder&, Value grad, Value, Values in) { return Derivatives{grad * ir::sigmoid(in[0])}; },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lane::softplus(lane::Real{lanes, in[0]}).lane(); },
    .samples = ir::SampleRange{-10, 10},
};

// log s(x) = -log(1 + e^-x); its derivative is sigmoid(-x)
constinit const Op log_sigmoid = {
    .name = "log_sigmoid",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return -softplus_of(-in[0]); },
    .derivative =
        +[](Builder&, Value grad, Value, Values in) { return Derivatives{grad * ir::sigmoid(-in[0])}; },
    .lower =
        +[](LaneBuilder& lanes, Lanes in) { return (-lane::softplus(-lane::Real{lanes, in[0]})).lane(); },
    .samples = ir::SampleRange{-10, 10},
};

// log(1 - e^x) for x <= 0, in the form that keeps all digits (Maechler, "Accurately computing log(1 -
// exp(-|a|))", 2012). d = -e^x / (1 - e^x) dx = -dx / (e^-x - 1)
constinit const Op log1m_exp = {
    .name = "log1m_exp",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate =
        +[](Numbers in) {
          const double x = in[0];
          return x > -log_2 ? std::log(-std::expm1(x)) : std::log1p(-std::exp(x));
        },
    .derivative =
        +[](Builder&, Value grad, Value, Values in) { return Derivatives{-(grad / ir::expm1(-in[0]))}; },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lane::log1m_exp(lane::Real{lanes, in[0]}).lane(); },
    .samples = ir::SampleRange{-8, -0.01},
};

// log(e^a + e^b) = max(a, b) + log1p(e^-|a - b|); weights e^(a - out), e^(b - out). Of two infinities of one
// sign the sum is that infinity; where the result is -inf the weights are 0.
constinit const Op log_add_exp = {
    .name = "log_add_exp",
    .arity = 2,
    .result = ResultRule::real,
    .evaluate =
        +[](Numbers in) {
          const double a = in[0];
          const double b = in[1];
          if (std::isnan(a) || std::isnan(b))
            return a + b;
          const double largest = a > b ? a : b;
          return std::isinf(largest) ? largest : largest + std::log1p(std::exp(-std::fabs(a - b)));
        },
    .derivative =
        +[](Builder& builder, Value grad, Value out, Values in) {
          const Value finite = ir::select(ir::greater(out, builder.real(-infinity)), out, builder.real(0));
          return Derivatives{grad * ir::exp(in[0] - finite), grad * ir::exp(in[1] - finite)};
        },
    .lower = +[](LaneBuilder& lanes,
                 Lanes in) { return lane::log_add_exp({lanes, in[0]}, {lanes, in[1]}).lane(); },
    .samples = ir::SampleRange{-10, 10},
};

// x log(y), 0 where x is 0 whatever y (but NaN). d = log(y) dx + x / y dy; where x = 0 the second term is 0,
// and where x = y = 0 both are.
constinit const Op x_log_y = {
    .name = "x_log_y",
    .arity = 2,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return in[0] == 0 && !std::isnan(in[1]) ? 0.0 : in[0] * std::log(in[1]); },
    .derivative =
        +[](Builder& builder, Value grad, Value, Values in) {
          const Value zero = builder.real(0);
          const Value one = builder.real(1);
          const Value x_is_zero = ir::equal(in[0], zero);
          const Value both = ir::logical_and(x_is_zero, ir::equal(in[1], zero));
          const Value divisor = ir::select(x_is_zero, one, in[1]);
          return Derivatives{grad * ir::log(ir::select(both, one, in[1])), grad * (in[0] / divisor)};
        },
    .lower =
        +[](LaneBuilder& lanes, Lanes in) {
          const lane::Real x{lanes, in[0]};
          const lane::Real y{lanes, in[1]};
          return lane::select((x == 0) & (y == y), x.constant(0), x * lane::log(y)).lane();
        },
    .samples = ir::SampleRange{0.1, 5},
};

} // namespace plait::op
