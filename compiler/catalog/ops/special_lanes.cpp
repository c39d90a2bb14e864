#include "compiler/catalog/ops/lane_kernels.hpp"

// Polynomials are minimax approximations by Remez' exchange algorithm; the error stated beside each is
// relative.

namespace plait::lane {

namespace {

// erf(x) / x in x^2 on [0, 1]: f32 5.3e-8, f64 1.3e-17.
constexpr double erf_single[] = {1.12837911,    -0.376122922,  0.112799816,
                                 -0.0267066397, 0.00491277967, -0.000561378372};
constexpr double erf_double[] = {1.1283791670955126,      -0.37612638903183454,    0.11283791670942442,
                                 -0.02686617064289931,    0.005223977604689952,    -0.0008548325870703107,
                                 0.00012055292035144206,  -1.4924685749438575e-05, 1.6446833675798544e-06,
                                 -1.6204216580150551e-07, 1.3702568847185052e-08,  -7.764805362523627e-10};

// e^(x^2) erfc(x) (1 + 2x) in t = (x - k) / (x + k) on [-1, 1], for x >= 0: the transformation of Shepherd &
// Laframboise, "Chebyshev approximation of (1 + 2x) exp(x^2) erfc x in 0 <= x < inf", 1981. f32 2.0e-8,
// f64 1.0e-16.
constexpr double erfcx_middle_single = 2;
constexpr double erfcx_single[] = {1.27697837,     -0.0927637592,   -0.166030765,   0.164049387,
                                   -0.0542137027,  -0.0080186883,   0.00869294256,  0.00121690985,
                                   -0.00139933033, -0.000357523153, 0.000162074022, 6.32558731e-05};
constexpr double erfcx_middle_double = 3.75;
constexpr double erfcx_double[] = {
    1.2375126308378275,     -0.14024059858554563,    0.0035854154854874343,   0.08227673849002276,
    -0.1088039301427887,    0.09230432116367943,     -0.05869339857118048,    0.0283622773780985,
    -0.009746579727699425,  0.001755626132490259,    0.0002937145881289611,   -0.00029015524514857294,
    5.164591175100311e-05,  2.238734516039135e-05,   -1.1436882431461768e-05, -9.789764754103912e-07,
    1.7405717419779264e-06, -5.107210627263816e-08,  -2.4751266913003435e-07, 1.889200150833261e-08,
    3.153066378059619e-08,  -1.9744207599777405e-09, -2.541075170382587e-09};

// log Gamma(y) / ((y - 1) (y - 2)) in y - 2 on 1 <= y <= 3: f32 2.7e-8, f64 3.6e-17.
constexpr double lgamma_single[] = {0.422784328,    -0.100317299,    0.0329655632,   -0.0123844454,
                                    0.0049919826,   -0.00210504793,  0.000943207124, -0.000418702984,
                                    0.000131820503, -5.93235236e-05, 7.77146706e-05, -3.62127685e-05};
constexpr double lgamma_double[] = {
    0.42278433509846713,    -0.10031730167435421,    0.032965000621156586,   -0.012384192193336332,
    0.004998641164657383,   -0.002108130835208896,   0.0009153769232547697,  -0.00040570737665970744,
    0.00018255262513473504, -8.309532103857454e-05,  3.8169006890032476e-05, -1.766054664528336e-05,
    8.221549492720853e-06,  -3.851637539063694e-06,  1.8104456869801177e-06, -8.417662960490336e-07,
    3.978222589970014e-07,  -2.1163479122955502e-07, 1.0151490397993423e-07, -1.912280848574564e-08,
    8.434668572404184e-09,  -2.9710581748344503e-08, 1.4669721519003028e-08, 7.554840839023759e-09,
    -3.777169755376434e-09, -3.0463613486472162e-09, 1.4916290970577869e-09};

// Remainder of Stirling's formula times z, in 1 / z^2 for z >= 3 (A&S 6.1.41). Absolute error of log Gamma:
// f32 3.3e-9, f64 4.8e-19.
constexpr double stirling_single[] = {0.0833332688, -0.00277279969, 0.000697142328};
constexpr double stirling_double[] = {0.0833333333333333,     -0.002777777777744428, 0.0007936507837544055,
                                      -0.0005952367335858686, 0.0008416448215417072, -0.0019123201930375466,
                                      0.006237508810082406,   -0.02547614367698793,  0.10788838156379453,
                                      -0.3853744330192156,    0.9374910984612654,    -1.105172700567675};

// Remainders of the asymptotic series of psi, psi' and psi'' (A&S 6.3.18, 6.4.12, 6.4.13) in 1 / z^2, for z
// >= 4 (f32) and z >= 6 (f64).
constexpr double digamma_single[] = {0.0833331868, -0.00831850991, 0.00353546371};
constexpr double digamma_double[] = {0.08333333333332585,   -0.008333333326287003, 0.003968251725573123,
                                     -0.004166326421324887, 0.007547805020455073,  -0.01979631625751913,
                                     0.049971012379010867};
constexpr double trigamma_single[] = {0.166665524, -0.0332185552, 0.0204432905};
constexpr double trigamma_double[] = {0.1666666666665561,    -0.03333333322944165, 0.023809490668993107,
                                      -0.033328284112785066, 0.0753401830415688,   -0.23356795402381575,
                                      0.6547747916614214};
constexpr double tetragamma_single[] = {0.499990314, -0.165684536, 0.137445286};
constexpr double tetragamma_double[] = {0.499999999999902,   -0.16666666654931042, 0.166666618471428,
                                        -0.2999903651946118, 0.8322550250182938,   -3.2185655788868073,
                                        14.586645091261913,  -49.473952812003};

// First guesses at the normal quantile a of upper tail q, with w = -log(4 q (1 - q)): a / (1 - 2q) in w - 3
// for w <= 6, 3e-7; a / sqrt(w) in 1 / sqrt(w) beyond, 3e-7. Both serve both precisions: a step of iteration
// follows.
constexpr double quantile_centre[] = {2.29603553,     0.341718704,     -0.00811668299,  -0.00118512637,
                                      0.000277063664, -1.69315117e-05, -2.77648724e-06, 4.78472316e-07};
constexpr double quantile_tail[] = {
    1.414426456984945, -0.027886647592451495, -1.9388793938690556, 8.81819004873047,   -28.27913213546502,
    47.74349019626511, 70.75954770274092,     -539.6887971823054,  1019.7149869004304, -666.9539198291002};

constexpr double pi = 3.14159265358979323846;
constexpr double log_pi = 1.14472988584940017414;
constexpr double sqrt_2 = 1.41421356237309504880;
constexpr double inverse_sqrt_2 = 0.70710678118654752440;
constexpr double inverse_sqrt_2pi = 0.39894228040143267794;
constexpr double half_log_2pi = 0.91893853320467274178;

/** e^(x^2) erfc(x) / 2 for x = a / scale >= 0. */
Real half_scaled_erfc(Real a, double scale) {
  const double middle = scale * (a.is_single_precision() ? erfcx_middle_single : erfcx_middle_double);
  const Real bounded = minimum(a.constant(1e30), a); // so that t is 1, not NaN, at infinity
  const Real t = (bounded - middle) / (bounded + middle);
  return 0.25 * polynomial(t, erfcx_single, erfcx_double) / fma(a, 1 / scale, 0.5);
}

/** e^(factor a^2), a >= 0, with the square to twice the precision. `bound` keeps it finite. */
Real exp_of_square(Real a, double factor, double bound) {
  a = minimum(a.constant(bound), a);
  const Real square = a * a;
  const Real rest = fma(a, a, -square);
  const Real power = exp(square * factor);
  return fma(power, rest * factor, power);
}

/** e^(-a^2/2) for a >= 0. */
Real normal_kernel(Real a) {
  return exp_of_square(a, -0.5, a.is_single_precision() ? 15 : 40);
}

/** erf(x) for |x| <= 1. */
Real erf_near_zero(Real x) {
  return x * polynomial(x * x, erf_single, erf_double);
}

/** An argument above 0, and whether the reflection formula must bring the result back. */
struct Reflected {
  Real positive;
  Mask is_negative;
};
Reflected reflect(Real x) {
  const Mask negative = x <= 0;
  return {select(negative, 1 - x, x), negative};
}

/** sin(pi x) and cos(pi x) up to a common sign, which their products and quotients below lack. Where x is an
 * integer the sine is 0. */
struct Angle {
  Real sine, cosine;
};
Angle half_turn(Real x) {
  const Real half = (x - round_to_even(x)) * 0.5; // exact
  return {sin_of_turns(half), cos_of_turns(abs(half))};
}

Mask is_integer(Real x) {
  return x == round_to_even(x);
}

} // namespace

// 3 / 3 ulp. By its series near zero, 1 - erfc(x) beyond.
Real erf(Real x) {
  const Real a = abs(x);
  const Real tail = 2 * exp_of_square(a, -1, a.is_single_precision() ? 10.5 : 28) * half_scaled_erfc(a, 1);
  const Real far = select(x < 0, tail - 1, 1 - tail);
  return select(a < 1, erf_near_zero(x), far);
}

// 6 / 6 ulp
Real erfc(Real x) {
  const Real a = abs(x);
  const Real tail = 2 * exp_of_square(a, -1, a.is_single_precision() ? 10.5 : 28) * half_scaled_erfc(a, 1);
  return select(x < 0, 2 - tail, tail);
}

// 4 / 4 ulp. Phi(-a) = e^(-a^2/2) (e^(a^2/2) erfc(a / sqrt(2))) / 2
Real normal_cdf(Real x) {
  const Real a = abs(x);
  const Real upper = normal_kernel(a) * half_scaled_erfc(a, sqrt_2);
  return select(x < 0, upper, 1 - upper);
}

// log Phi(x) = -x^2/2 + log(e^(x^2/2) Phi(x)) for x < 0, log(1 - Phi(-x)) for x >= 0: one logarithm of
// either.
Real normal_log_cdf(Real x) {
  const Real a = abs(x);
  const Mask negative = x < 0;
  const Real scaled = half_scaled_erfc(a, sqrt_2);
  const Real upper = normal_kernel(a) * scaled;
  const Real logarithm =
      log_near_one(select(negative, scaled, 1 - upper), select(negative, scaled - 1, -upper));
  return select(negative, fma(x * -0.5, x, logarithm), logarithm);
}

Real inverse_mills(Real x) {
  const Real a = abs(x);
  const Mask negative = x < 0;
  const Real scaled = half_scaled_erfc(a, sqrt_2);
  const Real kernel = normal_kernel(a);
  const Real density = select(negative, inverse_sqrt_2pi, inverse_sqrt_2pi * kernel);
  return density / select(negative, scaled, 1 - kernel * scaled);
}

// For the smaller tail q = Phi(-a): a first guess, then one step of Halley's iteration on Phi(-a) - q,
// divided by phi(a) throughout so that nothing underflows; near the centre on (1/2 - q) - erf(a / sqrt(2)) /
// 2, which keeps the digits there.
Real normal_quantile(Real p) {
  const Mask lower = p < 0.5;
  const Real q = select(lower, p, 1 - p);
  const Real w = -log((4 * q) * (1 - q));
  const Real root = square_root(w);
  const Real from_centre = polynomial(w - 3, quantile_centre, quantile_centre);
  const Real from_tail = root * polynomial(1 / root, quantile_tail, quantile_tail);
  const Real guess = (1 - 2 * q) * select(w < 6, from_centre, from_tail);

  // Beyond the bound, among the subnormal q, the guess must do.
  const double bound = p.is_single_precision() ? 13.3 : 37.66;
  const Real growth = exp_of_square(guess, 0.5, bound);
  const Real by_erf = ((0.5 - q) - 0.5 * erf_near_zero(guess * inverse_sqrt_2)) * growth;
  const Real by_erfc = fma(-q, growth, half_scaled_erfc(guess, sqrt_2));
  const Real error = select(guess < 1, by_erf, by_erfc) / inverse_sqrt_2pi;
  const Real step = select(guess < bound, error, 0);
  const Real refined = guess + step / fma(guess * -0.5, step, 1);
  const Real a = select(q > 0, refined, select(q == 0, p.constant(infinity), p.constant(not_a_number)));
  return select(lower, -a, a);
}

// log |Gamma(x)|: a polynomial that has the zeros 1 and 2 as factors on [1, 3], Gamma(x) = Gamma(x + 1) / x
// below, Stirling's formula above; for x < 0 |Gamma(x) Gamma(1 - x) sin(pi x)| = pi. f32 4 ulp, f64 6 ulp for
// x > 0.
Real lgamma(Real x) {
  const auto [a, is_negative] = reflect(x);
  const Real logarithm = log(a);
  const Mask below_one = a < 1;
  const Real from_two = select(below_one, a - 1, a - 2);
  const Real from_one = select(below_one, a, a - 1);
  const Real near = from_one * from_two * polynomial(from_two, lgamma_single, lgamma_double) -
                    select(below_one, logarithm, 0);
  const Real inverse = 1 / a;
  const Real remainder = inverse * polynomial(inverse * inverse, stirling_single, stirling_double);
  const Real far = fma(a - 0.5, logarithm - 1, remainder + (half_log_2pi - 0.5));
  const Real positive = select(a < 3, near, far);
  const Real reflected = (log_pi - log(abs(half_turn(x).sine))) - positive;
  return select(is_negative, select(is_integer(x), infinity, reflected), positive);
}

// psi(x) = psi(x + n) - sum of 1 / (x + k), k < n, the sum as one quotient; for x < 0 psi(1 - x) - pi /
// tan(pi x).
Real digamma(Real x) {
  const auto [a, is_negative] = reflect(x);
  const bool single = x.is_single_precision();
  const double shift = single ? 4 : 6;
  const Mask small = a < shift;
  Real sum = a;
  if (single) { // 1/a + 1/(a+3) and 1/(a+1) + 1/(a+2) have one numerator
    const Real q = a * (a + 3);
    sum = (a + 1.5) * ((q + 1) * 4) / (q * (q + 2));
  } else {
    const Real q = a * (a + 5);
    sum = fma(a, 2, 5) * fma(fma(q, 3, 20), q, 24) / (q * (q + 4) * (q + 6));
  }
  const Real z = select(small, a + shift, a);
  const Real inverse = 1 / z;
  const Real square = inverse * inverse;
  const Real asymptotic =
      log(z) - fma(square, polynomial(square, digamma_single, digamma_double), 0.5 * inverse);
  const Real positive = asymptotic - select(small, sum, 0);
  const Angle angle = half_turn(x);
  const Real reflected = positive - pi * angle.cosine / angle.sine;
  return select(is_negative, select(is_integer(x), not_a_number, reflected), positive);
}

// psi'(x) = psi'(x + n) + sum of 1 / (x + k)^2; for x < 0 (pi / sin(pi x))^2 - psi'(1 - x).
Real trigamma(Real x) {
  const auto [a, is_negative] = reflect(x);
  const int shift = x.is_single_precision() ? 4 : 6;
  const Mask small = a < shift;
  Real sum = a.constant(0);
  for (int k = shift - 1; k >= 0; --k) {
    const Real term = 1 / (a + k);
    sum = fma(term, term, sum);
  }
  const Real z = select(small, a + shift, a);
  const Real inverse = 1 / z;
  const Real square = inverse * inverse;
  const Real remainder = fma(inverse, polynomial(square, trigamma_single, trigamma_double), 0.5);
  const Real positive = fma(square, remainder, inverse) + select(small, sum, 0);
  const Real cosecant = pi / half_turn(x).sine;
  return select(is_negative, fma(cosecant, cosecant, -positive), positive);
}

// psi''(x) = psi''(x + n) - 2 sum of 1 / (x + k)^3; for x < 0 psi''(1 - x) - 2 pi^3 cos(pi x) / sin(pi x)^3.
Real tetragamma(Real x) {
  const auto [a, is_negative] = reflect(x);
  const int shift = x.is_single_precision() ? 4 : 6;
  const Mask small = a < shift;
  Real sum = a.constant(0);
  for (int k = shift - 1; k >= 0; --k) {
    const Real term = 1 / (a + k);
    sum = fma(term * term, term, sum);
  }
  const Real z = select(small, a + shift, a);
  const Real inverse = 1 / z;
  const Real square = inverse * inverse;
  const Real remainder = fma(square, polynomial(square, tetragamma_single, tetragamma_double), inverse);
  const Real positive = -fma(square, remainder, square) - select(small, sum + sum, 0);
  const Angle angle = half_turn(x);
  const Real cosecant = pi / angle.sine;
  const Real reflected = positive - 2 * angle.cosine * cosecant * cosecant * cosecant;
  return select(is_negative, select(is_integer(x), not_a_number, reflected), positive);
}

} // namespace plait::lane
