"""Posterior means of the model in model.ppl by random-walk Metropolis, with its own forward recursion: where the
numbers of expected.json come from. Takes a minute or two."""

import json
import math
import pathlib
import random

ROWS = json.loads(pathlib.Path(__file__).with_name("data.json").read_text())["y"]
K = 3


def constrain(u):
    """Unconstrained numbers to start, next, level, noise and the log density of the prior with the Jacobian."""
    total = 0.0
    rows = []
    for r in range(K + 1):  # softmax with the last entry 0: |Jacobian| = product of the probabilities
        logits = [u[2 * r], u[2 * r + 1], 0.0]
        top = max(logits)
        weights = [math.exp(x - top) for x in logits]
        norm = sum(weights)
        rows.append([w / norm for w in weights])
        total += sum(math.log(p) for p in rows[-1])
    lowest = u[8]
    gap = [math.exp(u[9]), math.exp(u[10])]
    noise = math.exp(u[11])
    total += -0.5 * (lowest / 5) ** 2 + sum(-0.5 * (g / 5) ** 2 for g in gap) - 0.5 * (noise / 2) ** 2
    total += u[9] + u[10] + u[11]
    return rows[0], rows[1:], [lowest, lowest + gap[0], lowest + gap[0] + gap[1]], noise, total


def log_density(u):
    start, following, level, noise, total = constrain(u)
    inverse = 1 / noise
    a, b, c = level
    (paa, pab, pac), (pba, pbb, pbc), (pca, pcb, pcc) = following
    for row in ROWS:
        x, y, z = start
        for t, value in enumerate(row):
            if t:
                x, y, z = (
                    x * paa + y * pba + z * pca,
                    x * pab + y * pbb + z * pcb,
                    x * pac + y * pbc + z * pcc,
                )
            x *= math.exp(-0.5 * ((value - a) * inverse) ** 2) * inverse
            y *= math.exp(-0.5 * ((value - b) * inverse) ** 2) * inverse
            z *= math.exp(-0.5 * ((value - c) * inverse) ** 2) * inverse
            norm = x + y + z
            total += math.log(norm)
            x, y, z = x / norm, y / norm, z / norm
    return total - 0.5 * math.log(2 * math.pi) * sum(len(row) for row in ROWS)


def main(steps=60000, warm=6000):
    draws = random.Random(2)
    u = [0.0, 0.0, 1.5, 0.5, -1.0, 1.0, -1.5, -1.0, -1.0, math.log(2), math.log(3), math.log(0.7)]
    scale = [0.5, 0.5, 0.25, 0.3, 0.25, 0.2, 0.3, 0.25, 0.05, 0.05, 0.05, 0.05]
    now = log_density(u)
    sums = [[0.0, 0.0] for _ in range(16)]
    count = 0
    for step in range(steps):
        first = step % 4 * 3  # three coordinates at a time
        proposal = list(u)
        for k in range(first, first + 3):
            proposal[k] += scale[k] * draws.gauss(0, 1)
        then = log_density(proposal)
        if math.log(draws.random()) < then - now:
            u, now = proposal, then
        if step < warm:
            continue
        start, following, level, noise, _ = constrain(u)
        count += 1
        for k, value in enumerate(start + sum(following, []) + level + [noise]):
            sums[k][0] += value
            sums[k][1] += value * value
    names = [f"start[{k}]" for k in range(K)]
    names += [f"next[{i}, {j}]" for i in range(K) for j in range(K)]
    names += [f"level[{k}]" for k in range(K)] + ["noise"]
    for name, (first, second) in zip(names, sums):
        mean = first / count
        print(f"{name}: mean {mean:.4f} sd {math.sqrt(max(0, second / count - mean * mean)):.4f}")


main()
