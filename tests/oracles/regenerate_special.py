#!/usr/bin/env python3
"""Writes special_functions.json: values of the special functions, computed with mpmath at 60 digits or more.

Needs mpmath. Run it from anywhere; it writes beside itself. Each entry of a function is [arguments..., value]. The
arguments are doubles, and the value is that of the function at exactly those doubles, rounded to 17 digits.
"""

import json
import pathlib

import mpmath as mp

mp.mp.dps = 60


def exact(values):
    """Decimal text, each parsed as a double first: the C++ side sees the same number."""
    return [float(value) for value in values]


def rows(function, points):
    table = []
    for point in points:
        arguments = exact(point if isinstance(point, tuple) else (point,))
        value = function(*[mp.mpf(argument) for argument in arguments])
        table.append(arguments + [float(value)])
    return table


def normal_cdf(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def normal_quantile(p):
    """The root of normal_cdf(x) = p, by Newton's method on the logarithm in the smaller tail."""
    if p > 0.5:
        return -normal_quantile(1 - p)
    x = -mp.sqrt(-2 * mp.log(p)) if p < 0.1 else mp.mpf(p) - mp.mpf("0.5")
    for _ in range(200):
        cdf = normal_cdf(x)
        step = (mp.log(cdf) - mp.log(p)) * cdf / mp.npdf(x)
        x -= step
        if abs(step) < mp.mpf(10) ** -50 * (1 + abs(x)):
            return x
    raise ArithmeticError(p)


def lower_series(a, x):
    """P(a, x) by its power series, at the working precision; every term is positive."""
    term = total = 1 / a
    n = 0
    while term > total * mp.mpf(10) ** -(mp.mp.dps + 5):
        n += 1
        term *= x / (a + n)
        total += term
    return mp.exp(a * mp.log(x) - x - mp.loggamma(a)) * total


def gamma_p(a, x):
    return lower_series(a, x)


def gamma_q(a, x):
    """1 - P at a precision that leaves 100 digits at every point below."""
    with mp.workdps(160):
        return 1 - lower_series(a, x)


def derivative(a, x):
    """-(dP/da) / pdf by a central difference of step 1e-40 a at 200 digits: good to 60 digits at every point below."""
    with mp.workdps(200):
        step = a * mp.mpf(10) ** -40
        slope = (lower_series(a + step, x) - lower_series(a - step, x)) / (2 * step)
        return -slope / mp.exp((a - 1) * mp.log(x) - x - mp.loggamma(a))


def beta_i(a, b, x):
    """I_x(a, b) by its power series of positive terms (DLMF 8.17.8), from the nearer end."""
    if x > 0.5:
        with mp.workdps(120):
            return 1 - beta_i(b, a, 1 - x)
    term = total = mp.mpf(1)
    n = 0
    while term > total * mp.mpf(10) ** -(mp.mp.dps + 5):
        term *= x * (a + b + n) / (a + 1 + n)
        total += term
        n += 1
    return mp.exp(a * mp.log(x) + b * mp.log(1 - x) - log_beta(a, b)) * total / a


def log_beta(a, b):
    return mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)


def gamma_points():
    points = []
    for a in (1e-3, 0.01, 0.1, 0.3, 0.7, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0, 99.0, 300.0, 999.0, 1001.0, 5000.0):
        center, spread = a, a**0.5
        for z in (-6, -4, -2.5, -1, -0.3, 0, 0.5, 1, 1.05, 2, 4, 7):
            x = center + z * spread + (z * z - 1) / 3
            if x > 0:
                points.append((a, x))
        for x in (1e-30, 1e-8, 1e-3, 0.2, 0.9, 1.4, 2.9, 3.1, 8.0, 20.0):
            if a < 20:
                points.append((a, x))
    points += [(20.0, 3.0), (100.0, 30.0), (1000.0, 690.0), (2000.0, 1300.0), (2000.0, 2650.0)]
    return points


def large_points():
    points = []
    for a in (1e5, 1e6):
        for z in (-6, -2, -0.5, 0, 0.4, 1, 3, 6):
            points.append((a, a + z * a**0.5))
    return points


def main():
    shapes = (1e-5, 1e-3, 0.1, 0.5, 0.99, 1.0, 1.25, 2.0, 3.7, 9.5, 9.999, 10.0, 10.5, 33.0, 1234.5, 1e6, 1e12)
    negative = (-0.1, -0.5, -1.3, -2.75, -10.1, -55.4)
    normal_points = (-37.0, -20.0, -8.5, -5.01, -5.0, -4.99, -3.0, -1.0, -0.1, 0.0, 0.3, 1.0, 2.5, 5.0, 8.0)
    beta_points = [(a, b, x) for a in (0.05, 0.5, 1.0, 2.3, 12.0, 80.0) for b in (0.2, 1.0, 3.5, 15.0, 200.0)
                   for x in (1e-6, 0.05, 0.3, 0.5, 0.77, 0.999)] + [
                       (1000.0, 1500.0, 0.41), (1000.0, 1500.0, 0.37), (5000.0, 30.0, 0.995), (40000.0, 20000.0, 0.66)]
    oracle = {
        "digamma": rows(mp.digamma, shapes + negative),
        "trigamma": rows(lambda x: mp.polygamma(1, x), shapes + negative),
        "log_gamma": rows(lambda x: mp.log(abs(mp.gamma(x))) if x < 0 else mp.loggamma(x), shapes + negative),
        "stirling_error": rows(
            lambda x: mp.loggamma(x) - ((x - 0.5) * mp.log(x) - x + mp.log(2 * mp.pi) / 2), shapes),
        "log_beta": rows(log_beta, [(a, b) for a in (1e-3, 0.4, 1.0, 3.0, 9.9, 12.0, 500.0, 1e7)
                                    for b in (0.02, 1.5, 9.0, 10.0, 77.0, 1e5, 1e9)]),
        "minus_log1p": rows(lambda e: e - mp.log(1 + e), (-0.999, -0.5, -0.11, -0.1, -0.09, -1e-3, -1e-9, 1e-12, 1e-4,
                                                          0.05, 0.1, 0.101, 0.7, 30.0)),
        "log1p_exp": rows(lambda x: mp.log1p(mp.exp(x)), (-700.0, -40.0, -1.0, -1e-9, 0.0, 0.3, 5.0, 40.0, 800.0)),
        "log1m_exp": rows(lambda x: mp.log1p(-mp.exp(x)), (-700.0, -40.0, -1.0, -0.7, -0.69, -0.01, -1e-12)),
        "erfcx": rows(lambda x: mp.exp(x * x) * mp.erfc(x), (-5.0, -1.0, 0.0, 0.5, 1.9, 2.0, 2.1, 3.0, 10.0, 1e3, 1e8)),
        "normal_cdf": rows(normal_cdf, normal_points),
        "normal_log_cdf": rows(lambda x: mp.log(normal_cdf(x)), normal_points + (-1e3, -1e8)),
        "normal_quantile": rows(normal_quantile, (1e-300, 1e-40, 1e-12, 1e-5, 0.01, 0.0749, 0.0751, 0.3, 0.4999, 0.50001,
                                                  0.6, 0.925, 0.93, 0.999, 1 - 1e-10)),
        "gamma_p": rows(gamma_p, gamma_points() + large_points()),
        "gamma_q": rows(gamma_q, gamma_points()),
        "beta_i": rows(beta_i, beta_points),
        "gamma_sample_derivative": rows(derivative, gamma_points() + large_points()),
    }
    lines = []
    for name, table in oracle.items():
        body = ",\n".join("    " + json.dumps(row) for row in table)
        lines.append(f'  "{name}": [\n{body}\n  ]')
    path = pathlib.Path(__file__).with_name("special_functions.json")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(path, sum(len(table) for table in oracle.values()), "values")


if __name__ == "__main__":
    main()
