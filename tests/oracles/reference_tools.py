"""What the reference cases are derived with: densities that take complex numbers, derivatives by complex steps,
expectations by quadrature. Nothing here is shared with the compiler."""
import itertools
import math

import numpy as np
from scipy import special

LOG_2PI = math.log(2 * math.pi)


def normal(x, mean, sd):
    return -0.5 * LOG_2PI - np.log(sd) - 0.5 * ((x - mean) / sd) ** 2


def bernoulli(x, p):
    return np.log(p) if x else np.log(1 - p)


def kl_bernoulli(q, p):
    return q * np.log(q / p) + (1 - q) * np.log((1 - q) / (1 - p))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gradient(f, parameters):
    """Derivatives of f(**parameters) in every entry, exact to rounding: Im f(x + ih) / h."""
    h = 1e-30
    result = {}
    for name, value in parameters.items():
        value = np.atleast_1d(np.array(value, dtype=float))
        entries = []
        for k in range(value.size):
            moved = {other: np.atleast_1d(np.array(v, dtype=complex)) for other, v in parameters.items()}
            moved[name][k] += 1j * h
            entries.append(float(np.imag(f(**moved).sum()) / h))
        result[name] = entries
    return result


def hermite(n):
    """Nodes and weights of E[f(e)], e standard normal: exact for polynomials up to degree 2n - 1."""
    points, weights = np.polynomial.hermite_e.hermegauss(n)
    return points, weights / math.sqrt(2 * math.pi)


def expect(f, dimensions, n=12):
    """E f(e) for e standard normal, by the tensor product of n nodes."""
    points, weights = hermite(n)
    total = 0
    for index in itertools.product(range(n), repeat=dimensions):
        index = list(index)
        total = total + np.prod(weights[index]) * np.asarray(f(points[index]))
    return total


def mean_and_variance(f, dimensions, n=12):
    mean = expect(f, dimensions, n)
    return mean, expect(lambda e: np.asarray(f(e)) ** 2, dimensions, n) - mean**2


# What a row of the table says about noise. The driver sums over the tensor product of the nodes.


def packed(points, weights):
    return {"points": [float(x) for x in points], "weights": [float(x) for x in weights]}


def normal_nodes(n=3):
    return {"normal": packed(*hermite(n))}


def uniform_nodes(*breaks):
    """Between two breaks a draw made from a uniform number does not change: one node for each piece, in the middle,
    with its length as weight. Values are counted from 1 downwards for a bit, from 0 upwards for a category."""
    ends = sorted({0.0, 1.0} | {round(float(b), 15) for b in breaks})
    points = [(a + b) / 2 for a, b in zip(ends, ends[1:])]
    return {"uniform": packed(points, np.diff(ends))}


def log_gamma_nodes(alpha, h=0.2, within=1e-12):
    """Nodes of E f(log g), g ~ Gamma(alpha, 1): the trapezoidal rule on the density exp(alpha t - e^t) / Gamma(alpha),
    which is analytic in |Im t| < pi / 2, so that its error falls as exp(-pi^2 / h)."""
    t = np.arange(-36 / alpha - 1, math.log(alpha + 10 * math.sqrt(alpha) + 45), h)
    weights = h * np.exp(alpha * t - np.exp(t) - special.gammaln(alpha))
    assert abs(weights.sum() - 1) < within, weights.sum()
    kept = weights > 1e-15
    return packed(t[kept], weights[kept])


ROWS = []


def row(case, program, why, **fields):
    """Adds a row. The elbo and gradients are those of the bound, not of the loss."""
    entry = {"case": case, "why": " ".join(why.split()), "objective": fields.pop("objective", "elbo"),
             "program": [line for line in program.strip("\n").split("\n")]}
    def plain(value):
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items()}
        if isinstance(value, (list, tuple, np.ndarray)):
            return [plain(v) for v in value]
        if isinstance(value, (np.floating, float)):
            return float(value)
        return int(value) if isinstance(value, np.integer) else value
    entry |= plain(fields)
    entry.setdefault("tolerance", 1e-9)
    for kind in ("parameters", "gradient", "variance"):
        if kind in entry:
            entry[kind] = {k: v if isinstance(v, list) else [v] for k, v in entry[kind].items()}
    ROWS.append(entry)


def agrees(found, reported, digits=6):
    """A number of the literature, printed with so many digits after the point, is the one derived here."""
    found, reported = np.atleast_1d(found).astype(float), np.atleast_1d(reported).astype(float)
    assert np.all(np.abs(found - reported) < 0.6 * 10.0**-digits), (found, reported)


def expect_many(f, dimensions, n):
    """`expect` with f taking all nodes at once: an array of `dimensions` rows."""
    points, weights = hermite(n)
    grids = np.meshgrid(*[points] * dimensions, indexing="ij")
    weight = np.prod(np.meshgrid(*[weights] * dimensions, indexing="ij"), axis=0)
    return np.sum(weight.ravel() * f(np.array([g.ravel() for g in grids])))


def log_mean_exp(values):
    """Along the first axis; complex numbers allowed."""
    top = np.max(np.real(values), axis=0)
    return top + np.log(np.mean(np.exp(values - top), axis=0))
