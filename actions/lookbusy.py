"""Is busy for a given time: uses processor and memory as told, so that any trace can be replayed.

Owns what it holds in memory and how long it takes, by the clock and not by counting. Must never do anything useful.

At load: LOOKBUSY_INIT_MS, how long loading takes; LOOKBUSY_MEMORY_MIB, what is held from then on; LOOKBUSY_CPU, which
share of the time the processor is used (0 to 1; the rest is slept away in slices of a few ms).
"""

import os
import time

# Slept and spun in turn, so that a share of the processor is an even one.
SLICE_S = 0.004
HELD = []


def number(value, name, most):
    """A number from 0 to `most`."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = -1.0
    if not 0 <= found <= most:
        raise ValueError(f"{name} must be a number from 0 to {most}, not {value!r}")
    return found


def busy(ms, share):
    """Takes so long, by the clock."""
    until = time.monotonic() + ms / 1e3
    while (now := time.monotonic()) < until:
        spin = min(until, now + SLICE_S * share)
        while time.monotonic() < spin:
            pass
        rest = min(until - time.monotonic(), SLICE_S * (1 - share))
        if rest > 0:
            time.sleep(rest)


def hold(mib):
    """Takes memory and writes to every page of it."""
    block = bytearray(int(mib) << 20)
    block[::4096] = b"\1" * len(block[::4096])
    return block


CPU = number(os.environ.get("LOOKBUSY_CPU", "1"), "LOOKBUSY_CPU", 1)
_BEGUN = time.monotonic()
HELD.append(hold(number(os.environ.get("LOOKBUSY_MEMORY_MIB", "0"), "LOOKBUSY_MEMORY_MIB", 1 << 20)))
busy(number(os.environ.get("LOOKBUSY_INIT_MS", "0"), "LOOKBUSY_INIT_MS", 3_600_000)
     - (time.monotonic() - _BEGUN) * 1e3, CPU)


def main(args):
    begun, used = time.monotonic(), time.process_time()
    ms = number(args.get("run_ms", 10), "run_ms", 3_600_000)
    share = number(args.get("cpu", CPU), "cpu", 1)
    held = hold(number(args.get("memory_mib", 0), "memory_mib", 1 << 20))
    busy(ms - (time.monotonic() - begun) * 1e3, share)
    del held
    return {"run_ms": round((time.monotonic() - begun) * 1e3, 3),
            "cpu_ms": round((time.process_time() - used) * 1e3, 3)}
