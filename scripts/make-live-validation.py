#!/usr/bin/env python3
"""Makes the three traces by which live mode and the simulator are held against each other (docs/validation.md):

    traces/live-litmus-freq   one function called often, five seldom, all alike: frequency decides who should stay
    traces/live-litmus-size   two large functions and six small ones, called equally often: size decides
    traces/live-azure30       22 minutes of 30 functions of traces/azure392, four times as fast

The litmus traces are those of FaasCache (traces/faascache-litmus-*), slowed down to what two processors carry when each
cold start is a real container, and with gaps that vary, so that no two functions are always called at one instant.

    python3 scripts/make-live-validation.py           # rewrite the committed folders (seed 1)
    python3 scripts/make-live-validation.py --check   # compare with the committed folders, write nothing

Needs nothing but Python >= 3.9. Reproducible to the byte on every machine: randomness comes from random.Random(n).random()
alone, and the only floating-point operations are + - * /, which IEEE 754 fixes.
"""

import argparse
import csv
import gzip
import random
import sys
from collections import Counter
from pathlib import Path

TRACES = Path(__file__).resolve().parent.parent / "traces"
LENGTH_MS = 330_000

# Function, memory in MB, cold and warm run time in ms (as the litmus traces of FaasCache have them), mean gap in ms.
FREQ = [("often", 250, 300, 100, 1_200)] + [(f"rare_{n}", 250, 300, 100, 6_000) for n in range(1, 6)]
SIZE = [(f"large_{n}", 600, 300, 100, 6_000) for n in (1, 2)] + [
    (f"small_{n}", 150, 300, 100, 6_000) for n in range(1, 7)]

# Which part of azure392, how much faster, and which of its functions: those that fit a small machine and are called
# at least now and then, the most popular ones first. The one that is called every second is left out: it would be
# half of all calls, and always warm.
FROM_MS, UNTIL_MS, SPEED = 16 * 3_600_000, 16 * 3_600_000 + 22 * 60_000, 4
FUNCTIONS, LEAST_MB, LONGEST_WARM_MS, LONGEST_START_MS, MOST_CALLS = 30, 32, 1_000, 1_500, 400


def litmus(functions, seed):
    """The two files of a litmus trace. A gap is 0.5 to 1.5 mean gaps."""
    draw = random.Random(seed).random
    calls = []
    for name, _, _, _, gap_ms in functions:
        at = draw() * gap_ms
        while at < LENGTH_MS:
            calls.append((int(at), name))
            at += gap_ms * (0.5 + draw())
    return files([f[:4] for f in functions], sorted(calls))


def azure30():
    """The two files of the sample."""
    home = TRACES / "azure392"
    with open(home / "functions.csv", encoding="utf-8", newline="") as file:
        rows = {row["function"]: row for row in csv.DictReader(file)}
    with gzip.open(home / "invocations.csv.gz", "rt", encoding="utf-8", newline="") as file:
        calls = [(int(at), name) for at, name in list(csv.reader(file))[1:] if FROM_MS <= int(at) < UNTIL_MS]
    counts = Counter(name for _, name in calls)

    def fits(row):
        cold, warm = float(row["cold_ms"]), float(row["warm_ms"])
        return (float(row["memory_mb"]) >= LEAST_MB and warm <= LONGEST_WARM_MS
                and cold - warm <= LONGEST_START_MS and counts[row["function"]] <= MOST_CALLS)

    names = [name for name, row in rows.items() if fits(row)]
    kept = sorted(names, key=lambda name: (-counts[name], name))[:FUNCTIONS]
    functions = [(name, *(rows[name][key] for key in ("memory_mb", "cold_ms", "warm_ms"))) for name in kept]
    return files(functions, [((at - FROM_MS) // SPEED, name) for at, name in calls if name in kept])


def files(functions, calls):
    table = "".join(f"{name},{mb},{cold},{warm}\n" for name, mb, cold, warm in functions)
    return {
        "functions.csv": "function,memory_mb,cold_ms,warm_ms\n" + table,
        "invocations.csv": "time_ms,function\n" + "".join(f"{at},{name}\n" for at, name in calls),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the folders, write nothing")
    args = parser.parse_args()
    made = {"live-litmus-freq": litmus(FREQ, 1), "live-litmus-size": litmus(SIZE, 1), "live-azure30": azure30()}
    for folder, contents in made.items():
        for name, text in contents.items():
            path = TRACES / folder / name
            if not args.check:
                path.parent.mkdir(exist_ok=True)
                path.write_text(text, encoding="utf-8", newline="\n")
            elif not path.is_file() or path.read_bytes() != text.encode():
                print(f"{path} is not what {Path(__file__).name} makes", file=sys.stderr)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
