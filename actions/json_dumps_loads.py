"""Writes a large structure as JSON and reads it back. Strains processor and the allocator.

Owns the structure, made from its size alone. Must never return it.
"""

import hashlib
import json


def main(args):
    n = args.get("n", 2_000)
    if not isinstance(n, int) or not 1 <= n <= 1_000_000:
        raise ValueError(f"n must be a whole number from 1 to 1000000, not {n!r}")
    data = [{"id": i, "name": f"user {i}", "tags": ["a", "b", str(i % 7)], "score": i / 8} for i in range(n)]
    text = json.dumps(data)
    again = json.dumps(json.loads(text), indent=2)
    return {"bytes": len(again), "sha256": hashlib.sha256(again.encode()).hexdigest()}
