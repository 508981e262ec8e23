"""Floating-point arithmetic: sines, cosines and square roots in a loop. Strains one processor.

Owns a sum that is the same every time. Must never touch disk or network.
"""

import math


def main(args):
    n = args.get("n", 100_000)
    if not isinstance(n, int) or not 1 <= n <= 100_000_000:
        raise ValueError(f"n must be a whole number from 1 to 100000000, not {n!r}")
    total = 0.0
    for i in range(n):
        total += math.sqrt(i) * math.sin(i) * math.cos(i)
    return {"n": n, "sum": round(total, 3)}
