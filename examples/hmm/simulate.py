"""Writes data.json: 20 sequences of 15 to 40 numbers from a hidden Markov chain with known parameters."""

import json
import pathlib
import random

START = [1 / 3, 1 / 3, 1 / 3]
NEXT = [[0.80, 0.15, 0.05], [0.10, 0.80, 0.10], [0.05, 0.25, 0.70]]
LEVEL = [-1.0, 1.0, 4.0]
NOISE = 0.7


def main():
    draws = random.Random(1)
    rows = []
    for _ in range(20):
        row, weights = [], START
        for _ in range(draws.randint(15, 40)):
            state = draws.choices(range(3), weights)[0]
            row.append(round(draws.gauss(LEVEL[state], NOISE), 3))
            weights = NEXT[state]
        rows.append(row)
    lines = ",\n  ".join(json.dumps(row) for row in rows)
    pathlib.Path(__file__).with_name("data.json").write_text('{"y": [\n  ' + lines + "\n]}\n")


main()
