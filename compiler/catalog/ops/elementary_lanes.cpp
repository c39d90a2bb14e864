#include "compiler/catalog/ops/lane_kernels.hpp"

// Polynomials are minimax approximations by Remez' exchange algorithm, coefficients rounded one after the
// other with the rest refitted; the error stated beside each is relative, of the function it serves.

namespace plait::lane {

namespace {

using Coefficients = std::span<const double>;

// (e^r - 1 - r) / r^2 on |r| <= log(2) / 2. Relative error of e^r: f32 3.3e-9, f64 4.5e-18.
constexpr double exp_single[] = {1, 1, 0.49999994, 0.166665182, 0.0416682474, 0.00836895313, 0.00138224836};
constexpr double exp_double[] = {1,
                                 1,
                                 0.5000000000000013,
                                 0.1666666666666649,
                                 0.04166666666651215,
                                 0.008333333333445603,
                                 0.0013888888947649982,
                                 0.00019841269610465837,
                                 2.4801489424511733e-05,
                                 2.7557494819375706e-06,
                                 2.7631433103020213e-07,
                                 2.5028742250663485e-08};

// The same, weighted for e^r - 1: f32 1.4e-8, f64 3.1e-19.
constexpr double expm1_single[] = {0.49999997, 0.16666542, 0.0416675247, 0.00836668257, 0.0013862449};
constexpr double expm1_double[] = {0.5,
                                   0.16666666666666677,
                                   0.0416666666666666,
                                   0.008333333333321457,
                                   0.0013888888888928333,
                                   0.00019841269886509185,
                                   2.4801587227586234e-05,
                                   2.7557243859677093e-06,
                                   2.755736187403984e-07,
                                   2.5109150430374226e-08,
                                   2.0886630175727484e-09};

// (log(1 + f) - f) / f^2 on sqrt(1/2) <= 1 + f <= sqrt(2): 3.3e-8.
constexpr double log_single[] = {-0.499999911, 0.333339512, -0.250017554, 0.19962053,
                                 -0.165704638, 0.14918147,  -0.1430794,   0.0873484462};
// (2 atanh(s) / s - 2) / s^2 in s^2, for s = f / (2 + f): 1.2e-18.
constexpr double log_double[] = {0.6666666666666734, 0.39999999999416874, 0.2857142874195869,
                                 0.2222219861246317, 0.18183562492139566, 0.15314092802102536,
                                 0.14795569227327304};

// (log(1 + y) - y) / y^2 on [0, 1]: 1.0e-8; and as above for s = y / (2 + y) <= 1/3: 1.4e-18.
constexpr double log_unit_single[] = {-0.499999315, 0.333304256,  -0.249573991, 0.196882963,   -0.153329626,
                                      0.106402129,  -0.057249058, 0.0199764613, -0.00326664746};
constexpr double log_unit_double[] = {
    0.6666666666666631,  0.4000000000015551,  0.2857142854809187,  0.22222223954340142, 0.18181744476782086,
    0.15386548108213396, 0.13301128300941878, 0.12104871379446812, 0.08345354826230489, 0.17008958012759623};

// (log(1 + f) - f + f^2/2) / f^3 on sqrt(1/2) <= 1 + f <= sqrt(2): 6.6e-9.
constexpr double pow_single[] = {0.333333313, -0.250008434, 0.200010344, -0.166224599,
                                 0.14207232,  -0.131748959, 0.12724559,  -0.0754626691};

// (sin(r) / r - 1) / r^2 in r^2 on |r| <= 1.006 pi / 2 (the multiple of pi may be rounded the wrong
// way): f32 6.7e-9, f64 2.2e-19.
constexpr double sin_single[] = {-0.166666597, 0.00833306648, -0.000198094393, 2.60513343e-06};
constexpr double sin_double[] = {-0.16666666666666666,   0.008333333333333212,   -0.00019841269841215244,
                                 2.7557319212123632e-06, -2.505210695931714e-08, 1.6058943881712983e-10,
                                 -7.643096055972984e-13, 2.7222363949644106e-15};

// sin(2 pi w) / w in w^2 on |w| <= 1/4: f32 2.8e-8, f64 3.8e-17.
constexpr double turns_single[] = {6.28318548, -41.3417206, 81.6046448, -76.6253204, 40.0623894};
constexpr double turns_double[] = {6.283185307179586,  -41.34170224039958,  81.6052492760347,
                                   -76.70585974901505, 42.058693726754605,  -15.09463577880127,
                                   3.8198281283759994, -0.7168327138029762, 0.09754665168676784};

// (atan(t) / t - 1) / t^2 in t^2 on |t| <= 1: f32 1.8e-8, f64 3.6e-17.
constexpr double atan_single[] = {-0.333331525, 0.199937731,  -0.142110556,  0.106660053,
                                  -0.075522162, 0.0432118773, -0.0163679346, 0.00292069349};
constexpr double atan_double[] = {
    -0.3333333333333186,    0.1999999999975502,     -0.14285714271334812,   0.11111110678749396,
    -0.0909090123540015,    0.07692212930583679,    -0.06665860363333714,   0.058773077721103385,
    -0.05239233005274146,   0.04673949619589089,    -0.04092638241779359,   0.03406781108559699,
    -0.025826796827914018,  0.016978035857434275,   -0.009184559242685774,  0.0038559749549891636,
    -0.0011640717854669161, 0.00022302240544092947, -2.0258553281161553e-05};

constexpr double log2_e = 1.44269504088896340736;
constexpr double sqrt_2 = 1.41421356237309504880;
constexpr double inverse_pi = 0.31830988618379067154;
constexpr double half_pi = 1.57079632679489661923;

/** A constant as the sum of numbers of one precision: products with small integers are subtracted part by
 * part. */
struct Parts {
  double high, middle, low;
};
constexpr Parts log_2_single = {0x1.62e43p-1, -0x1.05c61p-29, 0};
constexpr Parts log_2_double = {0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56, 0};
constexpr Parts pi_single = {0x1.921fb6p+1, -0x1.777a5cp-24, -0x1.ee59dap-49};
constexpr Parts pi_double = {0x1.921fb54442d18p+1, 0x1.1a62633145c07p-53, -0x1.f1976b7ed8fbcp-109};

Parts log_2(Real x) {
  return x.is_single_precision() ? log_2_single : log_2_double;
}
Parts pi(Real x) {
  return x.is_single_precision() ? pi_single : pi_double;
}

/** x = n log(2) + r, |r| <= log(2) / 2: Cody & Waite's reduction. */
struct ExpReduced {
  Real n, r;
};
ExpReduced reduce_exp(Real x) {
  const Parts parts = log_2(x);
  const Real n = round_to_even(x * log2_e);
  return {n, fma(n, -parts.middle, fma(n, -parts.high, x))};
}

/** e^r for |r| <= log(2) / 2, times 2^n. */
Real scaled_exp(ExpReduced x) {
  return scale_by_power_of_two(polynomial(x.r, exp_single, exp_double), x.n);
}

/** e^r - 1 for |r| <= log(2) / 2. */
Real expm1_kernel(Real r) {
  return fma(r * r, polynomial(r, expm1_single, expm1_double), r);
}

/** Keeps x in [low, high]; NaN stays. */
Real clamp(Real x, double low, double high) {
  return maximum(x.constant(low), minimum(x.constant(high), x));
}

/** log(1 + f) for sqrt(1/2) <= 1 + f <= sqrt(2). */
Real log_kernel(Real f) {
  if (f.is_single_precision())
    return fma(f * f, polynomial(f, log_single, {}), f);
  // log(1 + f) = f - s (f - s^2 R(s^2)), s = f / (2 + f)
  const Real s = f / (2 + f);
  const Real z = s * s;
  return f - s * (f - z * polynomial(z, {}, log_double));
}

/** x = 2^exponent m with sqrt(1/2) < m <= sqrt(2). */
struct LogReduced {
  Real exponent, m;
};
LogReduced reduce_log(Real x) {
  LaneBuilder& builder = x.builder();
  const Real exponent{builder, builder.exponent_of(x.lane())};
  const Real m{builder, builder.mantissa_of(x.lane())};
  const Mask large = m > sqrt_2;
  return {select(large, exponent + 1, exponent), select(large, m * 0.5, m)};
}

/** sin(r) for |r| <= pi / 2, with the sign (-1)^k for integral k. */
Real signed_sin(Real r, Real k) {
  // The bound holds by itself unless x is so large that its ulp exceeds pi: it keeps the result near [-1, 1].
  r = clamp(r, -1.58, 1.58);
  const Real half = k * 0.5;
  const Real sign = fma(half - floor(half), -4, 1);
  const Real z = r * r;
  return sign * fma(r * z, polynomial(z, sin_single, sin_double), r);
}

Real subtract_multiple_of_pi(Real x, Real n) {
  const Parts parts = pi(x);
  return fma(n, -parts.low, fma(n, -parts.middle, fma(n, -parts.high, x)));
}

/** A number as an unevaluated sum high + low. */
struct Sum {
  Real high, low;
};

/** log(x) for x >= 0 to nearly twice the precision. */
Sum log_extended(Real x) {
  // log(1 + f) = f - f^2/2 + t; the first two terms and the exponent's share are summed exactly.
  const auto [exponent, m] = reduce_log(x);
  const Real f = m - 1;
  const Real half = f * 0.5;
  const Real square_high = f * half;
  const Real square_low = fma(f, half, -square_high);
  Real t = f;
  if (f.is_single_precision()) {
    t = f * f * (f * polynomial(f, pow_single, {}));
  } else {
    const Real s = f / (2 + f);
    const Real z = s * s;
    t = s * fma(z, polynomial(z, {}, log_double), square_high);
  }
  const Real near = f - square_high;
  const Real near_low = (f - near) - square_high;
  // The high part has so many zero bits that its product with an exponent is exact.
  const double log_2_high = f.is_single_precision() ? 0x1.62ep-1 : 0x1.62e42feep-1;
  const double log_2_low = f.is_single_precision() ? 0x1.0bfbe8p-15 : 0x1.a39ef35793c76p-33;
  const Real far = exponent * log_2_high;
  const Real leading = far + near; // |far| > |near| or far = 0
  const Real rest = (far - leading) + near + fma(exponent, log_2_low, (near_low - square_low) + t);
  // Of an infinite logarithm only the leading part means anything.
  const Mask is_finite = abs(leading) < infinity;
  const Real high = select(is_finite, leading + rest, leading);
  return {high, (leading - high) + rest};
}

} // namespace

Real polynomial(Real x, std::span<const double> single, std::span<const double> precise) {
  const std::span<const double> coefficients = x.is_single_precision() ? single : precise;
  Real value = x.constant(coefficients.back());
  for (std::size_t k = coefficients.size() - 1; k-- > 0;)
    value = fma(value, x, coefficients[k]);
  return value;
}

// 1 / 1 ulp. Overflows to infinity, underflows gradually to 0.
Real exp(Real x) {
  const bool single = x.is_single_precision();
  return scaled_exp(reduce_exp(clamp(x, single ? -104 : -746, single ? 89 : 710)));
}

Real exp_of_nonpositive(Real x) {
  return scaled_exp(reduce_exp(maximum(x.constant(x.is_single_precision() ? -104 : -746), x)));
}

ExpAndExpm1 exp_and_expm1_of_nonpositive(Real x) {
  const auto [n, r] = reduce_exp(maximum(x.constant(x.is_single_precision() ? -104 : -746), x));
  const Real power = scale_by_power_of_two(x.constant(1), n);
  const Real p = expm1_kernel(r);
  return {fma(power, p, power), fma(power, p, power - 1)};
}

// 2 / 2 ulp. 2^n e^r - 1 = 2 (2^(n-1) (e^r - 1) + (2^(n-1) - 1/2)): half of 2^n does not overflow before the
// result.
Real expm1(Real x) {
  const bool single = x.is_single_precision();
  const auto [n, r] = reduce_exp(clamp(x, single ? -18 : -38, single ? 89 : 710));
  const Real half_power = scale_by_power_of_two(x.constant(0.5), n);
  const Real half = fma(half_power, expm1_kernel(r), half_power - 0.5);
  return half + half;
}

// 2 / 2 ulp. log(0) = -inf and log(inf) = inf come from the exponents, log of a negative from its mantissa,
// NaN.
Real log(Real x) {
  const auto [exponent, m] = reduce_log(x);
  return fma(exponent, log_2(x).high, log_kernel(m - 1));
}

Real log_near_one(Real u, Real difference) {
  const auto [exponent, m] = reduce_log(u);
  const Mask near = (exponent == 0) & (m == m); // m is NaN for u < 0
  const Real f = select(near, difference, m - 1);
  return fma(exponent, log_2(u).high, log_kernel(f));
}

// 3 / 3 ulp
Real log1p(Real x) {
  return log_near_one(1 + x, x);
}

Real log1p_of_unit(Real y) {
  if (y.is_single_precision())
    return fma(y * y, polynomial(y, log_unit_single, {}), y);
  const Real s = y / (2 + y);
  const Real z = s * s;
  return y - s * (y - z * polynomial(z, {}, log_unit_double));
}

Real pow(Real x, Real y) {
  const Real magnitude = abs(x);
  const Sum logarithm = log_extended(magnitude);
  const Real high = y * logarithm.high;
  const Real low = fma(y, logarithm.low, fma(y, logarithm.high, -high));
  const bool single = x.is_single_precision();
  const auto [n, r] = reduce_exp(clamp(high, single ? -104 : -746, single ? 89 : 710));
  // The low part of an infinite product is NaN; so it must not be added where the result is 0 or infinite
  // anyway.
  const Mask moderate = abs(high) < (single ? 110.0 : 750.0);
  Real power = scaled_exp({n, r + select(moderate, low, 0)});
  power = select((magnitude == 1) | (y == 0), 1, power);
  // Negative bases have integral powers only; odd ones are negative.
  const Real half = y * 0.5;
  const Mask is_integral = floor(y) == y;
  const Real with_sign = select(is_integral & (floor(half) != half), -power, power);
  const Real of_negative = select(is_integral | (magnitude == infinity), with_sign, x.constant(not_a_number));
  return select(x < 0, of_negative, power);
}

// 2 / 2 ulp for |x| <= 1e5 / 1e9, the reduction then loses digits; n pi is subtracted in three parts.
Real sin(Real x) {
  const Real n = round_to_even(x * inverse_pi);
  return signed_sin(subtract_multiple_of_pi(x, n), n);
}

// The same. cos(r + (k + 1/2) pi) = -(-1)^k sin(r)
Real cos(Real x) {
  const Real k = round_to_even(fma(x, inverse_pi, -0.5));
  return -signed_sin(subtract_multiple_of_pi(x, k + 0.5), k);
}

Real tan(Real x) {
  return sin(x) / cos(x);
}

Real sin_of_turns(Real w) {
  return w * polynomial(w * w, turns_single, turns_double);
}

// cos(2 pi u) = sin(2 pi w), w = |u - 1/2| - 1/4: the reduction is exact. Absolute error 1e-7 / 2e-16.
Real cos_of_turns(Real u) {
  return sin_of_turns(abs(u - 0.5) - 0.25);
}

// atan(x) = +-pi/2 - atan(1/x) for |x| > 1
Real atan(Real x) {
  const Mask large = abs(x) > 1;
  const Real t = select(large, 1 / x, x);
  const Real z = t * t;
  const Real near = fma(t * z, polynomial(z, atan_single, atan_double), t);
  const Real quarter = select(x > 0, x.constant(half_pi), x.constant(-half_pi));
  return select(large, quarter - near, near);
}

Real asin(Real x) {
  return atan(x / square_root((1 - x) * (1 + x)));
}

// acos(x) = 2 atan(sqrt((1 - x) / (1 + x))) keeps the digits near 1.
Real acos(Real x) {
  return 2 * atan(square_root((1 - x) / (1 + x)));
}

// sinh(x) = (t + t / (t + 1)) / 2, t = e^|x| - 1, which keeps the digits near 0. Overflows with e^|x|.
Real sinh(Real x) {
  const Real t = expm1(abs(x));
  // t / (t + 1) is NaN for infinite t, 1 to the last bit long before.
  const Real quotient = select(t < 1e30, t / (t + 1), 1);
  const Real magnitude = 0.5 * t + 0.5 * quotient;
  return select(x < 0, -magnitude, magnitude);
}

Real cosh(Real x) {
  const Real power = exp(abs(x));
  return 0.5 * power + 0.5 / power;
}

// atanh(x) = log((1 + x) / (1 - x)) / 2
Real atanh(Real x) {
  const Real a = abs(x);
  const Real half = 0.5 * log1p((a + a) / (1 - a));
  return select(x < 0, -half, half);
}

// log(u), u = p / (1 - p); u - 1 = (2p - 1) / (1 - p), exact but for its division where u is near one.
Real logit(Real p) {
  const Real complement = 1 - p;
  return log_near_one(p / complement, (p - complement) / complement);
}

// 3 / 3 ulp. tanh(x) = t / (t + 2), t = e^(2x) - 1; beyond the bounds it is 1 to the last bit.
Real tanh(Real x) {
  const double bound = x.is_single_precision() ? 9.2 : 19.5;
  const Real bounded = clamp(x, -bound, bound);
  const auto [n, r] = reduce_exp(bounded + bounded);
  const Real power = scale_by_power_of_two(x.constant(1), n);
  const Real t = fma(power, expm1_kernel(r), power - 1);
  return t / (t + 2);
}

// 3 / 3 ulp
Real sigmoid(Real x) {
  return 1 / (1 + exp(-x));
}

// 3 / 3 ulp. log(1 + e^x) = max(x, 0) + log(1 + e^-|x|)
Real softplus(Real x) {
  return maximum(x.constant(0), x) + log1p_of_unit(exp_of_nonpositive(-abs(x)));
}

// log(1 - e^x): log(-(e^x - 1)), where that is near one as log(1 - e^x) proper
Real log1m_exp(Real x) {
  const auto [power, difference] = exp_and_expm1_of_nonpositive(x);
  return log_near_one(-difference, -power);
}

Real log_add_exp(Real a, Real b) {
  const Real larger = maximum(a, b);
  const Real distance = select(a == b, a.constant(0), -abs(a - b));
  return larger + log1p_of_unit(exp_of_nonpositive(distance));
}

} // namespace plait::lane
