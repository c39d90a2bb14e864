#!/usr/bin/env python3
"""Writes kl.json: KL(q || p) for every closed form of the catalog, by quadrature or summation with SciPy.

    python3 tests/oracles/regenerate_kl.py
"""
import json
import math
import os

import numpy as np
from scipy import integrate, stats

HERE = os.path.dirname(os.path.abspath(__file__))


def continuous(q, p):
    def gap(u):
        x = q.ppf(u)
        return q.logpdf(x) - p.logpdf(x)
    value, error = integrate.quad(gap, 0, 1, epsabs=1e-11, epsrel=1e-11, limit=2000)
    assert error < 1e-7, error
    return value


def discrete(q, p):
    k = np.arange(0, 400)
    mass = q.pmf(k)
    k, mass = k[mass > 0], mass[mass > 0]
    return float((mass * (q.logpmf(k) - p.logpmf(k))).sum())


def dirichlet(a, b):
    q, p = stats.dirichlet(a), stats.dirichlet(b)
    def gap(y, x):
        point = [x, y, 1 - x - y]
        return q.pdf(point) * (q.logpdf(point) - p.logpdf(point))
    value, error = integrate.dblquad(gap, 0, 1, 0, lambda x: 1 - x, epsabs=1e-10, epsrel=1e-10)
    assert error < 1e-7, error
    return value


def multivariate_normal(q, p):
    (m, l), (n, k) = q, p
    s, t = l @ l.T, k @ k.T
    d = n - m
    return 0.5 * (np.trace(np.linalg.solve(t, s)) + d @ np.linalg.solve(t, d) - len(m) +
                  np.linalg.slogdet(t)[1] - np.linalg.slogdet(s)[1])


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def softmax(x):
    e = np.exp(np.array(x) - np.max(x))
    return e / e.sum()


LAWS = {
    "normal": lambda m, s: stats.norm(m, s),
    "lognormal": lambda m, s: stats.lognorm(s, scale=math.exp(m)),
    "half_normal": lambda s: stats.halfnorm(scale=s),
    "laplace": lambda m, s: stats.laplace(m, s),
    "gamma": lambda a, b: stats.gamma(a, scale=1 / b),
    "inverse_gamma": lambda a, b: stats.invgamma(a, scale=b),
    "exponential": lambda r: stats.expon(scale=1 / r),
    "beta": lambda a, b: stats.beta(a, b),
    "bernoulli": lambda p: stats.bernoulli(p),
    "bernoulli_logit": lambda l: stats.bernoulli(sigmoid(l)),
    "poisson": lambda r: stats.poisson(r),
}
PROBABILITIES = {"categorical": np.array, "categorical_logit": softmax}

PAIRS = [
    ("normal", [0.3, 0.7], "normal", [-0.5, 1.5]),
    ("lognormal", [0.3, 0.7], "lognormal", [-0.5, 1.5]),
    ("half_normal", [0.7], "half_normal", [1.5]),
    ("laplace", [0.3, 0.7], "laplace", [-0.5, 1.5]),
    ("laplace", [0.3, 1.7], "laplace", [2.5, 0.6]),
    ("gamma", [2.5, 1.5], "gamma", [1.2, 0.7]),
    ("gamma", [2.5, 1.5], "exponential", [0.7]),
    ("exponential", [1.5], "gamma", [2.5, 0.7]),
    ("exponential", [1.5], "exponential", [0.7]),
    ("inverse_gamma", [3.5, 1.5], "inverse_gamma", [1.2, 0.7]),
    ("beta", [2.5, 1.5], "beta", [1.2, 4.0]),
    ("bernoulli", [0.3], "bernoulli", [0.8]),
    ("bernoulli", [0.3], "bernoulli_logit", [0.8]),
    ("bernoulli_logit", [-0.3], "bernoulli", [0.8]),
    ("bernoulli_logit", [-0.3], "bernoulli_logit", [1.8]),
    ("poisson", [2.5], "poisson", [4.0]),
    ("categorical", [[0.2, 0.5, 0.3]], "categorical", [[0.6, 0.1, 0.3]]),
    ("categorical", [[0.2, 0.5, 0.3]], "categorical_logit", [[0.6, -0.1, 0.3]]),
    ("categorical_logit", [[0.2, 0.5, -1.3]], "categorical", [[0.6, 0.1, 0.3]]),
    ("categorical_logit", [[0.2, 0.5, -1.3]], "categorical_logit", [[0.6, 1.1, 0.3]]),
    ("dirichlet", [[1.5, 2.0, 3.0]], "dirichlet", [[2.5, 1.2, 1.7]]),
    ("multivariate_normal", [[0.3, -1.0], [[0.8, 0.0], [0.5, 1.2]]],
     "multivariate_normal", [[0.1, 0.4], [[1.5, 0.0], [-0.7, 0.9]]]),
]

rows = []
for q, q_parameters, p, p_parameters in PAIRS:
    if q == "dirichlet":
        value = dirichlet(q_parameters[0], p_parameters[0])
    elif q == "multivariate_normal":
        value = multivariate_normal([np.array(x) for x in q_parameters], [np.array(x) for x in p_parameters])
    elif q in PROBABILITIES:
        a, b = PROBABILITIES[q](q_parameters[0]), PROBABILITIES[p](p_parameters[0])
        value = (a * np.log(a / b)).sum()
    else:
        a, b = LAWS[q](*q_parameters), LAWS[p](*p_parameters)
        value = discrete(a, b) if hasattr(a, "pmf") else continuous(a, b)
    def packed(parameters):
        arrays = [np.array(x, dtype=float) for x in parameters]
        return [{"shape": list(a.shape), "numbers": a.ravel().tolist()} for a in arrays]
    rows.append({"q": q, "p": p, "q_parameters": packed(q_parameters), "p_parameters": packed(p_parameters),
                 "value": float(value)})

with open(os.path.join(HERE, "kl.json"), "w") as file:
    json.dump({"rows": rows}, file, indent=1)
    file.write("\n")
