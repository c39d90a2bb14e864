"""V: golden values of estimators, from the literature's closed forms and from quadrature."""
import itertools

import mpmath
import numpy as np
from scipy import special

from reference_tools import *

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
        # Variances of the two gradients in m: with weights v_k, sum v_k^2 of d log w_k / dz for doubly reparameterized draws
        # (log q's own parameters held), sum v_k of the whole derivative for plain ones.
        def slopes_of(e, doubly):
            z = M + S * e
            logs = weights(e, M, S)
            v = np.exp(logs - log_mean_exp(logs)) / count
            pull = -z + (x - z)
            return np.sum(v**2 * (pull + (z - M) / S**2), axis=0) if doubly else np.sum(v * pull, axis=0)
        spread = {}
        for doubly in (True, False):
            mean = expect_many(lambda e: slopes_of(e, doubly), count, nodes)
            agrees(mean, slopes["m"], 6)
            spread[doubly] = expect_many(lambda e: slopes_of(e, doubly) ** 2, count, nodes) - mean**2
        if count == 4:
            agrees(slopes["m"][0] / math.sqrt(spread[True]), 7.85, 1)
            agrees(slopes["m"][0] / math.sqrt(spread[False]), 0.221, 2)
        fields = {"particles": count, "grid": normal_nodes(40 if count == 2 else 7), "elbo": value, "gradient": slopes,
                  "tolerance": 1e-8 if count == 2 else 1e-6}
        row(f"V1b iwae, {count} particles", fixture_program(), "bound and doubly reparameterized gradient by quadrature",
            objective="iwae", variance={"m": spread[True]}, **common, **fields)
        row(f"V1b renyi 0, {count} particles", fixture_program(), "order 0 is the same bound, with its plain gradient",
            objective="renyi", objective_options={"alpha": 0}, variance={"m": spread[False]}, **common, **fields)


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


def discrete():
    """Local Bernoulli latents with one guide logit; the prior has the guide's probability, so that the cost of z is f(z)."""
    logit = 0.3
    p = float(sigmoid(logit))
    def moments(count, per_row):
        mean = square = 0
        for z in itertools.product((0, 1), repeat=count):
            weight = np.prod([p if b else 1 - p for b in z])
            scores = np.array(z) - p
            costs = np.array([(1 + 0.1 * i) * b - 0.7 for i, b in enumerate(z)])
            g = np.sum(scores * costs) if per_row else scores.sum() * costs.sum()
            mean, square = mean + weight * g, square + weight * g * g
        return mean, square - mean**2
    for count, naive, blackwell in ((4, 2.009, 0.0456), (8, 12.669, 0.0494)):
        (mean, variance), (same, larger) = moments(count, True), moments(count, False)
        assert abs(mean - same) < 1e-12
        agrees(variance, blackwell, 4)
        agrees(larger, naive, 3)
        row(f"V A3 Rao-Blackwellization, {count} rows", "data w : real[N];\nmodel { iarange i in N { z ~ bernoulli_logit(0.3); "
            "factor(w[i] * z - 0.7); } }\nguide { param l : real = 0; iarange i in N { z ~ bernoulli_logit(l) using score; } }",
            f"costs by row: variance {variance:.4f}; with the sum of all costs it would be {larger:.3f}",
            objective="sampled_elbo", grid=uniform_nodes(p), sizes={"N": count},
            data={"w": [1 + 0.1 * i for i in range(count)]}, parameters={"l": logit}, gradient={"l": mean},
            variance={"l": variance}, elbo=sum((1 + 0.1 * i) * p - 0.7 for i in range(count)))
    # One Bernoulli with cost (b - .49)^2 and logit .4.
    p = float(sigmoid(0.4))
    cost = lambda b: (b - 0.49) ** 2
    slope = p * (1 - p) * (cost(1) - cost(0))
    agrees(slope, 0.0048052, 7)
    one = sum((p if b else 1 - p) * (cost(b) * (b - p)) ** 2 for b in (0, 1)) - slope**2
    two = sum((p if b else 1 - p) * (p if c else 1 - p) * (0.5 * (cost(b) - cost(c)) * (b - c)) ** 2
              for b in (0, 1) for c in (0, 1)) - slope**2
    agrees(one, 1.48e-2, 4)
    agrees(two, 2.50e-5, 6)
    text = ("model { z ~ bernoulli_logit(0.4); factor(square(z - 0.49)); }\n"
            "guide { param l : real = 0; z ~ bernoulli_logit(l) using score; }")
    for particles, variance in ((1, one), (2, two)):
        row(f"V B13 Bernoulli toy, {particles} particles", text, "without a baseline 1.48e-2, leave-one-out 2.5e-5",
            objective="sampled_elbo", particles=particles, grid=uniform_nodes(p), parameters={"l": 0.4}, gradient={"l": slope},
            variance={"l": variance}, tolerance=1e-12)


def jump():
    """A1: E 1[z > 0] has the slope pdf(m / s) / s in m, which no derivative along a draw can see."""
    z = M / S
    pdf = math.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    value = 3 * 0.5 * math.erfc(-z / math.sqrt(2)) - (0.5 * (M**2 + S**2 - 1) - math.log(S))
    row("V A1 a jump, by score function", "model { z ~ normal(0, 1); factor(z > 0 ? 3 : 0); }\n"
        "guide { param m : real = 0; param s : real = 1; z ~ normal(m, s) using score; }", "the slope of the probability of z > 0",
        particles=16, parameters={"m": M, "s": S}, mean=20000, elbo=value,
        gradient={"m": 3 * pdf / S - M, "s": -3 * pdf * M / S**2 - S + 1 / S}, tolerance=0.06)


def gammas():
    """A7: dz/da of a gamma draw is -(dF/da) / (dF/dz). With prior gamma(a + 1, 1), guide gamma(a, 1) and the parameters of log q
    held, the derivative of a draw's estimate is (1/z) dz/da."""
    for a, z, reported in ((0.5, 0.2, 0.79405057), (1, 1, 1.17356303), (2.5, 1.7, 0.87504438), (10, 8, 0.90754772)):
        with mpmath.workdps(30):
            lower = lambda alpha: mpmath.gammainc(alpha, 0, z, regularized=True)
            density = mpmath.exp((a - 1) * mpmath.log(z) - z - mpmath.loggamma(a))
            slope = float(-mpmath.diff(lower, a) / density)
        agrees(slope, reported, 8)
        row(f"V A7 implicit derivative, gamma({a}) at {z}", f"model {{ z ~ gamma({a + 1}, 1); }}\n"
            "guide { param a : real = 1; z ~ gamma(a, 1); }", "from the incomplete gamma function by mpmath",
            objective="stl", noise={"z": [math.log(z)]}, parameters={"a": a}, gradient={"a": slope / z}, tolerance=1e-7)
    # A8: prior Gamma(2, 1), counts 3, 1, 4, guide Gamma(5, 2).
    data, a, b = [3, 1, 4], 5.0, 2.0
    log_z = special.digamma(a) - math.log(b)
    elbo = sum(v * log_z - a / b - special.gammaln(v + 1) for v in data) + log_z - a / b \
        + a - math.log(b) + special.gammaln(a) + (1 - a) * special.digamma(a)
    agrees(elbo, -6.1926429327, 10)
    slope = (sum(data) + 2 - a) * special.polygamma(1, a) - 4 / b + 1
    agrees(slope, 0.10661478, 8)
    evidence = special.gammaln(10) - 10 * math.log(4) - special.gammaln(2) - sum(special.gammaln(v + 1) for v in data)
    agrees(evidence, -6.0309294307, 10)
    text = ("data x : int[N];\nmodel { r ~ gamma(2, 1); iarange i in N { x[i] ~ poisson(r); } }\n"
            "guide { param a : real = 1; param b : real = 1; r ~ gamma(a, b); }")
    common = {"sizes": {"N": 3}, "data": {"x": data}}
    for objective in ("elbo", "sampled_elbo", "stl"):
        row(f"V A8 Gamma-Poisson, {objective}", text, "closed form with digamma and trigamma", objective=objective,
            grid={"r": log_gamma_nodes(a)}, parameters={"a": a, "b": b}, elbo=elbo, gradient={"a": slope, "b": 0},
            tolerance=1e-7, **common)
    row("V A8 Gamma-Poisson, posterior", text, "Gamma(10, 4): every draw gives log p(x)", objective="stl", draws=20,
        parameters={"a": 10, "b": 4}, elbo=evidence, gradient={"a": 0, "b": 0}, **common)


def subsampling():
    """Section 6 of the notes on subsampling: exact over all subsets."""
    # 6.3: four rows, two drawn without replacement: N^2 / B * S^2 * (1 - B / N).
    gaps = np.array(X) - M
    variance = 16 / 2 * gaps.var(ddof=1) * (1 - 2 / 4)
    agrees(variance, 3.70667, 5)
    row("V 6.3 variance of a minibatch", "data x : real[N];\nmodel { param m : real = 0; iarange i in N subsample 2 "
        "{ x[i] ~ normal(m, 1); } }", "without replacement; with replacement it would be 5.56", grid={}, rows={"every": 2},
        population=4, sizes={"N": 4}, data={"x": X}, parameters={"m": M}, gradient={"m": gaps.sum()},
        variance={"m": variance}, elbo=sum(normal(v, M, 1) for v in X))
    # 6.4: ten rows in batches of 4, 4, 2.
    text = ("data g : real[N];\nmodel { param m : real = 0; iarange i in N subsample 4 { factor(m * g[i]); } }")
    common = {"grid": {}, "population": 10, "sizes": {"N": 10}, "data": {"g": list(range(10))}, "parameters": {"m": 1}}
    row("V 6.4 last batch of an epoch", text, "the last batch of 2 divides by its own number: over all shuffles it is unbiased",
        rows={"every": 2}, gradient={"m": 45}, elbo=45, **common)
    parts = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    mean = np.mean([10 / len(part) * sum(part) for part in parts])
    agrees(mean, 51.67, 2)
    row("V 6.4 batches that are not shuffled", text, "a fixed partition 4, 4, 2 in order of the values is biased, 51.67 for 45: why"
        " epochs are shuffled", rows=parts, gradient={"m": mean}, elbo=mean, **common)
    # 6.1: outer plate of 5, 2 drawn; inner plates of 3, 5, 2, 4, 6 elements.
    rng = np.random.Generator(np.random.Philox(5))
    values = [np.round(rng.standard_normal(n), 2).tolist() for n in (3, 5, 2, 4, 6)]
    def bound(m, s, r):
        total = 0
        for group in values:
            total = total + normal(m, 0, 1) - s**2 / 2 + np.log(s) + 0.5 * LOG_2PI + 0.5
            total = total + sum(normal(v, m, r) - s**2 / (2 * r**2) for v in group)
        return total
    at = {"m": [0.3], "s": [0.7], "r": [1.4]}
    for inner in ("iarange", "irange"):
        row(f"V 6.1 ragged {inner} in a subsampled plate", "data x : ragged real[N, T];\nmodel { param r : real = 1; "
            f"iarange i in N subsample 2 {{ z ~ normal(0, 1); {inner} j in T[i] {{ x[i, j] ~ normal(z, r); }} }} }}\n"
            "guide { param m : real = 0; param s : real = 1; iarange i in N { z ~ normal(m, s); } }",
            "every subset of two groups; each group has its own number of elements", objective="sampled_elbo",
            grid=normal_nodes(), rows={"every": 2}, population=5, sizes={"N": 5, "max(T)": 6}, ragged={"x": values},
            parameters=at, elbo=float(np.real(bound(0.3, 0.7, 1.4))), gradient=gradient(bound, at))


def add():
    discrete()
    jump()
    gammas()
    subsampling()
    fixture()
    row("V B11 renyi 1", fixture_program(), "order 1 is the ELBO", objective="renyi", objective_options={"alpha": 1},
        particles=2, grid=normal_nodes(), elbo=-6.692429076768, gradient={"m": 1.7, "s": -2.0714285714285716}, **FIXTURE)
    importance_weighted()
    importance_weighted_many()
    importance_weighted_chain()
