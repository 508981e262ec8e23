"""Multiplies two square matrices. Strains processor and memory bandwidth.

Owns the matrices, drawn from a seed. Must never keep them.
"""

try:
    import numpy
except ImportError as error:
    raise ImportError("matmul needs numpy; use the image faassim-python:ai") from error


def main(args):
    n = args.get("n", 300)
    if not isinstance(n, int) or not 1 <= n <= 5_000:
        raise ValueError(f"n must be a whole number from 1 to 5000, not {n!r}")
    seed = args.get("seed", 1)
    if not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed must be a whole number from 0 up, not {seed!r}")
    # Whole numbers, so that the sum is exact and the same on every machine.
    draw = numpy.random.default_rng(seed)
    a, b = (draw.integers(0, 10, (n, n)).astype(float) for _ in range(2))
    product = a @ b
    # The sum of a product is the product of the sums of columns and of rows.
    return {"n": n, "sum": int(product.sum()), "checked": bool(product.sum() == a.sum(0) @ b.sum(1))}
