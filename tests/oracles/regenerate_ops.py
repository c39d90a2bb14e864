#!/usr/bin/env python3
"""Writes ops.json: reference values of the elementwise ops that compute on reals, from mpmath at 50 digits.

    python3 tests/oracles/regenerate_ops.py

A row: the op's name, points (one list of inputs each, every input exactly a float, so that one table serves both
precisions), values, and the relative errors allowed in f64 ("tolerance") and f32 ("single_tolerance"). Infinities and
NaN are strings.
"""
import json
import math
import os
import struct

import mpmath as mp

mp.mp.dps = 50
HERE = os.path.dirname(os.path.abspath(__file__))
INF, NAN = math.inf, math.nan


def single(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def spread(low, high, count=15):
    """Points spaced evenly, and ones whose magnitudes shrink towards 0 if 0 lies between."""
    points = [low + (high - low) * k / (count - 1) for k in range(count)]
    if low <= 0 <= high:
        points += [high * 10.0**-k for k in range(1, 9) if high > 0]
        points += [low * 10.0**-k for k in range(1, 9) if low < 0]
    return points


def softplus(x):
    return mp.log1p(mp.exp(x)) if x < 0 else x + mp.log1p(mp.exp(-x))


def log_cdf(x):
    return mp.log(mp.erfc(-x / mp.sqrt(2)) / 2)


def inverse_mills(x):
    return mp.npdf(x) / (mp.erfc(-x / mp.sqrt(2)) / 2)


def quantile(p):
    target = min(p, 1 - p)
    guess = mp.sqrt(2) * mp.sqrt(-mp.log(2 * target)) if target < 0.4 else mp.mpf(0.1)
    root = mp.findroot(lambda x: mp.log(mp.erfc(x / mp.sqrt(2)) / 2) - mp.log(target), guess)
    return -root if p < 0.5 else root


def log_abs_gamma(x):
    return mp.log(abs(mp.gamma(x)))


UNARY = {
    # name: (function, points, f64, f32, known edges)
    "exp": (mp.exp, spread(-80, 80) + [-700, 700], 3e-16, 3e-7, [(-INF, 0), (INF, INF), (1000, INF), (-1000, 0)]),
    "expm1": (mp.expm1, spread(-30, 80), 5e-16, 4e-7, [(-INF, -1), (INF, INF), (0, 0)]),
    "log": (mp.log, [1e-30, 0.1, 0.5, 0.7, 0.71, 0.9, 0.999, 1.001, 1.4, 1.5, 2, 10, 1e6, 1e30], 4e-16, 3e-7,
            [(0, -INF), (-1, NAN), (INF, INF), (1, 0)]),
    "log1p": (mp.log1p, spread(-0.99, 3) + [1e6, 1e30], 7e-16, 5e-7, [(-1, -INF), (-2, NAN), (INF, INF), (0, 0)]),
    "log2": (lambda x: mp.log(x, 2), [1e-30, 0.3, 0.9, 1.5, 1e6], 7e-16, 5e-7, [(0, -INF), (-1, NAN), (INF, INF), (1, 0)]),
    "log10": (mp.log10, [1e-30, 0.3, 0.9, 1.5, 1e6], 7e-16, 5e-7, [(0, -INF), (-1, NAN), (INF, INF), (1, 0)]),
    "asin": (mp.asin, spread(-1, 1), 9e-16, 6e-7, [(0, 0), (1.5, NAN)]),
    "acos": (mp.acos, spread(-1, 0.99), 9e-16, 6e-7, [(1, 0), (-1.5, NAN)]),
    "sinh": (mp.sinh, spread(-80, 80), 9e-16, 6e-7, [(INF, INF), (-INF, -INF), (0, 0)]),
    "cosh": (mp.cosh, spread(-80, 80), 9e-16, 6e-7, [(INF, INF), (-INF, INF), (0, 1)]),
    "atanh": (mp.atanh, spread(-0.99, 0.99), 9e-16, 6e-7, [(1, INF), (-1, -INF), (2, NAN), (0, 0)]),
    "logit": (lambda p: mp.log(p / (1 - p)), [1e-30, 1e-5, 0.1, 0.4, 0.499, 0.501, 0.55, 0.7, 0.9, 0.999], 9e-16, 6e-7,
              [(0, -INF), (1, INF), (-0.5, NAN), (1.5, NAN), (0.5, 0)]),
    "erfc": (mp.erfc, spread(-6, 9), 2e-15, 8e-7, [(INF, 0), (-INF, 2), (0, 1)]),
    "ceil": (mp.ceil, [-2.5, 3, 2.75], 0, 0, [(INF, INF)]),
    "round": (lambda x: mp.nint(x), [-2.5, 3, 2.75, 0.5, 1.5], 0, 0, [(INF, INF)]),
    "sqrt": (mp.sqrt, [1e-30, 0.1, 0.5, 2, 3, 1e30], 2e-16, 1e-7, [(0, 0), (-1, NAN), (INF, INF)]),
    "sin": (mp.sin, spread(-7, 7) + [100, 1e4, -5e4], 5e-16, 3e-7, [(0, 0), (INF, NAN)]),
    "cos": (mp.cos, spread(-7, 7) + [100, 1e4, -5e4], 5e-16, 3e-7, [(0, 1), (INF, NAN)]),
    "tan": (mp.tan, spread(-1.5, 1.5) + [100, 1e4], 9e-16, 6e-7, [(0, 0), (INF, NAN)]),
    "atan": (mp.atan, spread(-5, 5) + [1e10], 7e-16, 4e-7, [(INF, float(mp.pi / 2)), (0, 0)]),
    "tanh": (mp.tanh, spread(-9, 9), 7e-16, 5e-7, [(INF, 1), (-INF, -1), (0, 0)]),
    "sigmoid": (lambda x: 1 / (1 + mp.exp(-x)), spread(-80, 80), 7e-16, 5e-7, [(INF, 1), (-INF, 0), (0, 0.5)]),
    "softplus": (softplus, spread(-80, 80), 7e-16, 5e-7, [(INF, INF), (-INF, 0)]),
    "log_sigmoid": (lambda x: -softplus(-x), spread(-80, 80), 7e-16, 5e-7, [(INF, 0), (-INF, -INF)]),
    "log1m_exp": (lambda x: mp.log(-mp.expm1(x)), [-60, -20, -5, -2, -1, -0.75, -0.5, -0.1, -1e-3, -1e-6, -1e-20], 9e-16,
                  5e-7, [(0, -INF), (1, NAN), (-INF, 0)]),
    "lgamma": (log_abs_gamma, [1e-20, 1e-3, 0.1, 0.5, 0.9, 1.1, 1.5, 1.9, 2.1, 2.5, 2.99, 3.01, 5, 8, 20, 1e3, 1e6, 1e20,
                               -0.5, -1.75, -7.25], 2e-15, 1e-6, [(1, 0), (2, 0), (0, INF), (-3, INF), (INF, INF)]),
    "digamma": (mp.digamma, [1e-20, 1e-3, 0.1, 0.5, 1, 1.25, 2, 2.5, 3.75, 4.5, 5.9, 6.5, 9, 30, 1e3, 1e10, -0.5, -1.75],
                1e-14, 4e-6, [(0, NAN), (-2, NAN), (INF, INF)]),
    "trigamma": (lambda x: mp.psi(1, x), [1e-10, 1e-3, 0.1, 0.5, 1, 2, 3.75, 4.5, 6.5, 9, 30, 1e3, 1e10, -0.5, -1.75], 2e-15,
                 1e-6, [(INF, 0)]),
    "tetragamma": (lambda x: mp.psi(2, x), [1e-6, 1e-3, 0.1, 0.5, 1, 2, 3.75, 4.5, 6.5, 9, 30, 1e3, -0.25, -1.75], 4e-15, 1e-6,
                   [(INF, 0), (0, NAN)]),
    "erf": (mp.erf, spread(-6, 6), 7e-16, 4e-7, [(INF, 1), (-INF, -1), (0, 0)]),
    "normal_cdf": (mp.ncdf, spread(-12, 8), 2e-15, 6e-7, [(INF, 1), (-INF, 0), (0, 0.5)]),
    "normal_log_cdf": (log_cdf, spread(-12, 8) + [-100, -1e4], 2e-15, 6e-7, [(INF, 0), (-INF, -INF)]),
    "inverse_mills": (inverse_mills, spread(-12, 8) + [-100, -1e4], 2e-15, 6e-7, [(INF, 0), (-INF, INF)]),
    "normal_quantile": (quantile, [1e-30, 1e-10, 1e-4, 6e-4, 0.01, 0.1, 0.25, 0.4, 0.499, 0.501, 0.75, 0.9, 0.999], 2e-15, 6e-7,
                        [(0, -INF), (1, INF), (-0.1, NAN), (1.5, NAN), (0.5, 0)]),
    "abs": (abs, [-2.5, 3], 0, 0, [(-INF, INF)]),
    "negate": (lambda x: -x, [-2.5, 3], 0, 0, [(-INF, INF)]),
    "sign": (mp.sign, [-2.5, 3], 0, 0, [(0, 0), (INF, 1)]),
    "square": (lambda x: x * x, [-2.5, 3], 0, 0, [(-INF, INF)]),
    "floor": (mp.floor, [-2.5, 3, 2.75], 0, 0, [(INF, INF)]),
    "relu": (lambda x: max(x, mp.mpf(0)), [-2.5, 3], 0, 0, [(INF, INF), (-INF, 0)]),
    "stop_gradient": (lambda x: x, [-2.5, 3], 0, 0, []),
}

PAIRS = [(a, b) for a in (0.25, 0.7, 1.5, 3.0, 12.5) for b in (-20.5, -2.0, -0.3, 0.5, 2.0, 7.25, 30.0)]


def log_add_exp(a, b):
    return max(a, b) + mp.log1p(mp.exp(-abs(a - b)))


BINARY = {
    "add": (lambda a, b: a + b, [(1.5, 2.25), (-3, 0.5)], 0, 0, [((INF, -INF), NAN)]),
    "subtract": (lambda a, b: a - b, [(1.5, 2.25), (-3, 0.5)], 0, 0, [((INF, INF), NAN)]),
    "multiply": (lambda a, b: a * b, [(1.5, 2.25), (-3, 0.5)], 0, 0, [((INF, 0), NAN)]),
    "divide": (lambda a, b: a / b, [(1.5, 2.25), (-3, 0.5)], 2e-16, 1e-7, [((1, 0), INF), ((0, 0), NAN)]),
    "minimum": (min, [(1.5, 2.25), (2.5, 0.5)], 0, 0, [((NAN, 1), NAN), ((1, NAN), NAN), ((INF, 1), 1)]),
    "maximum": (max, [(1.5, 2.25), (2.5, 0.5)], 0, 0, [((NAN, 1), NAN), ((1, NAN), NAN), ((INF, 1), INF)]),
    "pow": (mp.power, PAIRS + [(-2.5, 3), (-2.5, 4), (1.0001, 5e5), (0.9999, 7e5)], 2e-15, 2e-6,
            [((0, 0), 1), ((0, 2), 0), ((0, -1), INF), ((-2, 0.5), NAN), ((1, INF), 1), ((2, INF), INF), ((0.5, INF), 0),
             ((NAN, 0), 1), ((INF, -1), 0), ((-2, -3), -0.125)]),
    "log_add_exp": (log_add_exp, PAIRS, 1e-15, 1e-6,
                    [((-INF, -INF), -INF), ((INF, INF), INF), ((INF, -INF), INF), ((-INF, 2), 2), ((NAN, 1), NAN)]),
    "x_log_y": (lambda x, y: x * mp.log(y), [(0.25, 3), (2, 0.1), (-1.5, 7)], 7e-16, 4e-7,
                [((0, 0), 0), ((0, 5), 0), ((2, 0), -INF), ((0, NAN), NAN)]),
}


def number(x):
    if isinstance(x, mp.mpf):
        x = float(x)
    if math.isnan(x):
        return "nan"
    if math.isinf(x):
        return "inf" if x > 0 else "-inf"
    return x


def row(name, function, points, tolerance, single_tolerance, edges):
    points = [tuple(single(x) for x in (p if isinstance(p, tuple) else (p,))) for p in points]
    inputs = [[number(x) for x in p] for p in points]
    values = [number(mp.mpf(function(*map(mp.mpf, p)))) for p in points]
    for at, value in edges:
        inputs.append([number(float(single(x))) for x in (at if isinstance(at, tuple) else (at,))])
        values.append(number(float(value)))
    return {"name": name, "points": inputs, "values": values, "tolerance": tolerance, "single_tolerance": single_tolerance}


def main():
    rows = [row(name, *spec) for name, spec in {**UNARY, **BINARY}.items()]
    with open(os.path.join(HERE, "ops.json"), "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(r) for r in rows) + "\n]\n")


if __name__ == "__main__":
    main()
