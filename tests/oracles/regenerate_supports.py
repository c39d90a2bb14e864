#!/usr/bin/env python3
"""Writes supports.json: constrained values and log Jacobians, entry by entry as the Stan Reference Manual states them.

    python3 tests/oracles/regenerate_supports.py

The log Jacobian comes from mpmath derivatives of the transform, not from a formula: the determinant of the matrix of
derivatives of the free entries of the constrained value.
"""
import json
import os

import mpmath as mp

HERE = os.path.dirname(os.path.abspath(__file__))
mp.mp.dps = 40


def inv_logit(u):
    return 1 / (1 + mp.exp(-u))


def simplex(y):
    size, rest, x = len(y) + 1, mp.mpf(1), []
    for k, u in enumerate(y):
        z = inv_logit(u + mp.log(mp.mpf(1) / (size - 1 - k)))
        x.append(rest * z)
        rest -= x[-1]
    return x + [rest]


def ordered(y):
    x = [y[0]]
    for u in y[1:]:
        x.append(x[-1] + mp.exp(u))
    return x


def positive_ordered(y):
    x = [mp.exp(y[0])]
    for u in y[1:]:
        x.append(x[-1] + mp.exp(u))
    return x


def size_of(count, diagonal):
    size = 1
    while size * (size + (1 if diagonal else -1)) // 2 != count:
        size += 1
    return size


def cholesky_corr(y):
    size = size_of(len(y), False)
    z, x, k = [[mp.mpf(0)] * size for _ in range(size)], [[mp.mpf(0)] * size for _ in range(size)], 0
    for i in range(size):
        squares = mp.mpf(0)
        for j in range(i):
            z[i][j] = mp.tanh(y[k])
            x[i][j] = z[i][j] * mp.sqrt(1 - squares)
            squares += x[i][j] ** 2
            k += 1
        x[i][i] = mp.sqrt(1 - squares)
    return [entry for row in x for entry in row]


def cholesky_cov(y):
    size, k = size_of(len(y), True), 0
    x = [[mp.mpf(0)] * size for _ in range(size)]
    for i in range(size):
        for j in range(i + 1):
            x[i][j] = mp.exp(y[k]) if i == j else y[k]
            k += 1
    return [entry for row in x for entry in row]


def covariance(y):
    flat = cholesky_cov(y)
    size = size_of(len(y), True)
    l = [flat[i * size:(i + 1) * size] for i in range(size)]
    return [sum(l[i][m] * l[j][m] for m in range(size)) for i in range(size) for j in range(size)]


def strictly_lower(count):
    size = size_of(count, False)
    return [i * size + j for i in range(size) for j in range(i)]


def lower(count):
    size = size_of(count, True)
    return [i * size + j for i in range(size) for j in range(i + 1)]


def every(count):
    return list(range(count))


def log_det(transform, y, free):
    n = len(y)
    matrix = mp.matrix(n, n)
    for j in range(n):
        for i, entry in enumerate(free):
            def along(u, j=j, entry=entry):
                return transform([u if k == j else v for k, v in enumerate(y)])[entry]
            matrix[i, j] = mp.diff(along, y[j])
    return mp.log(abs(mp.det(matrix)))


def bounded(lower_bound, upper_bound):
    return lambda y: [lower_bound + (upper_bound - lower_bound) * inv_logit(u) for u in y]


SCALAR = [[-3.0], [0.0], [0.4], [7.5]]
ROWS = [
    ("real", {}, lambda y: y, every, SCALAR, lambda n: []),
    ("positive", {}, lambda y: [mp.exp(u) for u in y], every, SCALAR, lambda n: []),
    ("unit_interval", {}, bounded(0, 1), every, SCALAR, lambda n: []),
    ("interval", {"lower": -1.5, "upper": 4.0}, bounded(mp.mpf("-1.5"), 4), every, SCALAR, lambda n: []),
    ("greater_than", {"lower": 2.5}, lambda y: [2.5 + mp.exp(u) for u in y], every, SCALAR, lambda n: []),
    ("less_than", {"upper": 2.5}, lambda y: [2.5 - mp.exp(u) for u in y], every, SCALAR, lambda n: []),
    ("simplex", {}, simplex, every, [[0.7], [0.0, 0.0, 0.0], [0.5, -1.2, 2.0], [3.0, -4.0]], lambda n: [n + 1]),
    ("ordered", {}, ordered, every, [[0.7], [-0.5, 0.3, -2.0]], lambda n: [n]),
    ("positive_ordered", {}, positive_ordered, every, [[0.7], [-0.5, 0.3, -2.0]], lambda n: [n]),
    ("cholesky_corr", {}, cholesky_corr, strictly_lower, [[0.7], [0.5, -0.3, 1.0], [0.1, 0.2, -0.7, 0.4, -1.5, 0.9]],
     lambda n: [size_of(n, False)] * 2),
    ("cholesky_cov", {}, cholesky_cov, lower, [[0.7], [0.5, -0.3, 0.2], [0.5, -0.3, 0.2, 1.1, -0.6, 0.4]],
     lambda n: [size_of(n, True)] * 2),
    ("covariance", {}, covariance, lower, [[0.7], [0.5, -0.3, 0.2], [0.5, -0.3, 0.2, 1.1, -0.6, 0.4]],
     lambda n: [size_of(n, True)] * 2),
]

rows = []
for kind, bounds, transform, free, points, shape in ROWS:
    for point in points:
        y = [mp.mpf(u) for u in point]
        rows.append({"kind": kind, **bounds, "shape": shape(len(y)), "unconstrained": point,
                     "constrained": [float(x) for x in transform(y)],
                     "log_det": float(log_det(transform, y, free(len(y))))})

with open(os.path.join(HERE, "supports.json"), "w") as file:
    json.dump({"rows": rows}, file, indent=1)
    file.write("\n")
