"""Compresses text with gzip and unpacks it again. Strains one processor.

Owns the text, made from its size alone. Must never report a size that it has not unpacked again.
"""

import gzip
import zlib


def main(args):
    kib = args.get("kib", 256)
    if not isinstance(kib, int) or not 1 <= kib <= 262_144:
        raise ValueError(f"kib must be a whole number from 1 to 262144, not {kib!r}")
    # Text with some variety: neither all alike nor random.
    words = [f"word{i * 7919 % 1009}" for i in range(1_024)]
    line = " ".join(words).encode()
    text = (line * (kib * 1_024 // len(line) + 1))[:kib * 1_024]
    packed = gzip.compress(text, compresslevel=6, mtime=0)
    if gzip.decompress(packed) != text:
        raise RuntimeError("what was packed does not unpack")
    return {"bytes": len(text), "smaller": len(packed) < len(text), "crc32": zlib.crc32(text)}
