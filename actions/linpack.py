"""Solves a dense system of linear equations, as the LINPACK benchmark does. Strains processor and memory bandwidth.

Owns the system, drawn from a seed, and its residual. Must never report a solution that it has not put back in.
"""

import time

try:
    import numpy
except ImportError as error:
    raise ImportError("linpack needs numpy; use the image faassim-python:ai") from error


def main(args):
    n = args.get("n", 300)
    if not isinstance(n, int) or not 2 <= n <= 5_000:
        raise ValueError(f"n must be a whole number from 2 to 5000, not {n!r}")
    seed = args.get("seed", 1)
    if not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed must be a whole number from 0 up, not {seed!r}")
    draw = numpy.random.default_rng(seed)
    matrix, right = draw.random((n, n)) - 0.5, draw.random(n) - 0.5
    begun = time.perf_counter()
    solution = numpy.linalg.solve(matrix, right)
    took = time.perf_counter() - begun
    residual = float(numpy.abs(matrix @ solution - right).max())
    operations = 2 * n ** 3 / 3 + 2 * n ** 2
    return {"n": n, "solved": residual < 1e-6, "mflops": operations / max(took, 1e-9) / 1e6}
