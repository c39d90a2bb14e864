#pragma once

// Samplers that need a varying number of random words. Attempt a of a draw uses draw_block(place, a) of
// rng.hpp, so the draw is a pure function of its place and parameters. Parameters outside the domain give
// NaN.

#include "runtime/rng.hpp"

namespace plait::runtime {

// log of a draw of Gamma(alpha, 1), alpha > 0 and finite.
double sample_log_gamma(double alpha, const DrawPlace& place);

// exp of the same draw, computed without the detour where it matters; 0 where that underflows.
double sample_gamma(double alpha, const DrawPlace& place);

// A draw of Poisson(rate), 0 <= rate <= 2^52.
double sample_poisson(double rate, const DrawPlace& place);

// A draw of Binomial(n, p), 0 <= n <= 2^52 an integer, 0 <= p <= 1.
double sample_binomial(double n, double p, const DrawPlace& place);

} // namespace plait::runtime
