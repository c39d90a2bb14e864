"""V: golden values of estimators, from the literature's closed forms and from quadrature."""
import itertools

import numpy as np

from reference_tools import *

HELD = False
X = [1.0, 2.0, 0.5, -0.3]
M, S = 0.3, 0.7
FIXTURE = {"sizes": {"N": 4}, "data": {"x": X}, "parameters": {"m": M, "s": S}}


def fixture_program(strategy=""):
    return ("data x : real[N];\nmodel { z ~ normal(0, 1); iarange i in N { x[i] ~ normal(z, 1); } }\n"
            f"guide {{ param m : real = 0; param s : real = 1; z ~ normal(m, s){strategy}; }}")


def fixture():
    """Variances of the gradient on z ~ N(0, 1), x_i ~ N(z, 1), q = N(m, s^2), as sums over the nodes of a quadrature that is
    exact for polynomials of their degree."""
    elbo = float(sum(normal(v, M, 1) - S**2 / 2 for v in X) + normal(M, 0, 1) - S**2 / 2 + math.log(S) + 0.5 * LOG_2PI + 0.5)
    agrees(elbo, -6.6924290768, 10)
    a, b = sum(X) - 5 * M, 5 * S
    slopes = {"m": a, "s": 1 / S - b}
    agrees([slopes["m"], slopes["s"]], [1.7, -2.0714285714], 10)
    common = FIXTURE | {"elbo": elbo, "gradient": slopes}
    agrees([b**2, a**2 + 2 * b**2], [12.25, 27.39], 4)
    agrees([(b - 1 / S) ** 2, a**2 + 2 * (b - 1 / S) ** 2], [4.2908, 11.4716], 4)
    for objective, pull, push in (("elbo", 4 * S, sum(X) - 4 * M), ("sampled_elbo", b, a), ("stl", b - 1 / S, a)):
        row(f"V0 variance, {objective}", fixture_program(), "a = sum x - 5 m, b = 5 s: b^2 and a^2 + 2 b^2; sticking the landing"
            " has b - 1/s for b; with the closed-form KL the likelihood alone is drawn: 4 for 5", objective=objective,
            grid=normal_nodes(5), variance={"m": pull**2, "s": push**2 + 2 * pull**2}, **common)
    # f(e) = log p - log q = c0 + c1 e + c2 e^2 and the score in m is e / s.
    c1, c2 = S * a, 0.5 - S * b / 2
    c0 = elbo - c2
    def score_variance(baseline):
        return (c0 - baseline) ** 2 / S**2 + (2 * c1**2 + 15 * c2**2 + 6 * (c0 - baseline) * c2) / S**2
    for name, baseline, reported in (("", None, 147.5206), ("mean", c0 + c2, 16.5070), ("optimal", c0 + 3 * c2, 12.2162)):
        value = score_variance(baseline or 0)
        agrees(value, reported, 4)
        strategy = " using score" if baseline is None else f" using score(baseline = {baseline!r})"
        row(f"V0 variance, score function{', ' * bool(name)}{name} baseline" if name else "V0 variance, score function",
            fixture_program(strategy), "(c0^2 + 2 c1^2 + 15 c2^2 + 6 c0 c2) / s^2, with c0 less the baseline; any constant "
            "leaves the mean as it is", objective="sampled_elbo", grid=normal_nodes(5), variance={"m": value}, **common)
    for count, reported in ((2, 12.2162), (4, 4.7872)):
        f0 = -c2
        mu22, mu11 = (f0**2 + 3 * c1**2 + 15 * c2**2 + 6 * f0 * c2) / S**2, c1 / S
        mu20, mu02 = 1 / S**2, c1**2 + 2 * c2**2
        value = (mu22 - (count - 2) / (count - 1) * mu11**2 + mu20 * mu02 / (count - 1)) / count
        agrees(value, reported, 4)
        row(f"V0 variance, leave-one-out, {count} particles", fixture_program(" using score"),
            "the variance of a sample covariance of score and cost", objective="sampled_elbo", particles=count,
            grid=normal_nodes(5), variance={"m": value}, **common)


def importance_weighted():
    """z ~ N(0, 1), x ~ N(z, 1), x = 1.2, q = N(.3, .7^2)."""
    x = 1.2
    common = {"sizes": {"N": 1}, "data": {"x": [x]}, "parameters": {"m": M, "s": S}}
    agrees(float(normal(x, 0, math.sqrt(2))), -1.6255121235, 9)
    def weights(e, m, s):
        z = m + s * e
        return normal(z, 0, 1) + normal(x, z, 1) - normal(e, 0, 1) + np.log(s)
    for count, nodes, bound_reported, slope_reported in ((2, 60, None, None), (4, 16, -1.6502, 0.17415)):
        bound = lambda m, s: expect_many(lambda e: log_mean_exp(weights(e, m, s)), count, nodes)
        value = float(np.real(bound(M, S)))
        slopes = gradient(lambda m, s: bound(m[0], s[0]), {"m": M, "s": S})
        if bound_reported:
            agrees(value, bound_reported, 4)
            agrees(slopes["m"], slope_reported, 4)
        fields = {"particles": count, "grid": normal_nodes(40 if count == 2 else 7), "elbo": value, "gradient": slopes,
                  "tolerance": 1e-8 if count == 2 else 1e-6}
        row(f"V1b iwae, {count} particles", fixture_program(), "bound and doubly reparameterized gradient by quadrature",
            objective="iwae", **common, **fields)
        row(f"V1b renyi 0, {count} particles", fixture_program(), "order 0 is the same bound, with its plain gradient",
            objective="renyi", objective_options={"alpha": 0}, **common, **fields)


def importance_weighted_many():
    """The same with more particles than a quadrature can hold: means over draws, here and there. The gradient here is that of
    the bound by doubly reparameterized draws, whose error is small."""
    x, rng = 1.2, np.random.Generator(np.random.Philox(11))
    for count, bound_reported, slope_reported in ((16, -1.6317, 0.0461), (64, -1.6273, 0.01171)):
        bounds, slopes = [], []
        for _ in range(40):
            z = M + S * rng.standard_normal((count, 20000))
            logs = normal(z, 0, 1) + normal(x, z, 1) - normal(z, M, S)
            bound = log_mean_exp(logs)
            weight = np.exp(logs - bound) / count
            bounds.append(bound)
            slopes.append(np.sum(weight**2 * (-z + (x - z) + (z - M) / S**2), axis=0))
        bounds, slopes = np.concatenate(bounds), np.concatenate(slopes)
        errors = [4 * v.std() / math.sqrt(v.size) for v in (bounds, slopes)]
        assert abs(bounds.mean() - bound_reported) < errors[0] + 6e-5, (bounds.mean(), errors)
        assert abs(slopes.mean() - slope_reported) < errors[1] + 6e-5, (slopes.mean(), errors)
        row(f"V1b iwae, {count} particles", fixture_program(), "bound and doubly reparameterized gradient against means of"
            " 800000 draws, whose own error is the slack", objective="iwae", particles=count, sizes={"N": 1}, data={"x": [x]},
            parameters={"m": M, "s": S}, elbo=bounds.mean(), gradient={"m": slopes.mean()}, mean=8000, slack=max(errors),
            tolerance=0.01)


def importance_weighted_chain():
    """A guide whose second draw reads the first: the doubly reparameterized gradient needs d log q(b | a) / da."""
    text = ("data x : real[N];\nmodel { a ~ normal(0, 1); b ~ normal(a, 1); iarange i in N { x[i] ~ normal(b, 1); } }\n"
            "guide { param m : real = 0; param k : real = 0; param l : real = 0; b ~ normal(m, exp(l)); "
            "a ~ normal(k * b, 0.9); }")
    at = {"m": [0.3], "k": [0.8], "l": [-0.2]}
    def bound(m, k, l):
        def inner(e):
            b = m + np.exp(l) * e[:2]
            a = k * b + 0.9 * e[2:]
            return log_mean_exp(normal(a, 0, 1) + normal(b, a, 1) + normal(1.2, b, 1) - normal(e[:2], 0, 1) + l
                                - normal(e[2:], 0, 1) + math.log(0.9))
        return expect_many(inner, 4, 20)
    for objective in ("iwae", "renyi"):
        row(f"V1b {objective}, a draw that reads another", text, "two particles; the bound's gradient by quadrature",
            objective=objective, objective_options={"alpha": 0} if objective == "renyi" else {}, particles=2,
            sizes={"N": 1}, data={"x": [1.2]}, parameters=at, elbo=float(np.real(bound(0.3, 0.8, -0.2))),
            gradient=gradient(bound, at), grid=normal_nodes(8), tolerance=1e-4)


def add():
    fixture()
    importance_weighted()
    importance_weighted_many()
    if HELD:
        importance_weighted_chain()
