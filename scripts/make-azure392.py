#!/usr/bin/env python3
"""Makes the trace traces/azure392: real functions and daily counts, synthetic arrival instants.

The table traces/azure392/raw/functions_392.csv (Azure Functions 2019, as sampled by FaasCache) says how often each
function ran that day, how long and with how much memory, but not when. This recipe draws the instants; every
function's count stays exactly as in the table. traces/README.md describes it in words.

    python3 scripts/make-azure392.py                    # rewrite the committed folder (seed 1, 24 hours)
    python3 scripts/make-azure392.py --seed 2 --out DIR # another draw, elsewhere
    python3 scripts/make-azure392.py --hours 2 --out DIR# only the first two hours of the day
    python3 scripts/make-azure392.py --check            # compare with the committed folder, write nothing

Needs nothing but Python >= 3.9. Reproducible to the byte on every machine: randomness comes from random.Random(n).random()
alone, and the only floating-point operations are + - * /, which IEEE 754 fixes.
"""

import argparse
import csv
import gzip
import random
import sys
from bisect import bisect_right
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent / "traces" / "azure392"

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

# Periods of timers in seconds. Those of a minute and more also match a count one off (a firing lost or repeated at
# midnight) if they fire at least 96 times: below that, counts are too dense for a neighbour to mean anything.
TIMER_PERIODS_S = (3600, 1800, 1200, 900, 720, 600, 360, 300, 240, 180, 120, 60, 30, 20, 15, 10, 5, 2, 1)
ONE_OFF_FROM = 96

# Share of the functions without a timer's count that are bursty: the published share of apps whose inter-arrival
# times have a coefficient of variation above 1 (docs/specs/trace-calibration.md section 3).
BURSTY_SHARE = 0.4

# Load of the whole platform by hour of the day, in millions over 14 days (docs/specs/trace-calibration.md section 3).
HOURLY_LOAD = (487, 478, 478, 476, 475, 493, 507, 524, 521, 524, 525, 526,
               544, 566, 566, 558, 547, 558, 562, 539, 527, 520, 507, 489)
LOAD_BEFORE = [sum(HOURLY_LOAD[:hour]) for hour in range(25)]

LONGEST_JITTER_MS = 100  # of a timer
RETRY_WITHIN_MS = 1_000  # after which a timer's extra firing follows the one it repeats
BURSTS_AT_MOST = 72  # in a day: above, bursts merge into a steady stream
BURST_SIZE = (3.0, 30.0)  # mean invocations of a burst, drawn per function
BURST_LENGTH_MS = (1 * MINUTE_MS, 10 * MINUTE_MS)  # drawn per burst


def draw_in_day(draw) -> int:
    """An instant of the day, more likely in a busy hour."""
    load = draw() * LOAD_BEFORE[24]
    hour = bisect_right(LOAD_BEFORE, load) - 1
    within = (load - LOAD_BEFORE[hour]) / HOURLY_LOAD[hour]
    return min(int((hour + within) * HOUR_MS), DAY_MS - 1)


def timer_firings(count: int):
    """How often a timer with about this many firings fires in a day; None if no timer does."""
    for period in TIMER_PERIODS_S:
        firings = 86_400 // period
        if count == firings or (firings >= ONE_OFF_FROM and period >= 60 and abs(count - firings) == 1):
            return firings
    return None


def timer_arrivals(count: int, firings: int, draw) -> list:
    """A fixed period, a random phase, a small jitter; one firing lost or repeated where the count says so."""
    period = DAY_MS / firings
    phase = draw() * period
    jitter = min(LONGEST_JITTER_MS, period / 10)
    times = [min(int(phase + k * period + draw() * jitter), DAY_MS - 1) for k in range(firings)]
    if count < firings:
        del times[int(draw() * firings)]
    elif count > firings:
        repeated = times[int(draw() * firings)]
        times.append(min(repeated + int(draw() * RETRY_WITHIN_MS), DAY_MS - 1))
    return times


def poisson_arrivals(count: int, draw) -> list:
    """A Poisson process that follows the load of the day, given its number of events: independent instants."""
    return [draw_in_day(draw) for _ in range(count)]


def bursty_arrivals(count: int, draw) -> list:
    """On and off: bursts of random place, length and rate (within a factor of three), silence between them."""
    smallest, largest = BURST_SIZE
    size = smallest / (1 - draw() * (1 - smallest / largest))
    bursts = max(1, min(BURSTS_AT_MOST, int(count / size + 0.5)))
    shortest, longest = BURST_LENGTH_MS
    spans, weights_before = [], [0.0]
    for _ in range(bursts):
        length = shortest + draw() * (longest - shortest)
        start = min(draw_in_day(draw), DAY_MS - length)
        spans.append((start, length))
        weights_before.append(weights_before[-1] + length * (0.5 + draw()))
    times = []
    for _ in range(count):
        burst = min(bisect_right(weights_before, draw() * weights_before[-1]), bursts) - 1
        start, length = spans[burst]
        times.append(min(int(start + draw() * length), DAY_MS - 1))
    return times


def arrivals(count: int, draw):
    """The kind of a function's arrivals and its instants in ms, `count` of them."""
    firings = timer_firings(count)
    if firings:
        return "timer", timer_arrivals(count, firings, draw)
    if draw() < BURSTY_SHARE:
        return "bursty", bursty_arrivals(count, draw)
    return "poisson", poisson_arrivals(count, draw)


def make(seed: int, hours: float) -> dict:
    """The files of the trace, name -> text."""
    with open(HOME / "raw" / "functions_392.csv", newline="") as file:
        table = list(csv.DictReader(file))
    functions = ["function,memory_mb,cold_ms,warm_ms,hash,invocations,arrivals\n"]
    events = []
    for number, row in enumerate(table):
        # One generator per function: changing one function leaves the others as they were.
        draw = random.Random(seed * 1_000_000 + number).random
        kind, times = arrivals(int(row["invocations"]), draw)
        columns = (row["mem_MB"], row["cold_run_ms"], row["warm_run_ms"], row["HashFunction"], row["invocations"], kind)
        functions.append(f"f{number:03},{','.join(columns)}\n")
        events.extend((time, number) for time in times if time < hours * HOUR_MS)
    events.sort()
    invocations = ["time_ms,function\n"]
    invocations.extend(f"{time},f{number:03}\n" for time, number in events)
    return {"functions.csv": "".join(functions), "invocations.csv.gz": "".join(invocations)}


def read_text(path: Path) -> str:
    """A file's text, unpacked if its name ends in .gz; empty if there is no such file."""
    if not path.exists():
        return ""
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode()


def write_text(path: Path, text: str) -> None:
    """Writes a file, packed without a time stamp if its name ends in .gz."""
    data = text.encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data, 9, mtime=0) if path.suffix == ".gz" else data)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seed", type=int, default=1, help="another seed draws other instants (default 1)")
    arguments.add_argument("--hours", type=float, default=24, help="keep only the first hours of the day (default 24)")
    arguments.add_argument("--out", type=Path, default=HOME, help="folder to write functions.csv and invocations.csv.gz into")
    arguments.add_argument("--check", action="store_true", help="only compare with what is in that folder")
    chosen = arguments.parse_args()
    if not 0 < chosen.hours <= 24:
        arguments.error(f"--hours {chosen.hours:g}: the trace is one day long; give more than 0 and at most 24")
    if chosen.seed < 0:
        arguments.error(f"--seed {chosen.seed}: give a number that is not negative")

    different = []
    for name, text in make(chosen.seed, chosen.hours).items():
        path = chosen.out / name
        if not chosen.check:
            write_text(path, text)
        elif read_text(path) != text:
            different.append(path)
    for path in different:
        print(f"{path}: differs from what this script makes", file=sys.stderr)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
