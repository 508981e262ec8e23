#!/usr/bin/env python3
"""Makes the trace traces/live-smoke: two minutes of eight functions named after actions, for a live run on a small machine.

The functions have the names of actions that need only the standard library, so that a live run calls those. Rates are
such that two processors keep up although every tenth start or more is cold. traces/README.md describes it in words.

    python3 scripts/make-live-smoke.py                    # rewrite the committed folder (seed 1)
    python3 scripts/make-live-smoke.py --seed 2 --out DIR # another draw, elsewhere
    python3 scripts/make-live-smoke.py --check            # compare with the committed folder, write nothing

Needs nothing but Python >= 3.9. Reproducible to the byte on every machine: randomness comes from random.Random(n).random()
alone, and the only floating-point operations are + - * /, which IEEE 754 fixes.
"""

import argparse
import random
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent / "traces" / "live-smoke"
LENGTH_MS = 120_000

# Function, memory in MB, cold and warm run time in ms (roughly what a container on a small machine takes), mean gap
# between single calls in ms, and the part of the two minutes in which they come, in ms.
FUNCTIONS = (
    ("hello", 64, 700, 2, 700, (0, LENGTH_MS)),
    ("float_operation", 64, 750, 60, 2_000, (0, LENGTH_MS)),
    ("dd", 64, 750, 80, 6_000, (3_000, LENGTH_MS)),
    ("json_dumps_loads", 128, 800, 100, 3_000, (0, 80_000)),
    ("pyaes", 128, 900, 200, 4_000, (10_000, LENGTH_MS)),
    ("chameleon", 128, 900, 150, 5_000, (0, LENGTH_MS)),
    ("gzip_compression", 128, 850, 200, 9_000, (20_000, LENGTH_MS)),
    ("lookbusy", 256, 1_300, 300, 12_000, (5_000, LENGTH_MS)),
)

# Calls that come together: function, when in ms, how many, and how far apart in ms.
BURSTS = (
    ("json_dumps_loads", 30_000, 4, 20),
    ("hello", 45_000, 6, 5),
    ("lookbusy", 60_500, 2, 50),
    ("pyaes", 75_000, 3, 10),
    ("hello", 95_000, 6, 5),
    ("gzip_compression", 105_000, 3, 10),
)


def calls(draw):
    """When each function is called: (time in ms, function), in order."""
    found = []
    for name, _, _, _, gap_ms, (begin_ms, end_ms) in FUNCTIONS:
        # The first call comes within half a mean gap, each further one after 0.5 to 1.5 mean gaps.
        at = begin_ms + draw() * gap_ms / 2
        while at < end_ms:
            found.append((int(at), name))
            at += gap_ms * (0.5 + draw())
    for name, at, count, apart_ms in BURSTS:
        found.extend((at + nth * apart_ms, name) for nth in range(count))
    return sorted(found)


def files(seed: int) -> dict[str, str]:
    functions = "".join(f"{name},{mb},{cold},{warm}\n" for name, mb, cold, warm, _, _ in FUNCTIONS)
    rows = "".join(f"{at},{name}\n" for at, name in calls(random.Random(seed).random))
    return {
        "functions.csv": "function,memory_mb,cold_ms,warm_ms\n" + functions,
        "invocations.csv": "time_ms,function\n" + rows,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=HOME)
    parser.add_argument("--check", action="store_true", help="compare with the folder, write nothing")
    args = parser.parse_args()
    for name, text in files(args.seed).items():
        path = args.out / name
        if not args.check:
            args.out.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        elif not path.is_file() or path.read_bytes() != text.encode():
            print(f"{path} is not what {Path(__file__).name} makes", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
