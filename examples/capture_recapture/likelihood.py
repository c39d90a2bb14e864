"""The exact posterior of model.ppl on a grid, from the product form of the likelihood. Argument: the capture histories.

An animal first caught at f and last at l contributes survival^(l-f), a detection or a miss for each occasion in between,
and the probability chi_l of never being caught after l: chi_T = 1, chi_t = 1 - s + s (1 - p) chi_(t+1).
"""

import math
import sys

with open(sys.argv[1], encoding="ascii") as lines:
    ROWS = [[float(word) > 0.5 for word in line.split(",")[1:]] for line in lines]


def log_likelihood(survival, detection):
    last = len(ROWS[0]) - 1
    unseen = [1.0] * (last + 1)
    for t in range(last - 1, -1, -1):
        unseen[t] = 1 - survival + survival * (1 - detection) * unseen[t + 1]
    total = 0.0
    for row in ROWS:
        seen = [t for t, caught in enumerate(row) if caught]
        if not seen:
            continue
        for t in range(seen[0] + 1, seen[-1] + 1):
            total += math.log(survival) + math.log(detection if row[t] else 1 - detection)
        total += math.log(unseen[seen[-1]])
    return total


def main(n=200):
    points = []
    for i in range(n):
        for j in range(n):
            survival, detection = 0.42 + 0.28 * (i + 0.5) / n, 0.75 + 0.249 * (j + 0.5) / n
            points.append((log_likelihood(survival, detection), survival, detection))
    best = max(points)
    weights = [math.exp(point[0] - best[0]) for point in points]
    total = sum(weights)
    print(f"largest likelihood: -2 log L = {-2 * best[0]:.3f} at survival {best[1]:.4f}, detection {best[2]:.4f}")
    for place, name in ((1, "survival"), (2, "detection")):
        mean = sum(w * point[place] for w, point in zip(weights, points)) / total
        square = sum(w * (point[place] - mean) ** 2 for w, point in zip(weights, points)) / total
        print(f"{name}: mean {mean:.4f} sd {math.sqrt(square):.4f}")
    print(f"log evidence: {best[0] + math.log(total * 0.28 * 0.249 / n**2):.4f}")


main()
