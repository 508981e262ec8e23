"""Writes a file in blocks, flushes it to the disk and reads it back. Strains the disk.

Owns a temporary file, which it removes whatever happens. Must never write anywhere else.
"""

import hashlib
import os
import tempfile


def main(args):
    mib, block_kib = args.get("mib", 4), args.get("block_kib", 64)
    for name, value, most in [("mib", mib, 4_096), ("block_kib", block_kib, 65_536)]:
        if not isinstance(value, int) or not 1 <= value <= most:
            raise ValueError(f"{name} must be a whole number from 1 to {most}, not {value!r}")
    block = bytes(range(256)) * (4 * block_kib)
    size, left = mib << 20, mib << 20
    handle, path = tempfile.mkstemp(prefix="dd-")
    try:
        with os.fdopen(handle, "wb", buffering=0) as file:
            while left > 0:
                left -= file.write(block[:min(len(block), left)])
            os.fsync(file.fileno())
        digest, read = hashlib.sha256(), 0
        with open(path, "rb", buffering=0) as file:
            while piece := file.read(len(block)):
                digest.update(piece)
                read += len(piece)
    finally:
        os.unlink(path)
    if read != size:
        raise RuntimeError(f"{read} bytes came back of {size}")
    return {"bytes": size, "sha256": digest.hexdigest()}
