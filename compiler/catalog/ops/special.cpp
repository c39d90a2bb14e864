#include "compiler/catalog/ops/row.hpp"

#include "compiler/catalog/ops/lane_math.hpp"

#include "runtime/jit_functions.hpp"

#include <cmath>
#include <stdexcept>

namespace plait::op {

namespace {

constexpr double inverse_sqrt_2pi = 0.39894228040143267794;
constexpr double two_over_sqrt_pi = 1.1283791670955125739;

/** phi(x) / Phi(x). Far in the lower tail by the continued fraction of Mills' ratio, Abramowitz &
 * Stegun 26.2.14: phi(x) / Phi(x) = t + 1/(t + 2/(t + 3/(t + …))) with t = -x. */
double inverse_mills_of(double x) {
  if (x > -6)
    return inverse_sqrt_2pi * std::exp(-0.5 * x * x) / plait_normal_cdf(x);
  const double t = -x;
  double tail = t;
  for (int k = 60; k >= 1; --k)
    tail = t + k / tail;
  return tail;
}

/** psi''(x) by recurrence to x >= 12 and the asymptotic series, A&S 6.4.13.
 * For x <= 0 by the derivative of the reflection formula: psi''(x) = psi''(1-x) - 2 pi^3 cot(pi x) / sin(pi
 * x)^2. */
double tetragamma_of(double x) {
  constexpr double pi = 3.14159265358979323846;
  if (x <= 0) {
    const double fraction = x - std::round(x);
    if (fraction == 0)
      return std::nan("");
    const double sine = std::sin(pi * fraction);
    const double cotangent = std::cos(pi * fraction) / sine;
    return tetragamma_of(1 - x) - 2 * pi * pi * pi * cotangent / (sine * sine);
  }
  double sum = 0;
  for (; x < 12; x += 1)
    sum -= 2 / (x * x * x);
  const double r = 1 / (x * x);
  return sum -
         r * (1 + 1 / x +
              r * (0.5 -
                   r * (1.0 / 6 -
                        r * (1.0 / 6 - r * (3.0 / 10 - r * (5.0 / 6 - r * (691.0 / 210 - r * 35.0 / 2)))))));
}

Derivatives throw_not_needed(Builder&, Value, Value, Values) {
  throw std::logic_error("this function is itself a derivative; its own derivative is not defined");
}

} // namespace

// log |Gamma(x)|; its derivative is digamma(x)
constinit const Op lgamma = {
    .name = "lgamma",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return plait_lgamma(in[0]); },
    .derivative =
        +[](Builder&, Value grad, Value, Values in) { return Derivatives{grad * ir::digamma(in[0])}; },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lane::lgamma(lane::Real{lanes, in[0]}).lane(); },
    .samples = ir::SampleRange{0.1, 20},
};

// psi(x); its derivative is trigamma(x)
constinit const Op digamma = {
    .name = "digamma",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return plait_digamma(in[0]); },
    .derivative =
        +[](Builder&, Value grad, Value, Values in) { return Derivatives{grad * ir::trigamma(in[0])}; },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lane::digamma(lane::Real{lanes, in[0]}).lane(); },
    .samples = ir::SampleRange{0.1, 20},
};

// psi'(x); its derivative is psi''(x), tetragamma
constinit const Op trigamma = {
    .name = "trigamma",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return plait_trigamma(in[0]); },
    .derivative = +[](Builder& builder, Value grad, Value,
                      Values in) { return Derivatives{grad * builder.map(tetragamma, {in[0]})}; },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lane::trigamma(lane::Real{lanes, in[0]}).lane(); },
    .samples = ir::SampleRange{0.1, 20},
};

// psi''(x)
constinit const Op tetragamma = {
    .name = "tetragamma",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return tetragamma_of(in[0]); },
    .derivative = &throw_not_needed,
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lane::tetragamma({lanes, in[0]}).lane(); },
    .samples = ir::SampleRange{0.1, 20},
};

// d erf(x) = 2 / sqrt(pi) e^(-x^2) dx
constinit const Op erf = {
    .name = "erf",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return std::erf(in[0]); },
    .derivative =
        +[](Builder&, Value grad, Value, Values in) {
          return Derivatives{grad * (two_over_sqrt_pi * ir::exp(-ir::square(in[0])))};
        },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lane::erf(lane::Real{lanes, in[0]}).lane(); },
    .samples = ir::SampleRange{-4, 4},
};

// 1 - erf(x); d erfc(x) = -2 / sqrt(pi) e^(-x^2) dx
constinit const Op erfc = {
    .name = "erfc",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return std::erfc(in[0]); },
    .derivative =
        +[](Builder&, Value grad, Value, Values in) {
          return Derivatives{-(grad * (two_over_sqrt_pi * ir::exp(-ir::square(in[0]))))};
        },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lane::erfc(lane::Real{lanes, in[0]}).lane(); },
    .samples = ir::SampleRange{-4, 4},
};

// Phi(x); its derivative is phi(x) = e^(-x^2/2) / sqrt(2 pi)
constinit const Op normal_cdf = {
    .name = "normal_cdf",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return plait_normal_cdf(in[0]); },
    .derivative =
        +[](Builder&, Value grad, Value, Values in) {
          return Derivatives{grad * (inverse_sqrt_2pi * ir::exp(-0.5 * ir::square(in[0])))};
        },
    .lower = +[](LaneBuilder& lanes, Lanes in) { return lane::normal_cdf(lane::Real{lanes, in[0]}).lane(); },
    .samples = ir::SampleRange{-5, 5},
};

// log Phi(x); its derivative is phi(x) / Phi(x)
constinit const Op normal_log_cdf = {
    .name = "normal_log_cdf",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return plait_normal_log_cdf(in[0]); },
    .derivative = +[](Builder& builder, Value grad, Value,
                      Values in) { return Derivatives{grad * builder.map(inverse_mills, {in[0]})}; },
    .lower =
        +[](LaneBuilder& lanes, Lanes in) { return lane::normal_log_cdf(lane::Real{lanes, in[0]}).lane(); },
    .samples = ir::SampleRange{-12, 5},
};

// m(x) = phi(x) / Phi(x); dm = -m (x + m) dx
constinit const Op inverse_mills = {
    .name = "inverse_mills",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return inverse_mills_of(in[0]); },
    .derivative = +[](Builder&, Value grad, Value out,
                      Values in) { return Derivatives{-(grad * (out * (in[0] + out)))}; },
    .lower =
        +[](LaneBuilder& lanes, Lanes in) { return lane::inverse_mills(lane::Real{lanes, in[0]}).lane(); },
    .samples = ir::SampleRange{-12, 5},
};

// x with Phi(x) = p; dx = dp / phi(x)
constinit const Op normal_quantile = {
    .name = "normal_quantile",
    .arity = 1,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return plait_normal_quantile(in[0]); },
    .derivative =
        +[](Builder&, Value grad, Value out, Values) {
          return Derivatives{grad * (ir::exp(0.5 * ir::square(out)) / inverse_sqrt_2pi)};
        },
    .lower =
        +[](LaneBuilder& lanes, Lanes in) { return lane::normal_quantile(lane::Real{lanes, in[0]}).lane(); },
    .samples = ir::SampleRange{0.01, 0.99},
};

// d log x / d alpha at fixed P(alpha, x): Figurnov, Mohamed & Mnih, "Implicit reparameterization gradients",
// 2018.
constinit const Op log_gamma_draw = {
    .name = "log_gamma_draw",
    .arity = 2,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return in[1]; },
    .derivative =
        +[](Builder& builder, Value grad, Value out, Values in) {
          return Derivatives{grad * builder.map(log_gamma_sample_derivative, {in[0], out}), std::nullopt};
        },
    .lower = +[](LaneBuilder&, Lanes in) { return in[1]; },
    .samples = ir::SampleRange{0.3, 3},
};

constinit const Op log_gamma_sample_derivative = {
    .name = "log_gamma_sample_derivative",
    .arity = 2,
    .result = ResultRule::real,
    .evaluate = +[](Numbers in) { return plait_log_gamma_sample_derivative(in[0], in[1]); },
    .derivative = &throw_not_needed,
    .lower = +[](LaneBuilder& lanes,
                 Lanes in) { return lanes.call_per_lane("plait_log_gamma_sample_derivative", in); },
    .samples = ir::SampleRange{0.3, 3},
};

} // namespace plait::op
