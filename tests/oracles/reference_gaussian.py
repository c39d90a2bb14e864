"""T1 ... T6, T20, T21, T26 ... T30, T33: models whose posteriors are normal."""
import itertools

import numpy as np

from reference_tools import *

# ---- T1 ... T6: data (-.5, 2), z_i ~ N(0, 1), x_i ~ N(z_i, 1), q(z_i) = N(loc_i, s) ----

X = [-0.5, 2.0]


def pair_program(plate="iarange", strategy="", subsample="", nuisance=False):
    outside = ("a ~ normal(0, 1); ", " c ~ normal(4, 5);", "c ~ normal(4, 5); ", " a ~ normal(0, 1);") if nuisance else [""] * 4
    inside = ("b ~ normal(2, 3); ", " b ~ normal(2, 3);") if nuisance else [""] * 2
    return (f"data x : real[N];\n"
            f"model {{ {outside[0]}{plate} i in N{subsample} {{ z ~ normal(0, 1); {inside[0]}x[i] ~ normal(z, 1); }}{outside[1]} }}\n"
            f"guide {{ param loc : real[N] = 0; param s : real = 1; {outside[2]}{plate} i in N "
            f"{{ z ~ normal(loc[i], s){strategy};{inside[1]} }}{outside[3]} }}")


def pair_bound(loc, s, x=X):
    return sum(normal(v, m, 1) - s**2 / 2 + normal(m, 0, 1) - s**2 / 2 + np.log(s) + 0.5 * LOG_2PI + 0.5
               for v, m in zip(x, loc))


def pair_estimate(e, loc, s, score, x=X):
    """One draw's gradient, (loc..., s). Pathwise: the parts of log q cancel but for log s. Score function: the cost of z_i
    is what its own row adds (log p(z_i), log p(x_i), log q(z_i)), which is the Rao-Blackwellization by plate."""
    loc, x = np.array(loc), np.array(x)
    z = loc + s * np.array(e)
    if not score:
        slope = (x - z) - z
        return np.array([*slope, np.sum(slope * e) + len(x) / s])
    cost = normal(z, 0, 1) + normal(x, z, 1) - normal(z, loc, s)
    return np.array([*((z - loc) / s**2 * cost), np.sum(((z - loc) ** 2 / s**3 - 1 / s) * cost)])


def pairs():
    at = {"loc": [0.0, 0.0], "s": [1.0]}
    elbo = float(np.real(pair_bound(np.array(at["loc"]), 1.0)))
    slopes = gradient(pair_bound, at)
    agrees(-elbo, 4.962877)
    agrees(-np.array(slopes["loc"] + slopes["s"]), [0.5, -2.0, 2.0])
    common = {"sizes": {"N": 2}, "data": {"x": X}, "parameters": at, "elbo": elbo, "gradient": slopes}
    for strategy in ("", " using score"):
        objectives = ("sampled_elbo",) if strategy else ("elbo", "sampled_elbo", "stl")
        for objective in objectives:
            row(f"T1 subsample_gradient, full{strategy}, {objective}", pair_program(strategy=strategy),
                "the full plate; Pyro averages 50000 particles to .06", objective=objective, grid=normal_nodes(), **common)
            for plate in ("iarange", "irange"):
                case = "T2 subsample_gradient" if plate == "iarange" else "T4 subsample_gradient_sequential"
                row(f"{case}, every subset{strategy}, {objective}", pair_program(plate, strategy, " subsample 1"),
                    "the mean over both subsets of one row is the full gradient", objective=objective, grid=normal_nodes(),
                    rows={"every": 1}, population=2, **common)
        one = {"elbo": 2 * float(np.real(pair_bound(np.zeros(1), 1.0, X[:1]))), "gradient": {"loc": [-1, 0], "s": [-2]}}
        row(f"T2 subsample_gradient, row 0 alone{strategy}", pair_program(strategy=strategy, subsample=" subsample 1"),
            "N/B stands once: Pyro once multiplied the score function by it twice (its issue 531)", objective="sampled_elbo",
            grid=normal_nodes(), rows=[[0]], population=2, **(common | one))
        wide = {"sizes": {"N": 4}, "data": {"x": X + [0.0, 0.0]}, "parameters": {"loc": [0.0] * 4, "s": [1.0]},
                "elbo": 2 * elbo, "gradient": {"loc": [-1, 4, 0, 0], "s": [-4]}}
        row(f"T3 subsample_gradient, scale 2{strategy}", pair_program(strategy=strategy, subsample=" subsample 2"),
            "Plait has no other scale than N/B: two rows drawn of four count twice", objective="sampled_elbo",
            grid=normal_nodes(), rows=[[0, 1]], population=4, **wide)
        mean, variance = mean_and_variance(lambda e: pair_estimate(e, at["loc"], 1.0, bool(strategy)), 2)
        agrees(-mean, [0.5, -2, 2])
        row(f"T6 particle_gradient, variance{strategy}", pair_program(strategy=strategy),
            "the variance of one draw's gradient: with the costs of other rows it would be larger", objective="sampled_elbo",
            grid=normal_nodes(5), variance={"loc": mean_and_variance_part(variance, 2), "s": [variance[2]]}, **common)
        noise, loc, s = [0.3, -1.1], [0.2, -0.4], 0.8
        estimate = pair_estimate(noise, loc, s, bool(strategy))
        z = np.array(loc) + s * np.array(noise)
        row(f"T6 particle_gradient{strategy}", pair_program(strategy=strategy), "one draw's gradient in closed form",
            objective="sampled_elbo", noise={"z": noise}, sizes={"N": 2}, data={"x": X}, parameters={"loc": loc, "s": [s]},
            elbo=np.sum(normal(z, 0, 1) + normal(np.array(X), z, 1) - normal(z, np.array(loc), s)),
            gradient={"loc": estimate[:2], "s": [estimate[2]]})
        row(f"T5 plate with nuisance sites{strategy}", pair_program(strategy=strategy, nuisance=True),
            "three latents that the data do not see, in another order in model and guide: nothing changes",
            objective="sampled_elbo", grid=normal_nodes(2 if not strategy else 3), **common)
    evidence = sum(float(normal(v, 0, math.sqrt(2))) for v in X)
    agrees(-evidence, 3.593524)
    agrees(math.sqrt(0.5), 0.70711, 5)
    optimum = {"sizes": {"N": 2}, "data": {"x": X}, "parameters": {"loc": [-0.25, 1.0], "s": [math.sqrt(0.5)]}, "elbo": evidence,
               "gradient": {"loc": [0, 0], "s": [0]}}
    row("T1 at the posterior", pair_program(), "loc = x/2, s = sqrt(1/2): every draw gives log p(x), and no gradient",
        objective="stl", draws=20, **optimum)
    row("T1 at the posterior, in the mean", pair_program(), "without sticking the landing the gradient has mean 0",
        grid=normal_nodes(), **optimum)


def mean_and_variance_part(values, count):
    return [float(v) for v in values[:count]]


# ---- T20, T21, T26: mu ~ N(mu0, 1/lam0) in two dimensions, x_i ~ N(mu, 1/lam) ----

MU0, LAM0, LAM = np.array([0.0, 0.5]), np.array([0.1, 0.1]), np.array([6.0, 4.0])
FOUR = np.array([[-0.1, 0.3], [0.0, 0.4], [0.2, 0.5], [0.1, 0.7]])
EIGHT = np.array([[.1, .21], [.16, .11], [.06, .31], [-.01, .07], [.23, .25], [.19, .18], [.09, .41], [-.04, .17]])


def posterior(x):
    precision = LAM0 + len(x) * LAM
    return (LAM * x.sum(0) + LAM0 * MU0) / precision, -0.5 * np.log(precision)


def evidence_of(x):
    """log p(x) by dimensions, from the joint covariance of the data."""
    total = 0
    for d in range(2):
        n = len(x)
        covariance = np.eye(n) / LAM[d] + np.ones((n, n)) / LAM0[d]
        gap = x[:, d] - MU0[d]
        total += -0.5 * (n * LOG_2PI + np.linalg.slogdet(covariance)[1] + gap @ np.linalg.solve(covariance, gap))
    return float(total)


def plane_bound(x):
    def bound(m, l):
        variance = np.exp(2 * l)
        terms = [normal(v, m, LAM**-0.5) - 0.5 * LAM * variance for v in x]
        prior = normal(m, MU0, LAM0**-0.5) - 0.5 * LAM0 * variance
        return sum(terms) + prior + l + 0.5 * LOG_2PI + 0.5
    return bound


def plane_program(plate="iarange", strategy="", subsample=""):
    return (f"data x : real[N, 2];\nmodel {{ mu ~ normal([0, 0.5], sqrt([10, 10])); "
            f"{plate} i in N{subsample} {{ x[i] ~ normal(mu, sqrt([1 / 6, 1 / 4])); }} }}\n"
            f"guide {{ param m : real[2] = 0; param l : real[2] = 0; mu ~ normal(m, exp(l)){strategy}; }}")


def planes():
    mean, log_sd = posterior(FOUR)
    agrees(mean, [0.049793, 0.475155])
    agrees(log_sd, [-1.591106, -1.389410])
    at = {"m": (mean + 0.134).tolist(), "l": (log_sd - 0.14).tolist()}
    bound = plane_bound(FOUR)
    elbo, slopes = float(np.real(bound(np.array(at["m"]), np.array(at["l"])).sum())), gradient(bound, at)
    common = {"sizes": {"N": 4}, "data": {"x": FOUR.ravel()}, "parameters": at}
    for strategy, objective in (("", "elbo"), ("", "sampled_elbo"), ("", "stl"), (" using score", "sampled_elbo")):
        row(f"T20 NormalNormal{strategy}, {objective}", plane_program(strategy=strategy),
            "value and gradient at Pyro's starting point; the fits of the same estimators are among the reference fits",
            objective=objective, grid=normal_nodes(), elbo=elbo, gradient=slopes, **common)
    # Renyi bounds of two particles: the same integral over the four numbers that are drawn, with more nodes.
    for alpha in (0.5, 3.0):
        def renyi(m, l):
            def inner(e):
                logs = []
                for k in (0, 1):
                    noise = np.array(e[2 * k:2 * k + 2])
                    z = m + np.exp(l) * noise
                    logs.append(np.sum(normal(z, MU0, LAM0**-0.5) + sum(normal(v, z, LAM**-0.5) for v in FOUR)
                                       - normal(noise, 0, 1) + l))
                powers = [(1 - alpha) * v for v in logs]
                top = max(powers, key=np.real)
                return (top + np.log(sum(np.exp(p - top) for p in powers) / 2)) / (1 - alpha)
            return expect(inner, 4, 9)
        value = float(np.real(renyi(np.array(at["m"]), np.array(at["l"]))))
        row(f"T20 NormalNormal, renyi {alpha}", plane_program(), "two particles, by quadrature of their four numbers",
            objective="renyi", objective_options={"alpha": alpha}, particles=2, grid=normal_nodes(9), elbo=value,
            gradient=gradient(renyi, at), **common)
    done = {"m": mean.tolist(), "l": log_sd.tolist()}
    row("T20 NormalNormal, posterior", plane_program(), "every draw gives log p(x), computed from the covariance of the data",
        objective="stl", draws=20, elbo=evidence_of(FOUR), gradient={"m": [0, 0], "l": [0, 0]}, **(common | {"parameters": done}))
    row("T20 NormalNormal, posterior, renyi", plane_program(), "with equal weights every bound is log p(x)", objective="renyi",
        objective_options={"alpha": 3}, particles=4, draws=20, elbo=evidence_of(FOUR), **(common | {"parameters": done}))
    mean, log_sd = posterior(EIGHT)
    agrees(mean, [0.097297, 0.214642])
    agrees(log_sd, [-1.936641, -1.734428])
    at = {"m": (mean + 0.2).tolist(), "l": (log_sd + 0.3).tolist()}
    bound = plane_bound(EIGHT)
    elbo, slopes = float(np.real(bound(np.array(at["m"]), np.array(at["l"])).sum())), gradient(bound, at)
    for plate in ("iarange", "irange"):
        for batch in (3, 8):
            row(f"T21 elbo_mapdata, {plate}, batch {batch}", plane_program(plate, subsample=f" subsample {batch}"),
                "the mean over all subsets of the rows is the full gradient", objective="sampled_elbo", grid=normal_nodes(),
                rows={"every": batch}, population=8, sizes={"N": 8}, data={"x": EIGHT.ravel()}, parameters=at, elbo=elbo,
                gradient=slopes)


def three_levels():
    """T26: mu' ~ N(mu0, 1/lam0), mu ~ N(mu', 1/lam0), x_i ~ N(mu, 1/lam); q(mu') = N(kappa mu + m', s'). The targets that Pyro
    states for q(mu) are those of one level (prior precision .1); with two levels it is .05, so q(mu) differs from its
    posterior by a little. Here the exact posterior is used."""
    lam0 = 0.05
    precision = lam0 + len(FOUR) * LAM
    mean = (LAM * FOUR.sum(0) + lam0 * MU0) / precision
    kappa, m_prime, l_prime = [0.5], 0.5 * MU0, -0.5 * np.log(2 * LAM0)
    agrees(l_prime, [0.804719] * 2)
    evidence = 0
    for d in range(2):
        covariance = np.eye(4) / LAM[d] + np.ones((4, 4)) * 20
        gap = FOUR[:, d] - MU0[d]
        evidence += -0.5 * (4 * LOG_2PI + np.linalg.slogdet(covariance)[1] + gap @ np.linalg.solve(covariance, gap))
    at = {"m": mean, "l": -0.5 * np.log(precision), "k": kappa, "mp": m_prime, "lp": l_prime}
    zero = {name: [0] * len(np.atleast_1d(value)) for name, value in at.items()}
    common = {"sizes": {"N": 4}, "data": {"x": FOUR.ravel()}, "parameters": {k: list(v) for k, v in at.items()}}
    def program(outer, inner):
        return ("data x : real[N, 2];\nmodel { top ~ normal([0, 0.5], sqrt([10, 10])); mu ~ normal(top, sqrt([10, 10])); "
                "iarange i in N { x[i] ~ normal(mu, sqrt([1 / 6, 1 / 4])); } }\n"
                "guide { param m : real[2] = 0; param l : real[2] = 0; param k : real = 0; param mp : real[2] = 0; "
                f"param lp : real[2] = 0; mu ~ normal(m, exp(l)){inner}; top ~ normal(k * mu + mp, exp(lp)){outer}; }}")
    row("T26 NormalNormalNormal, posterior", program("", ""), "every draw gives log p(x), and no gradient", objective="stl",
        draws=20, elbo=evidence, gradient=zero, tolerance=1e-8, **common)
    for outer, inner in (("", ""), (" using score", ""), ("", " using score"), (" using score", " using score"),
                         (" using score(baseline = 1 + sum(mu))", " using score(baseline = -7)")):
        row(f"T26 NormalNormalNormal, posterior{outer}{inner}", program(outer, inner),
            "pathwise, score function, mixed, and with baselines of what was drawn before: the gradient has mean 0",
            objective="sampled_elbo", grid=normal_nodes(), elbo=evidence, gradient=zero, tolerance=1e-8, **common)


# ---- T27, T28: a chain of normals whose posterior runs backwards ----

def chain(case, count, reported):
    lam = [round(1.5 * (k + 1) / count, 12) for k in range(count + 1)]
    data, mean0 = np.array([-0.1, 0.03, 0.2, 0.1]), 0.2
    kappa, mu, log_sd = [], [], []
    marginal = lam[0] # precision of the site before anything is seen
    for k in range(1, count):
        total = marginal + lam[k]
        kappa.append(lam[k] / total)
        mu.append(marginal * mean0 / total)
        log_sd.append(-0.5 * math.log(total))
        marginal = 1 / (1 / marginal + 1 / lam[k])
    total = marginal + 4 * lam[count]
    mu.append((marginal * mean0 + lam[count] * data.sum()) / total)
    log_sd.append(-0.5 * math.log(total))
    agrees(kappa, reported["kappa"])
    agrees(mu, reported["mu"])
    agrees(log_sd, reported["log_sd"])
    covariance = np.eye(4) / lam[count] + np.ones((4, 4)) / marginal
    gap = data - mean0
    evidence = float(-0.5 * (4 * LOG_2PI + np.linalg.slogdet(covariance)[1] + gap @ np.linalg.solve(covariance, gap)))
    names = [f"z{k}" for k in range(count)]
    def unrolled(strategies):
        model = f"  z0 ~ normal({mean0}, {lam[0]} ^ -0.5);\n" + "".join(
            f"  z{k} ~ normal(z{k - 1}, {lam[k]} ^ -0.5);\n" for k in range(1, count))
        model += f"  iarange i in N {{ x[i] ~ normal(z{count - 1}, {lam[count]} ^ -0.5); }}"
        guide = f"  z{count - 1} ~ normal(mu[{count - 1}], exp(l[{count - 1}])){strategies[count - 1]};\n" + "\n".join(
            f"  z{k} ~ normal(kappa[{k}] * z{k + 1} + mu[{k}], exp(l[{k}])){strategies[k]};" for k in reversed(range(count - 1)))
        return (f"data x : real[N];\nmodel {{\n{model}\n}}\nguide {{\n  param kappa : real[{count - 1}] = 0; "
                f"param mu : real[{count}] = 0; param l : real[{count}] = 0;\n{guide}\n}}")
    looped = (f"data x : real[N];\nconst K = {count};\nmodel {{\n  lam = {lam[:-1]};\n  before = {mean0};\n"
              f"  for t in 0..K {{ z[t] ~ normal(before, lam[t] ^ -0.5); before = z[t]; }}\n"
              f"  iarange i in N {{ x[i] ~ normal(before, {lam[count]} ^ -0.5); }}\n}}\n"
              "guide {\n  param kappa : real[K] = 0; param mu : real[K] = 0; param l : real[K] = 0;\n  after = 0;\n"
              "  for t in reverse 0..K { z[t] ~ normal(kappa[t] * after + mu[t], exp(l[t])); after = z[t]; }\n}")
    at = {"kappa": kappa, "mu": mu, "l": log_sd}
    zero = {name: [0] * len(value) for name, value in at.items()}
    common = {"sizes": {"N": 4}, "data": {"x": data}, "elbo": evidence, "tolerance": 1e-8}
    row(f"{case}, posterior", unrolled([""] * count), "every draw gives log p(x), and no gradient", objective="stl", draws=20,
        parameters=at, gradient=zero, **common)
    row(f"{case}, posterior, in a loop", looped, "the same chain in a for, the guide's in reverse", objective="stl", draws=20,
        parameters=at | {"kappa": kappa + [0.0]}, gradient=zero | {"kappa": [0] * count}, **common)
    mixes = [[""] * count, [" using score" if k % 2 else "" for k in range(count)], [" using score"] * count]
    for number, mix in enumerate(mixes):
        row(f"{case}, {('pathwise', 'mixed', 'score')[number]}", unrolled(mix),
            "Pyro asks for a mean gradient below .1 over 100000 particles; it is 0", objective="sampled_elbo",
            grid=normal_nodes(), parameters=at, gradient=zero, **common)


# ---- T29, T30, T33: plates in plates ----

def nested():
    """T29: one latent in two dimensions, 3 x 3 observations of it; all four ways to nest two plates, by score function."""
    x = np.array([[[-.31, .42], [.05, .11], [.24, .93]], [[-.12, .07], [-.55, .61], [.17, .38]],
                  [[.02, -.24], [-.08, .55], [.33, .29]]])
    flat = x.reshape(9, 2)
    mean, log_sd = posterior(flat)
    at = {"m": (mean + 0.2).tolist(), "l": (log_sd - 0.2).tolist()}
    bound = plane_bound(flat)
    elbo, slopes = float(np.real(bound(np.array(at["m"]), np.array(at["l"])).sum())), gradient(bound, at)
    def estimate(e):
        sd = np.exp(np.array(at["l"]))
        z = np.array(at["m"]) + sd * e
        cost = np.sum(normal(z, MU0, LAM0**-0.5) + normal(flat, z, LAM**-0.5).sum(0) - normal(z, np.array(at["m"]), sd))
        return np.concatenate([e / sd * cost, (e**2 - 1) * cost])
    expected, variance = mean_and_variance(estimate, 2)
    assert np.allclose(expected, slopes["m"] + slopes["l"])
    for outer, inner in itertools.product(("iarange", "irange"), repeat=2):
        text = (f"data x : real[3, 3, 2];\nmodel {{ mu ~ normal([0, 0.5], sqrt([10, 10])); {outer} i in 3 {{ "
                f"{inner} j in 3 as inner {{ x[i, j] ~ normal(mu, sqrt([1 / 6, 1 / 4])); }} }} }}\n"
                "guide { param m : real[2] = 0; param l : real[2] = 0; mu ~ normal(m, exp(l)) using score; }")
        row(f"T29 nested_iplate_in_elbo, {outer} of {inner}", text, "Pyro counts nodes and edges of its graph and trains for"
            " 4000 steps; here the mean and the variance of the gradient are exact", objective="sampled_elbo",
            grid=normal_nodes(5), data={"x": x.ravel()}, parameters=at, elbo=elbo, gradient=slopes,
            variance={"m": variance[:2], "l": variance[2:]})


def superfluous():
    """T30: latents in ragged plates that no observation reads. Their costs are their own terms alone."""
    lengths, x = [4, 3, 2], [[0.3, -0.2, 0.9, 0.1], [1.1, 0.4, -0.6], [0.2, 0.5]]
    for outer, inner in itertools.product(("iarange", "irange"), repeat=2):
        text = (f"data x : ragged real[N, T];\nmodel {{ mu ~ normal(0, 1); {outer} i in N {{ {inner} j in T[i] {{ "
                "z ~ normal(0, 1); x[i, j] ~ normal(mu, 2); } } }\n"
                "guide { param m : real = 0; param zm : real[N] = 0; param zs : real = 1; mu ~ normal(m, 0.5) using score; "
                f"{outer} i in N {{ {inner} j in T[i] {{ z ~ normal(zm[i], zs) using score; }} }} }}")
        noise, mu_noise = np.array([.3, -1.2, .5, 2.0, -.7, .1, .9, 0.0, -.4, 1.6, 0.0, 0.0]).reshape(3, 4), 0.8
        zm, zs, m = np.array([0.4, -0.3, 0.1]), 1.2, 0.2
        value, slope_zm, slope_zs = 0.0, np.zeros(3), 0.0
        mu = m + 0.5 * mu_noise
        cost_mu = normal(mu, 0, 1) - normal(mu, m, 0.5) + sum(normal(v, mu, 2) for values in x for v in values)
        for i, count in enumerate(lengths):
            z = zm[i] + zs * noise[i, :count]
            cost = normal(z, 0, 1) - normal(z, zm[i], zs)
            value += cost.sum()
            slope_zm[i] = np.sum((z - zm[i]) / zs**2 * cost)
            slope_zs += np.sum(((z - zm[i]) ** 2 / zs**3 - 1 / zs) * cost)
        common = {"sizes": {"N": 3, "max(T)": 4}, "ragged": {"x": x}, "objective": "sampled_elbo"}
        row(f"T30 superfluous latents, {outer} of {inner}", text, "one draw's gradient: the score function of a latent that the"
            " data do not see has no cost but log p - log q of itself", noise={"mu": [mu_noise], "z": noise.ravel()},
            parameters={"m": m, "zm": zm, "zs": zs}, elbo=value + cost_mu,
            gradient={"m": mu_noise / 0.5 * cost_mu, "zm": slope_zm, "zs": slope_zs}, **common)
        row(f"T30 superfluous latents at their prior, {outer} of {inner}", text, "Pyro trains their means to 0 within .04; at 0 no"
            " draw has a gradient", draws=20, parameters={"m": 0.7, "zm": [0, 0, 0], "zs": 1},
            gradient={"zm": [0, 0, 0], "zs": 0}, **common)


def renyi_nested():
    """T33: bounds on the log of a mean with plates in plates, at given noise."""
    x = np.array([[0.4, 1.0, -0.3], [1.5, 0.2, 0.8]])
    noise_a = np.array([[0.2, -0.9], [1.1, 0.4], [-0.3, 0.6]])        # particle, row
    noise_b = np.array([0.5, -0.2, 1.3, 0.9, -1.0, 0.1, 0.7, -0.6, 0.3, 1.2, -0.4, 0.8, -0.1, 0.25, -1.4, 0.6, 0.05, -0.8])
    shape = (3, 2, 3)
    for outer, inner in itertools.product(("iarange", "irange"), repeat=2):
        for alpha in (0.5, 2.0):
            def bound(m, s, k, together, noise_b=noise_b.reshape(shape)):
                a = m + s * noise_a
                b = k * a[:, :, None] + 0.6 * noise_b
                inside = (normal(b, a[:, :, None], 1) + normal(x[None], b, 0.7) - normal(noise_b, 0, 1) + math.log(0.6)).sum(2)
                rows = normal(a, 0, 1) - normal(noise_a, 0, 1) + np.log(s) + inside
                if together:
                    rows = rows.sum(1, keepdims=True)
                return np.sum(log_mean_exp((1 - alpha) * rows) / (1 - alpha))
            at = {"m": [0.3], "s": [0.8], "k": [0.6]}
            text = (f"data x : real[2, 3];\nmodel {{ {outer} i in 2 {{ a ~ normal(0, 1); {inner} j in 3 {{ b ~ normal(a, 1); "
                    "x[i, j] ~ normal(b, 0.7); } } }\n"
                    "guide { param m : real = 0; param s : real = 1; param k : real = 0; "
                    f"{outer} i in 2 {{ a ~ normal(m, s); {inner} j in 3 {{ b ~ normal(k * a, 0.6); }} }} }}")
            f = lambda m, s, k: bound(m, s, k, False)
            row(f"T33 renyi {alpha}, nested plates, {outer} of {inner}", text, "Pyro compares its loss with that of"
                " loss_and_grads; here value and gradient at given noise are those of the formula, the rows of the outer plate"
                " being bounded one by one", objective="renyi", objective_options={"alpha": alpha}, particles=3,
                noise={"a": noise_a.T.ravel(), "b": np.transpose(noise_b.reshape(shape), NOISE_ORDER).ravel()},
                data={"x": x.ravel()}, parameters=at, elbo=float(np.real(f(0.3, 0.8, 0.6))), gradient=gradient(f, at))


NOISE_ORDER = (1, 2, 0)


def add():
    nested()
    superfluous()
    renyi_nested()
    pairs()
    planes()
    three_levels()
    chain("T27 GaussianChain 3", 3, {"kappa": [.666667, .818182], "mu": [.066667, .036364, .062198],
                                     "log_sd": [-.202733, -.303068, -1.056482]})
    chain("T28 GaussianChain 5", 5, {"kappa": [.666667, .818182, .88, .912409],
                                     "mu": [.066667, .036364, .024, .017518, .060054],
                                     "log_sd": [.05268, -.047655, -.155077, -.248566, -.996082]})
