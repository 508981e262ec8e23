"""Flips, rotates, blurs, greys and shrinks a picture. Strains processor and memory.

Owns a picture that it draws itself. Must never read or write a file.
"""

import hashlib
import io

try:
    from PIL import Image, ImageFilter
except ImportError as error:
    raise ImportError("image_processing needs Pillow; use the image faassim-python:ai") from error


def picture(size):
    """Gradients and a grid, the same every time."""
    image = Image.new("RGB", (size, size))
    image.putdata([(x * 255 // size, y * 255 // size, 255 if x % 32 == 0 or y % 32 == 0 else (x ^ y) & 255)
                   for y in range(size) for x in range(size)])
    return image


def main(args):
    size = args.get("size", 256)
    if not isinstance(size, int) or not 16 <= size <= 4_096:
        raise ValueError(f"size must be a whole number from 16 to 4096, not {size!r}")
    image = picture(size)
    steps = [
        lambda image: image.transpose(Image.FLIP_LEFT_RIGHT),
        lambda image: image.rotate(90),
        lambda image: image.filter(ImageFilter.GaussianBlur(2)),
        lambda image: image.convert("L"),
        lambda image: image.resize((size // 2, size // 2)),
    ]
    for step in steps:
        image = step(image)
    packed = io.BytesIO()
    image.save(packed, "PNG")
    return {"width": image.width, "mode": image.mode, "png_bytes": len(packed.getvalue()),
            "mean": round(sum(image.tobytes()) / (image.width * image.height), 1),
            "sha256": hashlib.sha256(image.tobytes()).hexdigest()}
