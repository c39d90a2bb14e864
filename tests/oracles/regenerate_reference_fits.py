#!/usr/bin/env python3
"""Writes reference_fits.json: fits whose posterior is known in closed form, with where their parameters must end.

    python3 tests/oracles/regenerate_reference_fits.py

The cases are those of Pyro's integration tests (T20 ... T34). Its tolerances are sums of squares of .05 and more; a fit of
Plait takes about a microsecond a step, so that training goes on until a hundredth is safe.
"""
import json
import math
import os

import numpy as np
from scipy import special

from reference_gaussian import EIGHT, FOUR, LAM, LAM0, MU0, plane_program, posterior
from reference_tools import LOG_2PI, agrees

HERE = os.path.dirname(os.path.abspath(__file__))
ROWS = []


def array(values):
    values = np.asarray(values)
    return {"shape": list(values.shape), "values": [float(v) for v in values.ravel()]}


def fit(case, program, why, data, mean, steps=20000, learning_rate=0.02, decay=0.001, tolerance=0.01, objective="elbo",
        optimizer=None, elbo=None, elbo_tolerance=1e-3, seed=1, epoch_batches=False, **fields):
    entry = {"case": case, "why": " ".join(why.split()), "program": program.strip("\n").split("\n"), "objective": objective,
             "data": {name: array(values) for name, values in data.items()},
             "fit": {"steps": steps, "learning_rate": learning_rate, "decay": decay, "seed": seed},
             "mean": {name: [float(v) for v in np.atleast_1d(values).ravel()] for name, values in mean.items()},
             "tolerance": tolerance} | fields
    if epoch_batches:
        entry["fit"]["epoch_batches"] = True
    if optimizer:
        entry["fit"]["optimizer"] = optimizer
    if elbo is not None:
        entry |= {"elbo": float(elbo), "elbo_tolerance": elbo_tolerance}
    ROWS.append(entry)


# T20: four rows, two dimensions.
mean, log_sd = posterior(FOUR)
agrees(mean, [0.049793, 0.475155])
agrees(log_sd, [-1.591106, -1.389410])
target = {"m": mean, "l": log_sd}
why = "mean and log standard deviation of the posterior"
fit("T20 NormalNormal, pathwise", plane_program(), why, {"x": FOUR}, target, objective="sampled_elbo")
fit("T20 NormalNormal, closed-form KL", plane_program(), why, {"x": FOUR}, target)
fit("T20 NormalNormal, sticking the landing", plane_program(), why + "; no noise is left at the end", {"x": FOUR}, target,
    objective="stl", tolerance=1e-3)
fit("T20 NormalNormal, score function", plane_program(strategy=" using score"), why, {"x": FOUR}, target, objective="sampled_elbo",
    particles=8, steps=60000)
fit("T20 NormalNormal, renyi 3", plane_program(), why + ": the bound of any order is log p(x) there and below elsewhere",
    {"x": FOUR}, target, objective="renyi", objective_options={"alpha": 3}, particles=8)
fit("T20 NormalNormal, importance weighted", plane_program(), why, {"x": FOUR}, target, objective="iwae", particles=4,
    tolerance=0.02)

fit("T20 NormalNormal, reweighted wake-sleep", plane_program(), why + ": all weights are alike there", {"x": FOUR}, target,
    objective="rws", particles=8, steps=60000)
fit("T20 NormalNormal, score function with the decaying average", plane_program(strategy=" using score(baseline = average)"), why,
    {"x": FOUR}, target, objective="sampled_elbo", steps=120000)

# T21: eight rows, all or three at a time.
mean, log_sd = posterior(EIGHT)
agrees(mean, [0.097297, 0.214642])
agrees(log_sd, [-1.936641, -1.734428])
for plate in ("iarange", "irange"):
    for batch, epochs in ((8, False), (3, False), (3, True)):
        fit(f"T21 elbo_mapdata, {plate}, batch {batch}{', epochs' * epochs}", plane_program(plate, subsample=f" subsample {batch}"),
            "rows drawn anew in every step, or shuffled epochs of 3, 3, 2", {"x": EIGHT}, {"m": mean, "l": log_sd}, steps=60000,
            epoch_batches=epochs, tolerance=0.02)

# T22 ... T24: conjugate pairs; the values of a and b, not their logarithms.
GAMMA_GUIDE = "guide { param a : positive = 3; param b : positive = 2; r ~ gamma(a, b)%s; }"
AVERAGE = " using score(baseline = average)"
for strategy, objective in (("", "elbo"), ("", "sampled_elbo"), ("", "stl"), (" using score", "sampled_elbo"),
                            (AVERAGE, "sampled_elbo")):
    many = {"particles": 8, "steps": 60000} if strategy == " using score" else {"steps": 60000}
    close = {"tolerance": 0.02} if objective == "stl" else {"tolerance": 0.12}
    name = f"{'score function, ' if strategy else ''}{'decaying average, ' if strategy == AVERAGE else ''}{objective}"
    fit(f"T22 PoissonGamma, {name}", "data x : int[N];\nmodel { r ~ gamma(1, 1); iarange i in N { x[i] ~ poisson(r); } }\n"
        + GAMMA_GUIDE % strategy, "posterior Gamma(7, 4)", {"x": [1, 2, 3]}, {"a": 7, "b": 4}, objective=objective,
        elbo=special.gammaln(7) - 7 * math.log(4) - math.log(2) - math.log(6), **many, **close)
    fit(f"T23 ExponentialGamma, {name}", "data x : positive[N];\nmodel { r ~ gamma(1, 1); iarange i in N { x[i] ~ exponential(r); "
        "} }\n" + GAMMA_GUIDE % strategy, "posterior Gamma(3, 6)", {"x": [3.0, 2.0]}, {"a": 3, "b": 6}, objective=objective,
        elbo=math.log(2 / 6**3), **many, **close)
    fit(f"T24 BernoulliBeta, {name}", "data x : bit[N];\nmodel { p ~ beta(1, 1); iarange i in N { x[i] ~ bernoulli(p); } }\n"
        f"guide {{ param a : positive = 1; param b : positive = 1; p ~ beta(a, b){strategy}; }}", "posterior Beta(4, 2)",
        {"x": [0, 1, 1, 1]}, {"a": 4, "b": 2}, objective=objective, elbo=math.log(1 / 20), **many, **close)

# T25: what nothing trains stays. Plait has no learning rate for a part of the parameters; a value that is not to move is no
# `param`. Here: a parameter without influence on the objective.
fit("T25 fixed", "data x : int[N];\nmodel { r ~ gamma(1, 1); iarange i in N { x[i] ~ poisson(r); } }\n"
    "guide { param a : positive = 3; param idle : real = 0.625; r ~ gamma(a, 4 + 0 * idle); }",
    "a parameter whose derivative is 0 keeps its value to the bit", {"x": [2]}, {"idle": 0.625}, steps=3, tolerance=0)

# T26: two levels. The prior precision of mu is .05 with the level above summed out; Pyro states its targets with .1.
precision = 0.05 + len(FOUR) * LAM
levels = {"m": (LAM * FOUR.sum(0) + 0.05 * MU0) / precision, "l": -0.5 * np.log(precision), "k": 0.5, "mp": 0.5 * MU0,
          "lp": -0.5 * np.log(2 * LAM0)}
agrees(levels["lp"], [0.804719] * 2)
NETS = "net %s(x : real[2]) -> real { return sum(linear[1](sigmoid(linear[5](x)))); }\n"
for name, inner, outer, nets, more in (
        ("pathwise", "", "", "", {}),
        ("leave-one-out", " using score", " using score", "", {"particles": 8}),
        ("one pathwise, one leave-one-out", "", " using score", "", {"particles": 8}),
        ("net as a baseline", "", " using score(baseline = guess(mu))", NETS % "guess", {}),
        ("decaying averages", AVERAGE, AVERAGE, "", {}),
        ("decaying average and net", AVERAGE, " using score(baseline = guess(mu))", NETS % "guess", {})):
    fit(f"T26 NormalNormalNormal, {name}", nets + "data x : real[N, 2];\n"
        "model { top ~ normal([0, 0.5], sqrt([10, 10])); mu ~ normal(top, sqrt([10, 10])); "
        "iarange i in N { x[i] ~ normal(mu, sqrt([1 / 6, 1 / 4])); } }\n"
        "guide {\n  param m : real[2] = 0.4; param l : real[2] = -1; param k : real = 0.74; param mp : real[2] = 0; "
        f"param lp : real[2] = 1;\n  mu ~ normal(m, exp(l)){inner};\n  top ~ normal(k * mu + mp, exp(lp)){outer};\n}}",
        "q(mu) and q(top | mu) = N(k mu + mp, exp(lp)^2) hold the posterior", {"x": FOUR}, levels, objective="sampled_elbo",
        steps=100000, tolerance=0.04, **more)

# T29, T30: see the rows without training; here the means of latents that nothing observes are trained to their prior.
fit("T30 superfluous latents", NETS % "guess" + "data y : real[M, 2];\nmodel { mu ~ normal([0, 0.5], sqrt([10, 10])); "
    "irange i in 3 { z ~ normal(0, 1); iarange j in 4 as inner { w ~ normal(0, 1); } } "
    "iarange n in M { y[n] ~ normal(mu, sqrt([1 / 6, 1 / 4])); } }\n"
    "guide {\n  param m : real[2] = 0.2; param l : real[2] = -1; param zm : real[3] = 0.4; param wm : real[4] = -0.4;\n"
    "  mu ~ normal(m, exp(l));\n"
    "  irange i in 3 { z ~ normal(zm[i], 1) using score(baseline = guess(mu)); iarange j in 4 as inner "
    "{ w ~ normal(wm[j], 1) using score(baseline = guess(mu)); } }\n}",
    "latents that no observation reads end at their prior, the others at the posterior", {"y": FOUR},
    {"zm": [0, 0, 0], "wm": [0, 0, 0, 0], "m": posterior(FOUR)[0], "l": posterior(FOUR)[1]}, objective="sampled_elbo",
    steps=60000, tolerance=0.02)

# V 6.7: parameters of rows that are not drawn stay where they are. Under a constant gradient Adam moves by the learning rate at
# every visit; dense moments would move both rows at every step.
fit("V 6.7 rows that are not drawn", "data g : real[N];\nmodel { iarange i in N subsample 1 { param m : real = 0; "
    "factor(m * g[i]); } }", "the distance that all rows have gone is the learning rate times the number of steps",
    {"g": [1.0, 2.0, 0.5]}, {}, steps=50, learning_rate=0.1, decay=1, tolerance=1e-5, total={"m": 5})

# T34: Pyro minimizes the energy distance of a normal and data; Plait has likelihoods alone, and maximizes one.
x = np.array([9.3, 11.2, 10.4, 8.7, 10.9, 9.6, 12.1, 10.2])
fit("T34 univariate, by likelihood", "data x : real[N];\nmodel { param loc : real = 0; param scale : positive = 1; "
    "iarange i in N { x[i] ~ normal(loc, scale); } }", "Plait has no energy distance; by maximum likelihood the location is the"
    " mean and the scale the standard deviation (with N below) of the data", {"x": x}, {"loc": x.mean(), "scale": x.std()},
    steps=20000, learning_rate=0.05, tolerance=1e-4,
    elbo=float(np.sum(-0.5 * LOG_2PI - np.log(x.std()) - 0.5 * ((x - x.mean()) / x.std()) ** 2)), elbo_tolerance=1e-6)

# An amortized guide is exact where the posterior's mean is linear in the data and its variance is that of every row: z_n has
# the precision 1 + J / s^2 and the mean (2 x_n + sum_j y_nj / s^2) / that.
x = np.array([0.5, -1.2, 0.3, 2.0, -0.4, 1.1])
y = np.array([[1.3, 0.6, 1.1], [-2.9, -2.2, -2.0], [0.2, 1.5, 0.9], [4.4, 3.1, 3.6], [-1.0, 0.1, -0.3], [2.9, 2.4, 1.2]])
rows, columns = y.shape
covariance = np.ones((columns, columns)) + 0.25 * np.eye(columns)
evidence = sum(-0.5 * (columns * LOG_2PI + np.linalg.slogdet(covariance)[1]
                       + (row - 2 * at) @ np.linalg.solve(covariance, row - 2 * at)) for row, at in zip(y, x))
fit("auto(amortized), conjugate rows", "data x : real[N];\ndata y : real[N, J];\nmodel { iarange n in N subsample 3 { z ~ normal(2 * "
    "x[n], 1); iarange j in J { y[n, j] ~ normal(z, 0.5); } } }\nguide auto(amortized, hidden = 4);",
    "the net reads the row's covariate and the mean of its observations; the bound reaches log p(y)", {"x": x, "y": y}, {},
    steps=60000, learning_rate=0.02, elbo=evidence, elbo_tolerance=0.02)

# The programs of Pyro's tutorial SVI part II, each with both kinds of plate. First the coin, five of its ten flips a step.
FLIPS = [1.0] * 6 + [0.0] * 4
log_evidence = special.betaln(16, 14) - special.betaln(10, 10)
for plate in ("irange", "iarange"):
    fit(f"SVI II, the coin by halves, {plate}", f"""
data flips : bit[N];
model {{ fairness ~ beta(10, 10); {plate} i in N subsample 5 {{ flips[i] ~ bernoulli(fairness); }} }}
guide {{ param a : positive = 15; param b : positive = 15; fairness ~ beta(a, b); }}""",
        "a subsample scaled by N/B has the posterior of all flips, not that of five", {"flips": FLIPS}, {"a": 16, "b": 14},
        steps=60000, tolerance=0.15, elbo=log_evidence)

# A global latent and a local one for each row: beta ~ N(0, 2^2), z_n ~ N(beta, 1), x_n ~ N(z_n, 0.5^2). The best independent
# normals have the posterior's means, and the inverse roots of the diagonal of its precision as standard deviations; they lack
# (sum log diagonal - log determinant) / 2 of the evidence.
x = np.array([0.7, -0.2, 1.9, 1.1, 2.4, 0.3])
precision = np.diag([0.25 + len(x)] + [5.0] * len(x))
precision[0, 1:] = precision[1:, 0] = -1
mean = np.linalg.solve(precision, np.concatenate([[0.0], 4 * x]))
covariance = 4 * np.ones((len(x), len(x))) + 1.25 * np.eye(len(x))
evidence = -0.5 * (len(x) * LOG_2PI + np.linalg.slogdet(covariance)[1] + x @ np.linalg.solve(covariance, x))
bound = evidence - 0.5 * (np.sum(np.log(np.diag(precision))) - np.linalg.slogdet(precision)[1])
agrees(mean[1:], (mean[0] + 4 * x) / 5)  # linear in the data: a function of x_n can hold it
MODEL = """
data x : real[N];
net encode(v : real[1]) -> real[1] { return linear[1](v); }
model { beta ~ normal(0, 2); %s n in N subsample %d { z ~ normal(beta, 1); x[n] ~ normal(z, 0.5); } }
guide { param m : real = 0; param s : positive = 1; beta ~ normal(m, s); %s"""
for plate in ("irange", "iarange"):
    fit(f"SVI II, globals and locals, {plate}", MODEL % (plate, 2, "") +
        f"{plate} n in N {{ param l : real = 0; param t : positive = 1; z ~ normal(l, t); }} }}",
        "each row has its own parameters, which move when it is drawn", {"x": x},
        {"m": mean[0], "s": precision[0, 0] ** -0.5, "l": mean[1:], "t": np.full(len(x), 5 ** -0.5)}, steps=60000, tolerance=0.03,
        elbo=bound, elbo_tolerance=0.01)
    fit(f"SVI II, amortized, {plate}", MODEL % (plate, 2, "param t : positive = 1; ") +
        f"{plate} n in N {{ z ~ normal(encode([x[n]])[0], t); }} }}",
        "a function of the row in place of parameters of its own holds the same posterior", {"x": x},
        {"m": mean[0], "s": precision[0, 0] ** -0.5, "t": 5 ** -0.5}, steps=60000, tolerance=0.03, elbo=bound, elbo_tolerance=0.01)

with open(os.path.join(HERE, "reference_fits.json"), "w") as file:
    json.dump({"rows": ROWS}, file, indent=1)
    file.write("\n")
print(len(ROWS), "fits")
