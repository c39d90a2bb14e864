#!/usr/bin/env python3
"""Writes reference_cases.json: the numeric cases that Pyro tests its inference with (T1 ... T35, by the order of its test
files) and golden values of estimators (V), as rows of program, data, options and expected numbers.

    python3 tests/oracles/regenerate_reference_cases.py

Every number is derived here, in closed form, by enumeration or by quadrature; where the source prints a number, `agrees`
compares the two. Pyro's tests allow for Monte Carlo error (.001 to .3); nearly all rows here are exact.
"""
import itertools
import json
import math
import os

import numpy as np
from scipy import special, stats

import reference_gaussian
import reference_golden
from reference_tools import *

HERE = os.path.dirname(os.path.abspath(__file__))


# ---- T7 ... T19: Kullback-Leibler divergences, as losses and gradients in the guide's parameter ----

def bernoulli_case(case, count, ps, q, loss, slope, model, guide, why, scale=1, **fields):
    """A guide whose latents are all bernoulli(q), enumerated and by score function."""
    bound = lambda q: -scale * sum(n * kl_bernoulli(q, p) for n, p in zip(count, ps))
    value, slopes = bound(q), gradient(bound, {"q": q})["q"]
    agrees(-value, loss)
    agrees(-slopes[0], slope)
    common = {"parameters": {"q": q}, "elbo": value, "gradient": {"q": slopes}} | fields
    for how, strategy in (("enumerated", "enumerate"), ("sampled", "score")):
        for objective in ("elbo", "sampled_elbo"):
            grid = {} if strategy == "enumerate" else uniform_nodes(q)
            text = f"model {{ {model} }}\nguide {{ param q : real = 0.5; {guide} }}".replace("bernoulli(q)",
                                                                                        f"bernoulli(q) using {strategy}")
            row(f"{case} {how}, {objective}", text, why, objective=objective, grid=grid, **common)


def divergences():
    bernoulli_case("T7 elbo_bern", [1], [0.25], 0.5, 0.143841, 1.098612, "z ~ bernoulli(0.25);", "z ~ bernoulli(q);",
                   "one Bernoulli latent; exact even by score function: both values of the draw are visited")
    bernoulli_case("T7 elbo_bern, scale 10", [1], [0.25], 0.5, 1.438410, 10.986123,
                   "iarange i in 10 subsample 1 { z ~ bernoulli(0.25); }", "iarange i in 10 { z ~ bernoulli(q); }",
                   "Plait's only scale is N/B: one row drawn of ten weighs ten", scale=10, rows=[[3]], population=10)
    row("T8 elbo_normal", "model { z ~ normal(0, 1); }\nguide { param m : real = 1; z ~ normal(m, 1); }",
        "closed-form KL: 1/2 and slope 1", grid={}, parameters={"m": 1}, elbo=-0.5, gradient={"m": -1})
    row("T8 elbo_normal, sampled", "model { z ~ normal(0, 1); }\nguide { param m : real = 1; z ~ normal(m, 1); }",
        "the same through draws", objective="sampled_elbo", grid=normal_nodes(), parameters={"m": 1}, elbo=-0.5,
        gradient={"m": -1})
    row("T8 elbo_normal, score", "model { z ~ normal(0, 1); }\nguide { param m : real = 1; z ~ normal(m, 1) using score; }",
        "the same by score function", objective="sampled_elbo", grid=normal_nodes(), parameters={"m": 1}, elbo=-0.5,
        gradient={"m": -1})
    bernoulli_case("T9 elbo_bern_bern", [1, 1], [0.2, 0.4], 0.75, 0.953118, 3.988984,
                   "a ~ bernoulli(0.2); b ~ bernoulli(0.4);", "a ~ bernoulli(q); b ~ bernoulli(q);",
                   "two latents share a guide parameter")
    bernoulli_case("T10 elbo_berns", [1, 1, 1], [0.1, 0.2, 0.3], 0.75, 2.321286, 7.726654,
                   "a ~ bernoulli(0.1); b ~ bernoulli(0.2); c ~ bernoulli(0.3);",
                   "a ~ bernoulli(q); b ~ bernoulli(q); c ~ bernoulli(q);", "three latents share a guide parameter")
    categoricals()
    bound = lambda m: sum(-0.5 * (m - p) ** 2 for p in (0.25, 0.5, 1))
    for strategy, objective, grid in (("", "elbo", {}), ("", "sampled_elbo", normal_nodes()),
                                      (" using score", "sampled_elbo", normal_nodes())):
        row(f"T12 elbo_normals{strategy}, {objective}",
            "model { a ~ normal(0.25, 1); b ~ normal(0.5, 1); c ~ normal(1, 1); }\nguide { param m : real = 0; "
            + " ".join(f"{z} ~ normal(m, 1){strategy};" for z in "abc") + " }",
            "three normal latents share a mean", objective=objective, grid=grid, parameters={"m": 0}, elbo=-0.65625,
            gradient=gradient(bound, {"m": 0}))
    p = 0.2693204236205713
    agrees(kl_bernoulli(0.75, p), 0.5)
    for size, loss, slope in ((1, 1.0, 4.193371), (2, 1.5, 6.290056)):
        for case, plate in (("T13 elbo_plate", "iarange"), ("T14 elbo_iplate", "irange")):
            bernoulli_case(f"{case}, size {size}", [1 + size], [p], 0.75, loss, slope,
                           f"x ~ bernoulli({p}); {plate} i in {size} {{ y ~ bernoulli({p}); }}",
                           f"x ~ bernoulli(q); {plate} i in {size} {{ y ~ bernoulli(q); }}",
                           "one latent outside and one in each element of the plate: KL 1/2 each")
    for case, outer, inner in (("T15 plate_plate", "iarange", "iarange"), ("T16 plate_iplate", "iarange", "irange"),
                               ("T17 iplate_plate", "irange", "iarange"), ("T18 iplate_iplate", "irange", "irange")):
        body = lambda p: (f"w ~ bernoulli({p}); {outer} i in 2 {{ x ~ bernoulli({p}); }} {inner} j in 2 as inner "
                          f"{{ y ~ bernoulli({p}); }} {outer} i in 2 {{ {inner} j in 2 as inner {{ z ~ bernoulli({p}); }} }}")
        bernoulli_case(case, [9], [p], 0.75, 4.5, 18.870169, body(p), body("q"),
                       "nine nodes of KL 1/2: one outside, two in each of two plates, four where the plates cross")
    # T19: 0 log 0 = 0 in value and derivative, where guide and model agree that a value is impossible.
    for how, strategy, grid in (("enumerated", "enumerate", {}), ("sampled", "score", uniform_nodes(0.5))):
        row(f"T19 avoid_nan, {how}",
            f"model {{ p = [0, 0.5, 1]; iarange i in 3 {{ z ~ bernoulli(p[i]); }} }}\n"
            f"guide {{ param m : real = 0; p = [0, 0.5 + m, 1]; iarange i in 3 {{ z ~ bernoulli(p[i]) using {strategy}; }} }}",
            "probabilities 0 and 1 in model and guide: nothing is NaN; m moves the middle one, KL is 0 and stationary",
            objective="sampled_elbo", grid=grid, parameters={"m": 0}, elbo=0, gradient={"m": 0})


def categoricals():
    ps = [[0.6, 0.4], [0.3, 0.3, 0.4], [0.1, 0.2, 0.3, 0.4]]
    qs = {"q1": [0.4, 0.6], "q2": [0.4, 0.3, 0.3], "q3": [0.4, 0.3, 0.2, 0.1]}
    def bound(q1, q2, q3):
        total = 0
        for p, raw in zip(ps, (q1, q2, q3)):
            q = np.asarray(raw) / np.sum(raw)
            total = total - np.sum(q * np.log(q / p))
        return np.asarray(total)
    value, slopes = float(bound(**qs)), gradient(bound, qs)
    agrees(-value, 0.566296)
    for name, reported in (("q1", [-.486558, .324372]), ("q2", [.258914, -.028768, -.316450]),
                           ("q3", [.929860, -.050970, -.861900, -1.842729])):
        agrees(-np.array(slopes[name]), reported)
    for how, strategy in (("enumerated", "enumerate"), ("sampled", "score")):
        text = "model {\n" + "\n".join(f"  z{k + 1} ~ categorical({p});" for k, p in enumerate(ps)) + "\n}\nguide {\n"
        text += "\n".join(f"  param q{k} : real[{k + 1}] = 0.5; z{k} ~ categorical(q{k} / sum(q{k})) using {strategy};"
                          for k in (1, 2, 3)) + "\n}"
        breaks = [float(b) for q in qs.values() for b in np.cumsum(q)[:-1]]
        row(f"T11 elbo_categoricals, {how}", text, "derivatives in raw weights, which the guide makes sum to 1",
            objective="sampled_elbo", grid={} if strategy == "enumerate" else uniform_nodes(*breaks),
            parameters=qs, elbo=value, gradient=slopes)


# ---- T22 ... T25, T31: conjugate pairs with gamma and beta latents ----

def poisson_gamma_bound(data, a0, b0):
    def bound(a, b):
        mean_log = special.digamma(a) - np.log(b)
        likelihood = sum(x * mean_log - a / b - special.gammaln(x + 1) for x in data)
        prior = a0 * np.log(b0) - special.gammaln(a0) + (a0 - 1) * mean_log - b0 * a / b
        return likelihood + prior + a - np.log(b) + special.loggamma(a) + (1 - a) * special.digamma(a)
    return bound


def central(f, at, h=1e-4):
    """Derivatives by a five-point difference, for functions that take no complex numbers."""
    result = {}
    for name in at:
        d = lambda k: f(**(at | {name: at[name] + k * h}))
        result[name] = [(8 * (d(1) - d(-1)) - (d(2) - d(-2))) / (12 * h)]
    return result


def gamma_rows(case, likelihood, data, bound, posterior, evidence, at, why):
    element = "int" if likelihood == "poisson" else "positive"
    prior = at["prior"]
    logs = {"la": math.log(at["a"]), "lb": math.log(at["b"])}
    in_logs = lambda la, lb: float(bound(a=math.exp(la), b=math.exp(lb)))
    def text(strategy):
        return (f"data x : {element}[N];\nmodel {{ r ~ gamma({prior[0]}, {prior[1]}); "
                f"iarange i in N {{ x[i] ~ {likelihood}(r); }} }}\n"
                f"guide {{ param la : real = 0; param lb : real = 0; r ~ gamma(exp(la), exp(lb)){strategy}; }}")
    for strategy, objective in (("", "elbo"), ("", "sampled_elbo"), (" using score", "sampled_elbo")):
        row(f"{case}{strategy}, {objective}", text(strategy), why + "; implicit derivatives or the score function, summed over"
            " the gamma density by the trapezoidal rule", objective=objective, grid={"r": log_gamma_nodes(at["a"])},
            sizes={"N": len(data)}, data={"x": data}, parameters=logs, elbo=in_logs(**logs), gradient=central(in_logs, logs),
            tolerance=1e-7)
    logs = {"la": math.log(posterior[0]), "lb": math.log(posterior[1])}
    row(f"{case}, evidence", text(""), "at the exact posterior every draw gives log p(x)", objective="stl", draws=20,
        sizes={"N": len(data)}, data={"x": data}, parameters=logs, elbo=evidence, gradient={"la": 0, "lb": 0})


def gamma_cases():
    # T22: log Z = log prod p(x_i) integrated: a0 = b0 = 1, Poisson counts 1, 2, 3, posterior Gamma(7, 4).
    evidence = special.gammaln(7) - 7 * math.log(4) - sum(math.lgamma(x + 1) for x in (1, 2, 3))
    agrees(evidence, -5.609716)
    gamma_rows("T22 PoissonGamma", "poisson", [1, 2, 3], poisson_gamma_bound([1, 2, 3], 1, 1), (7, 4), evidence,
               {"prior": (1, 1), "a": 7 + math.exp(.17), "b": 4 / math.exp(.143)}, "at Pyro's starting point")
    # T23: exponential waits 3, 2, posterior Gamma(3, 6): Z = 2 / 6^3.
    def bound(a, b):
        mean_log = special.digamma(a) - np.log(b)
        return 2 * mean_log - 5 * a / b - a / b + a - np.log(b) + special.gammaln(a) + (1 - a) * special.digamma(a)
    evidence = math.log(2 / 6**3)
    agrees(evidence, -4.682131)
    gamma_rows("T23 ExponentialGamma", "exponential", [3, 2], bound, (3, 6), evidence,
               {"prior": (1, 1), "a": 3 * math.exp(.17), "b": 6 * math.exp(-.143)}, "away from the posterior")
    # T24: Z = B(4, 2) / B(1, 1) = 1/20.
    evidence = special.betaln(4, 2)
    agrees(evidence, -2.995732)
    def beta_bound(a, b, a0=1, b0=1, ones=3, zeros=1):
        log_p, log_1p = special.digamma(a) - special.digamma(a + b), special.digamma(b) - special.digamma(a + b)
        entropy = special.betaln(a, b) - (a - 1) * log_p - (b - 1) * log_1p
        return (a0 - 1 + ones) * log_p + (b0 - 1 + zeros) * log_1p - special.betaln(a0, b0) + entropy
    def text(strategy):
        return ("data x : bit[N];\nmodel { p ~ beta(1, 1); iarange i in N { x[i] ~ bernoulli(p); } }\n"
                f"guide {{ param la : real = 0; param lb : real = 0; p ~ beta(exp(la), exp(lb)){strategy}; }}")
    a, b = 4 * math.exp(.17), 2 * math.exp(-.143)
    logs = {"la": math.log(a), "lb": math.log(b)}
    in_logs = lambda la, lb: float(beta_bound(math.exp(la), math.exp(lb)))
    for strategy, objective in (("", "elbo"), ("", "sampled_elbo"), (" using score", "sampled_elbo")):
        row(f"T24 BernoulliBeta{strategy}, {objective}", text(strategy), "beta from two gammas: a sum over both", sizes={"N": 4},
            data={"x": [0, 1, 1, 1]}, objective=objective, parameters=logs, elbo=in_logs(**logs),
            gradient=central(in_logs, logs), tolerance=1e-7,
            grid={"p": log_gamma_nodes(a, 0.3, 1e-8), "p#1": log_gamma_nodes(b, 0.3, 1e-8)})
    row("T24 BernoulliBeta, evidence", text(""), "at the exact posterior beta(4, 2) every draw gives log 1/20", sizes={"N": 4},
        data={"x": [0, 1, 1, 1]}, objective="stl", draws=20, parameters={"la": math.log(4), "lb": math.log(2)},
        elbo=evidence, gradient={"la": 0, "lb": 0})
    # T31: beta(.5, 1.5) and 3 of 10. Plait does not collapse by itself; the collapsed density is the distribution
    # beta_binomial, and the uncollapsed model at its exact posterior beta(3.5, 8.5) has the same value on every draw.
    evidence = stats.betabinom(10, 0.5, 1.5).logpmf(3)
    agrees(evidence, -2.416158)
    in_logs = lambda la, lb: float(stats.betabinom(10, math.exp(la), math.exp(lb)).logpmf(3))
    logs = {"la": math.log(0.5), "lb": math.log(1.5)}
    slopes = central(in_logs, logs)
    head = "data k : int[1];\nmodel { param la : real = 0; param lb : real = 0; "
    row("T31 collapse_beta_binomial, beta_binomial", head + "k[0] ~ beta_binomial(10, exp(la), exp(lb)); }",
        "the collapsed density and its derivatives", data={"k": [3]}, grid={}, parameters=logs, elbo=evidence,
        gradient=slopes)
    row("T31 collapse_beta_binomial, exact guide",
        head + "p ~ beta(exp(la), exp(lb)); k[0] ~ binomial(10, p); }\nguide { p ~ beta(3.5, 8.5); }",
        "uncollapsed: E over the exact posterior of d log p(k, p) is d log p(k) (Fisher's identity)", data={"k": [3]},
        objective="sampled_elbo", parameters=logs, elbo=evidence, elbo_variance=0, gradient=slopes, tolerance=1e-8,
        grid={"p": log_gamma_nodes(3.5, 0.3, 1e-8), "p#1": log_gamma_nodes(8.5)})


# ---- T32, T35: sums over finite latents against sums over every assignment ----

def enumeration_cases():
    data, means = [-1.0, 0.4, 2.5, 3.1, 0.9], (0.0, 2.0)
    def brute(w, s):
        total = 0
        for z in itertools.product((0, 1), repeat=len(data)):
            term = 0
            for x, k in zip(data, z):
                term = term + np.log(w if k else 1 - w) + normal(x, means[k], s)
            total = total + np.exp(term)
        return np.log(total)
    at = {"w": [0.3], "s": [0.8]}
    for plate in ("iarange", "irange"):
        row(f"T32 gmm_iter_discrete_traces, {plate}",
            f"data x : real[N];\nmodel {{ param w : real = 0.5; param s : real = 1; {plate} i in N {{ "
            "z ~ bernoulli(w) using enumerate; x[i] ~ normal(2 * z, s); } }",
            "Pyro counts its traces (2^5 for irange, 2 for iarange); what must hold of a compiler is that either plate gives the"
            " sum over all 2^5 assignments", sizes={"N": 5}, data={"x": data}, grid={}, parameters=at,
            elbo=float(np.real(brute(0.3, 0.8))), gradient=gradient(brute, at))
    # T35: categorical chain of a depth, the head outside and the rest inside a plate of 3, 4 observations at the end.
    table = [[0.3, 0.7], [0.7, 0.3]]
    seen = np.array([[0, 1, 1, 0], [1, 1, 1, 1], [0, 0, 1, 0]])
    for depth in range(1, 6):
        def brute(q0, qy):
            total = 0
            for head in (0, 1):
                term = np.log(q0[head] / np.sum(q0))
                for r in range(3):
                    inner = 0
                    for rest in itertools.product((0, 1), repeat=depth - 1):
                        path, p = (head, *rest), 0
                        for before, after in zip(path, path[1:]):
                            p = p + np.log(table[before][after])
                        for y in seen[r]:
                            p = p + np.log(qy[path[-1]] if y else 1 - qy[path[-1]])
                        inner = inner + np.exp(p)
                    term = term + np.log(inner)
                total = total + np.exp(term)
            return np.log(total)
        at = {"q0": [0.4, 0.6], "qy": [0.75, 0.25]}
        body = "x0 ~ categorical(q0 / sum(q0)) using enumerate;\n  iarange r in R {\n"
        for d in range(1, depth):
            body += f"    x{d} ~ categorical(A[x{d - 1}]) using enumerate;\n"
        body += f"    iarange j in J {{ y[r, j] ~ bernoulli(qy[x{depth - 1}]); }}\n  }}"
        row(f"T35 tmc_categoricals, depth {depth}",
            "data y : bit[R, J];\nmodel {\n  param q0 : real[2] = 0.5; param qy : real[2] = 0.5;\n"
            f"  A = {table};\n  {body}\n}}",
            "Pyro compares tensor Monte Carlo with enumeration; Plait has enumeration alone, which must equal the sum over every"
            " assignment, the rows of the plate being summed apart given the head", sizes={"R": 3, "J": 4},
            data={"y": seen.ravel().tolist()}, grid={}, parameters=at, elbo=float(np.real(brute(np.array(at["q0"]),
                                                                                                np.array(at["qy"])))),
            gradient=gradient(brute, at))


divergences()
gamma_cases()
enumeration_cases()
reference_gaussian.add()
reference_golden.add()

with open(os.path.join(HERE, "reference_cases.json"), "w") as file:
    json.dump({"rows": ROWS}, file, indent=1)
    file.write("\n")
print(len(ROWS), "rows")
