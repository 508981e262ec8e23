"""Trains a classifier of short texts by logistic regression on counts of words. Strains one processor.

Owns its texts, drawn from a seed, and a model of a few thousand weights. Must never report an accuracy on texts that
it was trained on.
"""

try:
    import numpy
except ImportError as error:
    raise ImportError("model_training needs numpy; use the image faassim-python:ai") from error

WORDS = 400


def texts(draw, many):
    """Counts of words of two kinds of texts, which prefer different words, and the kinds."""
    kinds = draw.integers(0, 2, many)
    taste = numpy.linspace(0.2, 1.8, WORDS)
    weights = numpy.stack([taste, taste[::-1]])
    weights /= weights.sum(1, keepdims=True)
    counts = numpy.stack([draw.multinomial(30, weights[kind]) for kind in kinds])
    return counts.astype(float), kinds


def main(args):
    many, epochs = args.get("texts", 400), args.get("epochs", 40)
    for name, value, most in [("texts", many, 100_000), ("epochs", epochs, 10_000)]:
        if not isinstance(value, int) or not 10 <= value <= most:
            raise ValueError(f"{name} must be a whole number from 10 to {most}, not {value!r}")
    seed = args.get("seed", 1)
    if not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed must be a whole number from 0 up, not {seed!r}")
    draw = numpy.random.default_rng(seed)
    seen, kinds = texts(draw, many)
    weights, bias = numpy.zeros(WORDS), 0.0
    for _ in range(epochs):
        chance = 1 / (1 + numpy.exp(-(seen @ weights + bias)))
        weights -= 0.1 * (seen.T @ (chance - kinds)) / many
        bias -= 0.1 * float((chance - kinds).mean())
    unseen, truth = texts(draw, max(many // 4, 10))
    right = ((unseen @ weights + bias > 0) == truth).mean()
    return {"texts": many, "accuracy": round(float(right), 3)}
