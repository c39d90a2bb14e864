#!/usr/bin/env python3
"""Writes distributions.json: what every distribution row must give, from SciPy and mpmath.

    python3 tests/oracles/regenerate_distributions.py

Each row: parameters (row-major numbers and shapes), points with their log density, entropy, and of every component whose
marginal law is known: bins with probabilities and a critical value of the chi-square statistic, mean, variance, fourth
central moment, and the derivative of E[sum_k (k+1) tanh(x_k)] in every parameter, by which pathwise gradients are judged.
"""
import json
import math
import os

import mpmath
import numpy as np
from scipy import integrate, stats

HERE = os.path.dirname(os.path.abspath(__file__))
BINS = 25
FALSE_ALARM = 1e-6


def marginal(component, law):
    discrete = hasattr(law, "pmf")
    if discrete:
        edges, probabilities, last = [], [], 0.0
        for k in range(0, 2000):
            mass = law.cdf(k) - last
            if mass >= 0.004:
                edges.append(k + 0.5)
                probabilities.append(mass)
                last = law.cdf(k)
            if 1 - last < 0.004:
                break
        if 1 - last > 1e-9:
            probabilities.append(1 - last)
        else:
            edges.pop()
    else:
        edges = [float(law.ppf(k / BINS)) for k in range(1, BINS)]
        probabilities = [1 / BINS] * BINS
    row = {
        "component": component,
        "edges": edges,
        "probabilities": probabilities,
        "critical": float(stats.chi2.ppf(1 - FALSE_ALARM, len(probabilities) - 1)),
    }
    mean, variance, kurtosis = (float(m) for m in law.stats(moments="mvk"))
    if math.isfinite(mean) and math.isfinite(variance) and math.isfinite(kurtosis):
        row.update(mean=mean, variance=variance, fourth=(kurtosis + 3) * variance**2)
    return row


def expectation(laws):
    """E[sum_k (k+1) tanh(x_k)], by quadrature over the quantile."""
    total = 0.0
    for component, law in laws:
        value, _ = integrate.quad(lambda u: math.tanh(law.ppf(u)), 0, 1, epsabs=1e-11, epsrel=1e-11, limit=400)
        total += (component + 1) * value
    return total


def expectation_gradient(laws_of, parameters, free):
    result = []
    for k, values in enumerate(parameters):
        flat = np.array(values, dtype=float).ravel()
        row = []
        for j in range(flat.size):
            if not free(k, j):
                row.append(None)
                continue
            step = 1e-3 * max(1.0, abs(flat[j]))
            def at(delta):
                moved = [np.array(p, dtype=float) for p in parameters]
                moved[k].reshape(-1)[j] += delta
                return expectation(laws_of(*moved))
            # Richardson: the error of the central difference at two steps.
            row.append((4 * (at(step / 2) - at(-step / 2)) / step - (at(step) - at(-step)) / (2 * step)) / 3)
        result.append(row)
    return result


rows = []


def case(name, parameters, points, log_prob, laws=None, entropy=None, event=(), discrete=False, free=lambda k, j: True,
         gradient=True):
    parameters = [np.array(p, dtype=float) for p in parameters]
    row = {
        "name": name,
        "parameters": [{"shape": list(p.shape), "numbers": p.ravel().tolist()} for p in parameters],
        "event": list(event),
        "discrete": discrete,
        "points": [np.array(x, dtype=float).ravel().tolist() for x in points],
        "log_prob": [float(log_prob(np.array(x, dtype=float), *parameters)) for x in points],
        "entropy": None if entropy is None else float(entropy),
    }
    found = laws(*parameters) if laws else []
    row["marginals"] = [marginal(component, law) for component, law in found]
    if found and not discrete and gradient:
        row["expectation_gradient"] = expectation_gradient(laws, parameters, free)
    rows.append(row)


def scalar(name, cases, points, law, entropy=True, gradient=True):
    """Continuous, one dimension, law(parameters) a SciPy distribution."""
    for parameters in cases:
        frozen = law(*parameters)
        case(name, parameters, points, lambda x, *p: law(*p).logpdf(x), lambda *p: [(0, law(*p))],
             frozen.entropy() if entropy else None, gradient=gradient)


def counts(name, cases, points, law, entropy=False):
    for parameters in cases:
        frozen = law(*parameters)
        case(name, parameters, points, lambda x, *p: law(*p).logpmf(x), lambda *p: [(0, law(*p))],
             frozen.entropy() if entropy else None, discrete=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


scalar("normal", [(0.3, 0.7), (-2.0, 3.0)], [-4.0, 0.1, 2.5], lambda m, s: stats.norm(m, s))
scalar("half_normal", [(0.7,), (2.5,)], [0.01, 0.8, 4.0], lambda s: stats.halfnorm(scale=s))
scalar("lognormal", [(0.3, 0.7), (-1.0, 0.25)], [0.05, 0.9, 6.0], lambda m, s: stats.lognorm(s, scale=np.exp(m)))
scalar("exponential", [(0.7,), (3.0,)], [0.01, 0.9, 5.0], lambda r: stats.expon(scale=1 / r))
scalar("gamma", [(2.5, 1.5), (0.4, 0.5), (30.0, 10.0)], [0.02, 0.9, 4.0], lambda a, b: stats.gamma(a, scale=1 / b))
scalar("inverse_gamma", [(5.5, 1.5), (2.5, 0.5)], [0.1, 0.9, 4.0], lambda a, b: stats.invgamma(a, scale=b))
scalar("beta", [(2.5, 1.5), (0.4, 0.6), (12.0, 40.0)], [0.02, 0.4, 0.97], lambda a, b: stats.beta(a, b))
scalar("student_t", [(7.0, 0.5, 1.5), (2.5, -1.0, 0.3)], [-3.0, 0.4, 8.0], lambda d, m, s: stats.t(d, m, s))
scalar("cauchy", [(0.3, 0.7), (-2.0, 3.0)], [-9.0, 0.1, 2.5], lambda m, s: stats.cauchy(m, s))
scalar("half_cauchy", [(0.7,), (3.0,)], [0.01, 0.8, 40.0], lambda s: stats.halfcauchy(scale=s))
scalar("laplace", [(0.3, 0.7), (-2.0, 3.0)], [-4.0, 0.1, 2.5], lambda m, s: stats.laplace(m, s))
scalar("uniform", [(-0.5, 1.5), (-3.0, 0.5)], [-0.4, 0.1, 0.45], lambda a, b: stats.uniform(a, b - a))
scalar("logistic", [(0.3, 0.7), (-2.0, 3.0)], [-40.0, 0.1, 25.0], lambda m, s: stats.logistic(m, s))
scalar("gumbel", [(0.3, 0.7), (-2.0, 3.0)], [-2.0, 0.1, 12.5], lambda m, s: stats.gumbel_r(m, s))
scalar("weibull", [(1.7, 0.8), (0.6, 2.0)], [0.02, 0.9, 3.0], lambda k, s: stats.weibull_min(k, scale=s))

class HalfStudentT:
    """The absolute value of a Student t variable."""

    def __init__(self, df, scale):
        self.law = stats.t(df, 0, scale)

    def logpdf(self, x):
        return math.log(2) + self.law.logpdf(x)

    def ppf(self, u):
        return self.law.ppf((1 + u) / 2)

    def stats(self, moments):
        return math.nan, math.nan, math.nan


scalar("half_student_t", [(7.0, 1.5), (2.5, 0.3)], [0.01, 0.4, 8.0], HalfStudentT, entropy=False)
scalar("pareto", [(0.7, 5.5), (0.2, 2.0)], [0.75, 1.3, 20.0], lambda s, a: stats.pareto(a, scale=s))

for point in (0.7, -2.0):
    case("delta", [point], [point], lambda x, p: 0.0)

counts("bernoulli", [(0.3,), (0.95,)], [0, 1], lambda p: stats.bernoulli(p), entropy=True)
counts("bernoulli_logit", [(0.3,), (-2.0,)], [0, 1], lambda l: stats.bernoulli(sigmoid(l)), entropy=True)
counts("binomial", [(10, 0.3), (40, 0.9)], [0, 3, 10], lambda n, p: stats.binom(n, p))
counts("binomial_logit", [(10, 0.3), (40, -1.5)], [0, 3, 10], lambda n, l: stats.binom(n, sigmoid(l)))
counts("beta_binomial", [(10, 1.5, 2.5), (25, 0.5, 0.7)], [0, 3, 10], lambda n, a, b: stats.betabinom(n, a, b))
counts("poisson", [(3.5,), (0.2,), (40.0,)], [0, 3, 25], lambda r: stats.poisson(r))
counts("poisson_log", [(1.2,), (-1.0,)], [0, 3, 25], lambda l: stats.poisson(np.exp(l)))
counts("negative_binomial", [(4.0, 2.5), (0.5, 10.0)], [0, 3, 25], lambda m, c: stats.nbinom(c, c / (c + m)))
counts("negative_binomial_log", [(1.4, 2.5), (-0.7, 10.0)], [0, 3, 25],
       lambda l, c: stats.nbinom(c, c / (c + np.exp(l))))
counts("geometric", [(0.3,), (0.8,)], [0, 3, 25], lambda p: stats.geom(p, loc=-1))


def listed(probabilities):
    return stats.rv_discrete(values=(np.arange(len(probabilities)), probabilities / np.sum(probabilities)))


def softmax(x):
    e = np.exp(x - np.max(x))
    return e / e.sum()


def cut(eta, c):
    cdf = np.concatenate([[0.0], sigmoid(c - eta), [1.0]])
    return np.diff(cdf)


for p in ([0.2, 0.5, 0.3], [0.1, 0.05, 0.25, 0.6]):
    case("categorical", [p], range(len(p)), lambda k, p: math.log(p[int(k)]), lambda p: [(0, listed(p))],
         stats.entropy(p), discrete=True)
for l in ([0.2, -1.5, 1.3], [2.0, 1.0, 0.5, -0.5, 0.0]):
    case("categorical_logit", [l], range(len(l)), lambda k, l: math.log(softmax(l)[int(k)]),
         lambda l: [(0, listed(softmax(l)))], stats.entropy(softmax(np.array(l))), discrete=True)
for eta, c in ((0.4, [-1.0, 0.5, 2.0]), (-1.5, [-2.0, 1.0])):
    case("ordered_logistic", [eta, c], range(len(c) + 1), lambda k, eta, c: math.log(cut(eta, c)[int(k)]),
         lambda eta, c: [(0, listed(cut(eta, c)))], discrete=True)


class ZeroInflated:
    """Mass `gate` at 0, else Poisson."""

    def __init__(self, gate, rate):
        self.gate, self.law = gate, stats.poisson(rate)

    def pmf(self, k):
        return (1 - self.gate) * self.law.pmf(k) + (self.gate if k == 0 else 0)

    def cdf(self, k):
        return (1 - self.gate) * self.law.cdf(k) + self.gate

    def stats(self, moments):
        k = np.arange(0, 400)
        p = np.array([self.pmf(j) for j in k])
        mean = (p * k).sum()
        variance = (p * (k - mean) ** 2).sum()
        return mean, variance, (p * (k - mean) ** 4).sum() / variance**2 - 3


for gate, rate in ((0.3, 2.5), (0.05, 0.8)):
    case("zero_inflated_poisson", [gate, rate], [0, 1, 7], lambda k, g, r: math.log(ZeroInflated(g, r).pmf(k)),
         lambda g, r: [(0, ZeroInflated(g, r))], discrete=True)

for n, p in ((12, [0.2, 0.5, 0.3]), (30, [0.1, 0.05, 0.25, 0.35, 0.25])):
    points = [[n] + [0] * (len(p) - 1), [2, 3] + [0] * (len(p) - 3) + [n - 5]]
    case("multinomial", [n, p], points, lambda x, n, p: stats.multinomial(n, p).logpmf(x),
         lambda n, p: [(k, stats.binom(n, q)) for k, q in enumerate(p)], event=[len(p)], discrete=True)

for n, a in ((12, [1.5, 0.7, 3.0]), (30, [0.3, 0.2, 0.5, 0.4, 1.2])):
    points = [[n] + [0] * (len(a) - 1), [2, 3] + [0] * (len(a) - 3) + [n - 5]]
    case("dirichlet_multinomial", [n, a], points, lambda x, n, a: stats.dirichlet_multinomial(a, int(n)).logpmf(x),
         lambda n, a: [(k, stats.betabinom(n, b, a.sum() - b)) for k, b in enumerate(a)], event=[len(a)],
         discrete=True)

for a in ([1.5, 0.7, 3.0], [0.3, 0.2, 0.5, 0.4]):
    points = [[1 / len(a)] * len(a), [0.1] * (len(a) - 1) + [1.1 - 0.1 * len(a)]]
    case("dirichlet", [a], points, lambda x, a: stats.dirichlet(a).logpdf(x),
         lambda a: [(k, stats.beta(b, a.sum() - b)) for k, b in enumerate(a)], stats.dirichlet(a).entropy(),
         event=[len(a)])

for loc, factor in (([0.3, -1.0], [[0.8, 0.0], [0.5, 1.2]]),
                    ([0.0, 1.0, -0.5], [[1.5, 0, 0], [-0.3, 0.6, 0], [0.2, 0.9, 1.1]])):
    n = len(loc)
    covariance = np.array(factor) @ np.array(factor).T
    points = [[0.5] * n, [1.0, -2.0] + [0.3] * (n - 2)]
    case("multivariate_normal", [loc, factor], points,
         lambda x, m, l: stats.multivariate_normal(m, l @ l.T).logpdf(x),
         lambda m, l: [(k, stats.norm(m[k], math.sqrt((l @ l.T)[k, k]))) for k in range(len(m))],
         stats.multivariate_normal(loc, covariance).entropy(), event=[n],
         free=lambda k, j, n=n: k == 0 or j % n <= j // n)


def partial_correlations(factor):
    size = factor.shape[0]
    z, left = np.zeros_like(factor), np.ones_like(factor)
    for i in range(size):
        rest = mpmath.mpf(1)
        for j in range(i):
            left[i, j] = mpmath.sqrt(rest)
            z[i, j] = factor[i, j] / left[i, j]
            rest *= 1 - mpmath.mpf(z[i, j]) ** 2
    return z, left


def lkj_log_prob(factor, eta):
    """Partial correlations are independent beta laws on (-1, 1); the factor's strict lower triangle follows from them by a
    triangular Jacobian: Lewandowski, Kurowicka & Joe 2009."""
    size = factor.shape[0]
    z, left = partial_correlations(factor)
    total = 0.0
    for i in range(size):
        for j in range(i):
            a = eta + (size - 2 - j) / 2
            total += stats.beta(a, a).logpdf((z[i, j] + 1) / 2) - math.log(2) - math.log(left[i, j])
    return total


def corr_factor(correlation):
    return np.linalg.cholesky(np.array(correlation))


lkj_points = {
    2: [corr_factor([[1, 0.3], [0.3, 1]]), corr_factor([[1, -0.8], [-0.8, 1]])],
    3: [corr_factor([[1, 0.3, -0.2], [0.3, 1, 0.5], [-0.2, 0.5, 1]]), np.eye(3)],
    4: [corr_factor([[1, 0.3, -0.2, 0.1], [0.3, 1, 0.5, 0], [-0.2, 0.5, 1, 0.4], [0.1, 0, 0.4, 1]])],
}
for size, eta in ((2, 1.0), (3, 2.5), (4, 0.7)):
    case("lkj_corr_cholesky", [eta], lkj_points[size], lkj_log_prob,
         lambda eta, size=size: [(i * size, stats.beta(eta + (size - 2) / 2, eta + (size - 2) / 2, -1, 2))
                                 for i in range(1, size)], event=[size, size])

with open(os.path.join(HERE, "distributions.json"), "w") as file:
    json.dump({"rows": rows}, file, indent=1)
    file.write("\n")
