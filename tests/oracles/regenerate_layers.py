#!/usr/bin/env python3
"""Writes layers.json: the value of every layer for given inputs and weights, in NumPy.

    python3 tests/oracles/regenerate_layers.py
"""
import json
import os

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
random = np.random.default_rng(20)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def linear(sizes, x, w, b):
    return x @ w.T + b


def linear_no_bias(sizes, x, w):
    return x @ w.T


def masked_linear(sizes, x, w, b):
    masked = w.copy()
    for row in range(w.shape[0]):
        if w.shape[0] >= w.shape[1]:
            masked[row, row // (w.shape[0] // w.shape[1]):] = 0
        else:
            masked[row, (row + 1) * (w.shape[1] // w.shape[0]):] = 0
    return x @ masked.T + b


def embedding(sizes, index, w):
    return w[index.astype(int)]


def rnn(sizes, h, x, w, u, b, c):
    return np.tanh(x @ w.T + b + h @ u.T + c)


def gru(sizes, h, x, w, u, b, c):
    n = h.shape[-1]
    def gate(k, squash):
        rows = slice(k * n, (k + 1) * n)
        return squash(x @ w[rows].T + b[rows] + h @ u[rows].T + c[rows])
    r, z = gate(0, sigmoid), gate(1, sigmoid)
    last = slice(2 * n, 3 * n)
    candidate = np.tanh(x @ w[last].T + b[last] + r * (h @ u[last].T + c[last]))
    return (1 - z) * candidate + z * h


def lstm(sizes, state, x, w, u, b, c):
    n = state.shape[-1] // 2
    h, cell = state[..., :n], state[..., n:]
    def gate(k, squash):
        rows = slice(k * n, (k + 1) * n)
        return squash(x @ w[rows].T + b[rows] + h @ u[rows].T + c[rows])
    i, f, g, o = gate(0, sigmoid), gate(1, sigmoid), gate(2, np.tanh), gate(3, sigmoid)
    cell = f * cell + i * g
    return np.concatenate([o * np.tanh(cell), cell], axis=-1)


def layer_norm(sizes, x, w, b):
    mean = x.mean(axis=-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(axis=-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-5) * w + b


CASES = [
    (linear, [4], [[3]], [[4, 3], [4]], ["uniform", 3]),
    (linear, [2], [[5, 3]], [[2, 3], [2]], ["uniform", 3]),
    (linear, [2], [[2, 5, 3]], [[2, 3], [2]], ["uniform", 3]),
    (linear_no_bias, [4], [[3]], [[4, 3]], ["uniform", 3]),
    (masked_linear, [3], [[3]], [[3, 3], [3]], ["uniform", 3]),
    (masked_linear, [6], [[2, 3]], [[6, 3], [6]], ["uniform", 3]),
    (embedding, [5, 3], [[]], [[5, 3]], ["normal", 1]),
    (embedding, [5, 3], [[4]], [[5, 3]], ["normal", 1]),
    (rnn, [4], [[4], [3]], [[4, 3], [4, 4], [4], [4]], ["uniform", 4]),
    (gru, [4], [[4], [3]], [[12, 3], [12, 4], [12], [12]], ["uniform", 4]),
    (gru, [2], [[5, 2], [5, 3]], [[6, 3], [6, 2], [6], [6]], ["uniform", 2]),
    (lstm, [4], [[8], [3]], [[16, 3], [16, 4], [16], [16]], ["uniform", 4]),
    (lstm, [2], [[5, 4], [5, 3]], [[8, 3], [8, 2], [8], [8]], ["uniform", 2]),
    (layer_norm, [], [[6]], [[6], [6]], ["constant", 0]),
    (layer_norm, [], [[2, 6]], [[6], [6]], ["constant", 0]),
    (masked_linear, [3], [[6]], [[3, 6], [3]], ["uniform", 6]),
    (masked_linear, [1], [[4]], [[1, 4], [1]], ["uniform", 4]),
]

rows = []
for layer, sizes, inputs, weights, initializer in CASES:
    integer = layer is embedding
    given = [random.integers(0, 5, shape).astype(float) if integer else random.normal(size=shape) for shape in inputs]
    given = [np.asarray(x) for x in given]
    owned = [random.normal(size=shape) * 0.7 for shape in weights]
    result = layer(sizes, *given, *owned)
    def packed(arrays):
        return [{"shape": list(a.shape), "numbers": a.ravel().tolist()} for a in arrays]
    rows.append({"name": layer.__name__, "sizes": sizes, "integer": integer, "inputs": packed(given),
                 "weights": packed(owned), "initializer": initializer[0], "fan": initializer[1],
                 "result": packed([result])[0]})

with open(os.path.join(HERE, "layers.json"), "w") as file:
    json.dump({"rows": rows}, file, indent=1)
    file.write("\n")
