"""The deep Markov model of examples/dmm in NumPyro and Pyro, for peers.py: rows padded to the longest one and masked, as
both libraries' own examples of it are written. Sizes are those of Pyro's tutorial; 20 sequences a step."""

from pathlib import Path

BATCH, LATENT, EMITTER, TRANSITION, RECURRENT, KEYS = 20, 100, 100, 200, 600, 88
LAYERS = {  # name: inputs, outputs
    "emit1": (LATENT, EMITTER), "emit2": (EMITTER, EMITTER), "emit3": (EMITTER, KEYS),
    "gate1": (LATENT, TRANSITION), "gate2": (TRANSITION, LATENT),
    "proposed1": (LATENT, TRANSITION), "proposed2": (TRANSITION, LATENT),
    "plain": (LATENT, LATENT), "spread": (LATENT, LATENT),
    "recur_state": (RECURRENT, RECURRENT), "recur_notes": (KEYS, RECURRENT),
    "combine": (LATENT, RECURRENT), "guide_loc": (RECURRENT, LATENT), "guide_scale": (RECURRENT, LATENT),
}


def load_data(folder):
    """Zero-padded notes [N, T, 88] and lengths [N]; None where the data are absent."""
    import numpy

    path = Path(folder) / "jsb"
    if not path.exists():
        return None
    notes = numpy.load(path / "jsb_train_pianoroll_u8.npy").astype("float32")
    lengths = numpy.load(path / "jsb_train_len_i32.npy")
    return {"notes": notes[:, : lengths.max()], "lengths": lengths}


def numpyro_program(data):
    import jax
    import jax.numpy as jnp
    import numpyro
    import numpyro.distributions as dist
    from jax.nn import relu, sigmoid, softplus
    from numpyro.contrib.control_flow import scan
    from numpyro.handlers import mask, scale as scaled

    notes, lengths = jnp.array(data["notes"]), jnp.array(data["lengths"])
    longest = notes.shape[1]

    def parameters(names):
        """Layers as functions; they are declared before the scans that use them."""
        layers = {}
        for name in names:
            inputs, outputs = LAYERS[name]
            draw = lambda shape, bound=inputs**-0.5: lambda key: jax.random.uniform(key, shape, minval=-bound, maxval=bound)
            weight, bias = numpyro.param("w_" + name, draw((inputs, outputs))), numpyro.param("b_" + name, draw((outputs,)))
            layers[name] = lambda x, weight=weight, bias=bias: x @ weight + bias
        return layers

    def by_time(rows):
        return jnp.swapaxes(notes[rows], 0, 1), (jnp.arange(longest)[:, None] < lengths[rows]).astype("float32")

    def model():
        net = parameters([name for name in LAYERS if not name.startswith(("recur", "combine", "guide"))])
        z0 = numpyro.param("z0", jnp.zeros(LATENT))
        with numpyro.plate("N", notes.shape[0], subsample_size=BATCH) as rows:
            pass  # a scan may hold plates, not the other way round

        def step(previous, now):
            x, exists = now
            with numpyro.plate("rows", BATCH), scaled(scale=notes.shape[0] / BATCH):
                gate = sigmoid(net["gate2"](relu(net["gate1"](previous))))
                proposed = net["proposed2"](relu(net["proposed1"](previous)))
                loc = (1 - gate) * net["plain"](previous) + gate * proposed
                scale = softplus(net["spread"](relu(proposed)))
                with mask(mask=exists > 0):
                    z = numpyro.sample("z", dist.Normal(loc, scale).to_event(1))
                    logits = net["emit3"](relu(net["emit2"](relu(net["emit1"](z)))))
                    numpyro.sample("notes", dist.Bernoulli(logits=logits).to_event(1), obs=x)
            return z, None

        scan(step, jnp.broadcast_to(z0, (BATCH, LATENT)), by_time(rows))

    def guide():
        net = parameters([name for name in LAYERS if name.startswith(("recur", "combine", "guide"))])
        q0, h0 = numpyro.param("q0", jnp.zeros(LATENT)), numpyro.param("h0", jnp.zeros(RECURRENT))
        with numpyro.plate("N", notes.shape[0], subsample_size=BATCH) as rows:
            pass
        x, exists = by_time(rows)

        def read(state, now):
            here, there = now
            new = jnp.tanh(net["recur_state"](state) + net["recur_notes"](here))
            state = jnp.where(there[:, None] > 0, new, state)
            return state, state

        _, states = jax.lax.scan(read, jnp.broadcast_to(h0, (BATCH, RECURRENT)), (x, exists), reverse=True)

        def step(previous, now):
            state, there = now
            c = 0.5 * (jnp.tanh(net["combine"](previous)) + state)
            with numpyro.plate("rows", BATCH), scaled(scale=notes.shape[0] / BATCH), mask(mask=there > 0):
                z = numpyro.sample("z", dist.Normal(net["guide_loc"](c), softplus(net["guide_scale"](c))).to_event(1))
            return z, None

        scan(step, jnp.broadcast_to(q0, (BATCH, LATENT)), (states, exists))

    return model, guide


def pyro_program(data):
    import pyro
    import pyro.distributions as dist
    import torch

    notes, lengths = torch.tensor(data["notes"]), torch.tensor(data["lengths"])
    net = torch.nn.ModuleDict({name: torch.nn.Linear(*sizes) for name, sizes in LAYERS.items()})
    relu, softplus = torch.relu, torch.nn.functional.softplus

    def some(prefixes, chosen):
        return torch.nn.ModuleDict({k: v for k, v in net.items() if k.startswith(prefixes) == chosen})

    guide_names = ("recur", "combine", "guide")
    model_net, guide_net = some(guide_names, False), some(guide_names, True)

    def model():
        pyro.module("model", model_net)
        z0 = pyro.param("z0", torch.zeros(LATENT))
        with pyro.plate("N", notes.shape[0], subsample_size=BATCH) as rows:
            x, length = notes[rows], lengths[rows]
            z = z0.expand(BATCH, LATENT)
            for t in range(int(length.max())):
                gate = torch.sigmoid(net["gate2"](relu(net["gate1"](z))))
                proposed = net["proposed2"](relu(net["proposed1"](z)))
                loc = (1 - gate) * net["plain"](z) + gate * proposed
                scale = softplus(net["spread"](relu(proposed)))
                with pyro.poutine.mask(mask=t < length):
                    z = pyro.sample(f"z_{t}", dist.Normal(loc, scale).to_event(1))
                    logits = net["emit3"](relu(net["emit2"](relu(net["emit1"](z)))))
                    pyro.sample(f"notes_{t}", dist.Bernoulli(logits=logits).to_event(1), obs=x[:, t])

    def guide():
        pyro.module("guide", guide_net)
        q0, h0 = pyro.param("q0", torch.zeros(LATENT)), pyro.param("h0", torch.zeros(RECURRENT))
        with pyro.plate("N", notes.shape[0], subsample_size=BATCH) as rows:
            x, length = notes[rows], lengths[rows]
            longest = int(length.max())
            state, states = h0.expand(BATCH, RECURRENT), [None] * longest
            for t in reversed(range(longest)):
                new = torch.tanh(net["recur_state"](state) + net["recur_notes"](x[:, t]))
                state = torch.where((t < length)[:, None], new, state)
                states[t] = state
            z = q0.expand(BATCH, LATENT)
            for t in range(longest):
                c = 0.5 * (torch.tanh(net["combine"](z)) + states[t])
                with pyro.poutine.mask(mask=t < length):
                    z = pyro.sample(f"z_{t}", dist.Normal(net["guide_loc"](c), softplus(net["guide_scale"](c))).to_event(1))

    return model, guide
