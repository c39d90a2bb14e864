"""Times the training step of the models under examples/ in NumPyro and Pyro.

One process measures one model in one library, so that neither threads nor caches of one disturb another:

    python peers.py --library numpyro --model radon [--threads 1] [--data FOLDER]

prints one line of JSON: {"library", "model", "us", "first_ms", "threads", "version"}. `us` is the median over several runs of
microseconds per step, of processor time with one thread and of wall time with several, as in benchmark_steps; `first_ms` is the time from building the model to the end of the first run, compilation included.
NumPyro runs all steps in one jitted lax.scan (svi.run without a progress bar); Pyro runs svi.step in a loop. Precision is
that of Plait: 64 bits but for the models with nets.

Needs numpyro with jax, or pyro-ppl with torch. Neither is needed by anything else in the project.
"""

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

import peers_sequences

MODELS = ["coin", "eight_schools", "logistic", "logistic64", "radon", "vae", "dmm"]
NETS = ("vae", "dmm")  # in 32 bits
ROOT = Path(__file__).resolve().parents[2]
SCHOOL_Y = [28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0]
SCHOOL_SIGMA = [15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0]
FLIPS = [1, 1, 1, 1, 1, 1, 0, 0, 0, 0]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", choices=["numpyro", "pyro"], required=True)
    parser.add_argument("--model", choices=MODELS, required=True)
    parser.add_argument("--threads", type=int, default=0, help="0: all processors")
    parser.add_argument("--data", default=str(ROOT / ".." / "shared" / "data"))
    parser.add_argument("--repeats", type=int, default=5)
    return parser.parse_args()


def limit_threads(threads):
    """Before numerical libraries are imported: they read these once."""
    os.environ.pop("OPENBLAS_CORETYPE", None)
    if threads == 1:
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ[name] = "1"
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def load_data(model, folder):
    """NumPy arrays by name."""
    import numpy

    random = numpy.random.default_rng(0)
    if model == "coin":
        return {"flips": numpy.array(FLIPS)}
    if model == "eight_schools":
        return {"y": numpy.array(SCHOOL_Y), "sigma": numpy.array(SCHOOL_SIGMA)}
    if model == "logistic":
        x = numpy.load(ROOT / "examples" / "logistic" / "flights_x.npy") / 32.0
        return {"x": x, "late": numpy.load(ROOT / "examples" / "logistic" / "flights_late.npy")}
    if model == "logistic64":
        x = random.standard_normal((200000, 64))
        logit = x @ random.standard_normal(64) / 8 - 1
        return {"x": x, "late": random.random(200000) < 1 / (1 + numpy.exp(-logit))}
    if model == "radon":
        path = Path(folder) / "hier" / "pdb_radon_all.json"
        if path.exists():
            table = json.loads(path.read_text())
            return {
                "county": numpy.array(table["county_idx"]) - 1,
                "floor": (numpy.array(table["floor_measure"]) > 0) * 1.0,
                "y": numpy.array(table["log_radon"], dtype=float),
                "J": int(max(table["county_idx"])),
            }
        return {
            "county": random.integers(0, 386, 12573),
            "floor": random.integers(0, 2, 12573) * 1.0,
            "y": random.standard_normal(12573) + 1,
            "J": 386,
        }
    if model == "dmm":
        return peers_sequences.load_data(folder)
    path = Path(folder) / "mnist" / "mnist_train_images_u8.npy"
    if path.exists():
        return {"image": (numpy.load(path).reshape(-1, 784) > 127).astype("float32")}
    return {"image": (random.random((20000, 784)) < 0.2).astype("float32")}


def clock_of(threads):
    return time.process_time if threads == 1 else time.perf_counter


def learning_rate(model):
    return 1e-3 if model in NETS else 1e-2


# ------------------------------------------------------------------------------------------------ NumPyro


def numpyro_program(model, data):
    """Model and guide of one example, as its model file states them."""
    import jax
    import jax.numpy as jnp
    import numpyro
    import numpyro.distributions as dist
    from jax.nn import softplus
    from numpyro.distributions import constraints
    from numpyro.infer.autoguide import AutoMultivariateNormal, AutoNormal

    if model == "coin":
        flips = jnp.array(data["flips"])

        def coin():
            fairness = numpyro.sample("fairness", dist.Beta(10.0, 10.0))
            with numpyro.plate("N", flips.shape[0]):
                numpyro.sample("flips", dist.Bernoulli(fairness), obs=flips)

        def guide():
            a = numpyro.param("a", jnp.array(15.0), constraint=constraints.positive)
            b = numpyro.param("b", jnp.array(15.0), constraint=constraints.positive)
            numpyro.sample("fairness", dist.Beta(a, b))

        return coin, guide
    if model == "eight_schools":
        y, sigma = jnp.array(data["y"]), jnp.array(data["sigma"])

        def schools():
            mu = numpyro.sample("mu", dist.Normal(0.0, 5.0))
            tau = numpyro.sample("tau", dist.HalfCauchy(5.0))
            with numpyro.plate("J", y.shape[0]):
                standardized = numpyro.sample("standardized", dist.Normal(0.0, 1.0))
                numpyro.sample("y", dist.Normal(mu + tau * standardized, sigma), obs=y)

        return schools, AutoNormal(schools)
    if model in ("logistic", "logistic64"):
        x, late = jnp.array(data["x"]), jnp.array(data["late"], dtype=jnp.float64)

        def logistic():
            intercept = numpyro.sample("intercept", dist.Normal(0.0, 5.0))
            beta = numpyro.sample("beta", dist.Normal(0.0, 2.0).expand([x.shape[1]]).to_event(1))
            with numpyro.plate("N", x.shape[0], subsample_size=1024) as rows:
                numpyro.sample("late", dist.Bernoulli(logits=intercept + x[rows] @ beta), obs=late[rows])

        return logistic, AutoMultivariateNormal(logistic)
    if model == "radon":
        county, floor, y = jnp.array(data["county"]), jnp.array(data["floor"]), jnp.array(data["y"])

        def radon():
            mu = numpyro.sample("mu", dist.Normal(0.0, 10.0))
            tau = numpyro.sample("tau", dist.HalfNormal(1.0))
            sigma = numpyro.sample("sigma", dist.HalfNormal(1.0))
            b = numpyro.sample("b", dist.Normal(0.0, 1.0))
            with numpyro.plate("J", data["J"]):
                a = numpyro.sample("a", dist.Normal(mu, tau))
            with numpyro.plate("N", y.shape[0], subsample_size=512) as rows:
                numpyro.sample("y", dist.Normal(a[county[rows]] + b * floor[rows], sigma), obs=y[rows])

        return radon, AutoNormal(radon)

    if model == "dmm":
        return peers_sequences.numpyro_program(data)

    image = jnp.array(data["image"])
    sizes = {"W1": (784, 400), "W2": (400, 50), "W3": (400, 50), "W4": (50, 400), "W5": (400, 784)}

    def layer(name, value):
        rows, columns = sizes[name]
        bound = rows**-0.5
        draw = lambda shape: lambda key: jax.random.uniform(key, shape, minval=-bound, maxval=bound)
        weight = numpyro.param(name, draw((rows, columns)))
        return value @ weight + numpyro.param("b" + name, draw((columns,)))

    def vae():
        with numpyro.plate("N", image.shape[0], subsample_size=256) as rows:
            z = numpyro.sample("z", dist.Normal(0.0, 1.0).expand([50]).to_event(1))
            logits = layer("W5", softplus(layer("W4", z)))
            numpyro.sample("image", dist.Bernoulli(logits=logits).to_event(1), obs=image[rows])

    def guide():
        with numpyro.plate("N", image.shape[0], subsample_size=256) as rows:
            h = softplus(layer("W1", image[rows]))
            numpyro.sample("z", dist.Normal(layer("W2", h), jnp.exp(layer("W3", h))).to_event(1))

    return vae, guide


def measure_numpyro(model, data, repeats, threads):
    import jax

    clock = clock_of(threads)
    jax.config.update("jax_enable_x64", model not in NETS)
    jax.config.update("jax_platforms", "cpu")
    import numpyro
    from numpyro.infer import SVI, Trace_ELBO, TraceMeanField_ELBO

    begin = time.perf_counter()
    program, guide = numpyro_program(model, data)
    # Closed-form divergences where Plait uses them; joint guides have none.
    loss = Trace_ELBO() if model.startswith("logistic") else TraceMeanField_ELBO()
    svi = SVI(program, guide, numpyro.optim.Adam(learning_rate(model)), loss)
    steps = {"vae": 100, "dmm": 5}.get(model, 2000)
    result = svi.run(jax.random.PRNGKey(0), steps, progress_bar=False)
    jax.block_until_ready(result.losses)
    first = time.perf_counter() - begin
    # svi.run compiles anew at every call: one function of the same scan, compiled once.
    scan = jax.jit(lambda state: jax.lax.scan(lambda s, _: svi.update(s), state, None, length=steps))
    state = result.state
    jax.block_until_ready(scan(state))
    times = []
    for _ in range(repeats):
        begin = clock()
        state, losses = jax.block_until_ready(scan(state))
        times.append((clock() - begin) / steps)
    assert bool(jax.numpy.isfinite(losses).all()), "the loss is not finite"
    return times, first, numpyro.__version__


# --------------------------------------------------------------------------------------------------- Pyro


def pyro_program(model, data):
    import pyro
    import pyro.distributions as dist
    import torch
    from pyro.infer.autoguide import AutoMultivariateNormal, AutoNormal
    from torch.distributions import constraints

    if model == "coin":
        flips = torch.tensor(data["flips"], dtype=torch.float64)

        def coin():
            fairness = pyro.sample("fairness", dist.Beta(torch.tensor(10.0), torch.tensor(10.0)))
            with pyro.plate("N", flips.shape[0]):
                pyro.sample("flips", dist.Bernoulli(fairness), obs=flips)

        def guide():
            a = pyro.param("a", torch.tensor(15.0), constraint=constraints.positive)
            b = pyro.param("b", torch.tensor(15.0), constraint=constraints.positive)
            pyro.sample("fairness", dist.Beta(a, b))

        return coin, guide
    if model == "eight_schools":
        y, sigma = torch.tensor(data["y"]), torch.tensor(data["sigma"])

        def schools():
            mu = pyro.sample("mu", dist.Normal(0.0, 5.0))
            tau = pyro.sample("tau", dist.HalfCauchy(torch.tensor(5.0)))
            with pyro.plate("J", y.shape[0]):
                standardized = pyro.sample("standardized", dist.Normal(0.0, 1.0))
                pyro.sample("y", dist.Normal(mu + tau * standardized, sigma), obs=y)

        return schools, AutoNormal(schools)
    if model in ("logistic", "logistic64"):
        x, late = torch.tensor(data["x"]), torch.tensor(data["late"], dtype=torch.float64)

        def logistic():
            intercept = pyro.sample("intercept", dist.Normal(0.0, 5.0))
            beta = pyro.sample("beta", dist.Normal(0.0, 2.0).expand([x.shape[1]]).to_event(1))
            with pyro.plate("N", x.shape[0], subsample_size=1024) as rows:
                pyro.sample("late", dist.Bernoulli(logits=intercept + x[rows] @ beta), obs=late[rows])

        return logistic, AutoMultivariateNormal(logistic)
    if model == "radon":
        county, floor, y = torch.tensor(data["county"]), torch.tensor(data["floor"]), torch.tensor(data["y"])

        def radon():
            mu = pyro.sample("mu", dist.Normal(0.0, 10.0))
            tau = pyro.sample("tau", dist.HalfNormal(torch.tensor(1.0)))
            sigma = pyro.sample("sigma", dist.HalfNormal(torch.tensor(1.0)))
            b = pyro.sample("b", dist.Normal(0.0, 1.0))
            with pyro.plate("J", data["J"]):
                a = pyro.sample("a", dist.Normal(mu, tau))
            with pyro.plate("N", y.shape[0], subsample_size=512) as rows:
                pyro.sample("y", dist.Normal(a[county[rows]] + b * floor[rows], sigma), obs=y[rows])

        return radon, AutoNormal(radon)

    if model == "dmm":
        return peers_sequences.pyro_program(data)

    image = torch.tensor(data["image"])
    nn = torch.nn
    decoder = nn.Sequential(nn.Linear(50, 400), nn.Softplus(), nn.Linear(400, 784))
    encoder = nn.Sequential(nn.Linear(784, 400), nn.Softplus())
    heads = nn.ModuleList([nn.Linear(400, 50), nn.Linear(400, 50)])

    def vae():
        pyro.module("decoder", decoder)
        with pyro.plate("N", image.shape[0], subsample_size=256) as rows:
            z = pyro.sample("z", dist.Normal(torch.zeros(50), torch.ones(50)).to_event(1))
            pyro.sample("image", dist.Bernoulli(logits=decoder(z)).to_event(1), obs=image[rows])

    def guide():
        pyro.module("encoder", encoder)
        pyro.module("heads", heads)
        with pyro.plate("N", image.shape[0], subsample_size=256) as rows:
            h = encoder(image[rows])
            pyro.sample("z", dist.Normal(heads[0](h), heads[1](h).exp()).to_event(1))

    return vae, guide


def measure_pyro(model, data, repeats, threads):
    import pyro
    import torch
    from pyro.infer import SVI, Trace_ELBO, TraceMeanField_ELBO

    clock = clock_of(threads)
    if threads:
        torch.set_num_threads(threads)
    torch.set_default_dtype(torch.float32 if model in NETS else torch.float64)
    pyro.set_rng_seed(0)
    pyro.enable_validation(False)
    begin = time.perf_counter()
    program, guide = pyro_program(model, data)
    loss = Trace_ELBO() if model.startswith("logistic") else TraceMeanField_ELBO()
    svi = SVI(program, guide, pyro.optim.Adam({"lr": learning_rate(model)}), loss)
    steps = {"vae": 20, "dmm": 5}.get(model, 100)
    for _ in range(steps):
        svi.step()
    first = time.perf_counter() - begin
    times = []
    for _ in range(repeats):
        begin = clock()
        for _ in range(steps):
            last = svi.step()
        times.append((clock() - begin) / steps)
    assert last == last, "the loss is not finite"
    return times, first, pyro.__version__


def main():
    arguments = parse_arguments()
    limit_threads(arguments.threads)
    data = load_data(arguments.model, arguments.data)
    if data is None:
        print(f"{arguments.model}: its data are not there", file=sys.stderr)
        return 1
    if arguments.library == "numpyro":
        times, first, version = measure_numpyro(arguments.model, data, arguments.repeats, arguments.threads)
    else:
        times, first, version = measure_pyro(arguments.model, data, arguments.repeats, arguments.threads)
    result = {
        "library": arguments.library,
        "model": arguments.model,
        "us": round(1e6 * statistics.median(times), 3),
        "first_ms": round(1e3 * first, 1),
        "threads": arguments.threads or os.cpu_count(),
        "version": version,
    }
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
