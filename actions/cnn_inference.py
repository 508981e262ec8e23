"""Recognises bars in a small picture with a convolutional network in numpy. Strains one processor.

Owns the network: two layers of filters made at load, not trained, whose answer can be checked by eye. Must never
learn anything.
"""

try:
    import numpy
except ImportError as error:
    raise ImportError("cnn_inference needs numpy; use the image faassim-python:ai") from error

KINDS = ["horizontal", "vertical"]
# Edges of either direction; then eight mixtures of them, four for each.
EDGE = numpy.array([[1, 1, 1], [0, 0, 0], [-1, -1, -1]]) / 3
FILTERS = numpy.stack([EDGE, EDGE.T])
MIX = numpy.random.default_rng(7).normal(0, 0.05, (8, 2, 3, 3))
MIX[:4, 0] += 1 / 9
MIX[4:, 1] += 1 / 9
READ = numpy.repeat(numpy.eye(2), 4, axis=0) / 4


def convolve(layers, filters):
    """`layers` (channels, h, w) by `filters` (out, channels, 3, 3), without borders."""
    windows = numpy.lib.stride_tricks.sliding_window_view(layers, (3, 3), axis=(1, 2))
    return numpy.einsum("chwij,ocij->ohw", windows, filters, optimize=True)


def pool(layers):
    """The greatest of every 2 by 2."""
    channels, height, width = layers.shape
    layers = layers[:, :height // 2 * 2, :width // 2 * 2]
    return layers.reshape(channels, height // 2, 2, width // 2, 2).max((2, 4))


def classify(image):
    first = pool(numpy.abs(convolve(image[None], FILTERS[:, None])))
    second = pool(numpy.maximum(convolve(first, MIX), 0))
    return KINDS[int((second.mean((1, 2)) @ READ).argmax())]


def main(args):
    images, size = args.get("images", 8), args.get("size", 64)
    for name, value, most in [("images", images, 10_000), ("size", size, 1_024)]:
        if not isinstance(value, int) or not 1 <= value <= most or (name == "size" and value < 16):
            raise ValueError(f"{name} must be a whole number from {16 if name == 'size' else 1} to {most}, not {value!r}")
    seed = args.get("seed", 1)
    if not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed must be a whole number from 0 up, not {seed!r}")
    draw = numpy.random.default_rng(seed)
    right = 0
    for number in range(images):
        bars = (numpy.arange(size) // 4 % 2).astype(float)
        image = numpy.tile(bars, (size, 1)) + draw.normal(0, 0.1, (size, size))
        kind = KINDS[1 - number % 2]
        right += classify(image if kind == "vertical" else image.T) == kind
    return {"images": images, "right": right}
