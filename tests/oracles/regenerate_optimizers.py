#!/usr/bin/env python3
"""Writes optimizers.json: ten steps of every optimizer on given gradients, in NumPy, as PyTorch and Pyro define them.

    python3 tests/oracles/regenerate_optimizers.py
"""
import json
import os

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
STEPS = 10


def adam(p, state, g, t, lr, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0):
    g = g + weight_decay * p
    state["m"] = beta1 * state.get("m", 0) + (1 - beta1) * g
    state["v"] = beta2 * state.get("v", 0) + (1 - beta2) * g * g
    mean = state["m"] / (1 - beta1**t)
    square = state["v"] / (1 - beta2**t)
    return p - lr * mean / (np.sqrt(square) + eps)


def clipped_adam(p, state, g, t, lr, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0, clip_norm=10.0, lrd=1.0):
    state["lr"] = state.get("lr", lr) * lrd
    g = np.clip(g, -clip_norm, clip_norm) + weight_decay * p
    state["m"] = beta1 * state.get("m", 0) + (1 - beta1) * g
    state["v"] = beta2 * state.get("v", 0) + (1 - beta2) * g * g
    step = state["lr"] * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    return p - step * state["m"] / (np.sqrt(state["v"]) + eps)


def adagrad(p, state, g, t, lr, lr_decay=0.0, initial_accumulator_value=0.0, eps=1e-10, weight_decay=0.0):
    g = g + weight_decay * p
    state["s"] = state.get("s", initial_accumulator_value) + g * g
    return p - lr / (1 + (t - 1) * lr_decay) * g / (np.sqrt(state["s"]) + eps)


def rmsprop(p, state, g, t, lr, alpha=0.99, eps=1e-8, momentum=0.0, weight_decay=0.0):
    g = g + weight_decay * p
    state["v"] = alpha * state.get("v", 0) + (1 - alpha) * g * g
    step = g / (np.sqrt(state["v"]) + eps)
    if momentum > 0:
        step = state["b"] = momentum * state.get("b", 0) + step
    return p - lr * step


def sgd(p, state, g, t, lr, momentum=0.0, nesterov=0.0, weight_decay=0.0):
    g = g + weight_decay * p
    if momentum != 0:
        state["b"] = g if t == 1 else momentum * state["b"] + g
        g = g + momentum * state["b"] if nesterov else state["b"]
    return p - lr * g


CASES = [
    (adam, 0.01, {}),
    (adam, 0.1, {"beta1": 0.8, "beta2": 0.95, "eps": 1e-3, "weight_decay": 0.1}),
    (clipped_adam, 0.01, {}),
    (clipped_adam, 0.1, {"beta1": 0.96, "clip_norm": 1.5, "lrd": 0.9, "weight_decay": 0.1, "eps": 1e-3}),
    (adagrad, 0.5, {}),
    (adagrad, 0.5, {"lr_decay": 0.2, "initial_accumulator_value": 0.3, "eps": 1e-2, "weight_decay": 0.1}),
    (rmsprop, 0.01, {}),
    (rmsprop, 0.05, {"alpha": 0.8, "eps": 1e-3, "momentum": 0.7, "weight_decay": 0.1}),
    (sgd, 0.1, {}),
    (sgd, 0.1, {"momentum": 0.9, "weight_decay": 0.1}),
    (sgd, 0.1, {"momentum": 0.9, "nesterov": 1.0}),
]

random = np.random.default_rng(10)
rows = []
for optimizer, learning_rate, options in CASES:
    p = random.normal(size=3)
    gradients = random.normal(size=(STEPS, 3)) * np.array([0.1, 2.0, 30.0])
    row = {"name": optimizer.__name__, "learning_rate": learning_rate, "options": options, "start": p.tolist(),
           "gradients": gradients.tolist(), "parameters": []}
    state = {}
    for t in range(1, STEPS + 1):
        p = optimizer(p, state, gradients[t - 1], t, learning_rate, **options)
        row["parameters"].append(p.tolist())
    rows.append(row)

with open(os.path.join(HERE, "optimizers.json"), "w") as file:
    json.dump({"rows": rows}, file, indent=1)
    file.write("\n")
