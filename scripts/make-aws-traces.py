#!/usr/bin/env python3
"""Turns the measured AWS Lambda runs in traces/aws-lambda-2020/raw/ into native trace folders.

One run becomes one folder with `functions.csv` (a single function) and `invocations.csv.gz`. What each number means is
written in traces/README.md. Needs nothing but Python >= 3.9; writes the same content on every machine.

    python3 scripts/make-aws-traces.py            # rewrite the committed folders
    python3 scripts/make-aws-traces.py --out DIR  # write them elsewhere
    python3 scripts/make-aws-traces.py --check    # compare with the committed folders, write nothing
"""

import argparse
import csv
import gzip
import io
import re
import sys
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent / "traces" / "aws-lambda-2020"
MEMORY_MB = 128
MICROSECOND = Decimal("0.001")  # in milliseconds


def milliseconds(seconds: Decimal) -> Decimal:
    """Seconds as milliseconds, to the microsecond the recorder wrote."""
    return (seconds * 1000).quantize(MICROSECOND, rounding=ROUND_HALF_UP)


def plain(value: Decimal) -> str:
    """A decimal without needless zeros: 61.200 -> 61.2, 60.000 -> 60."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def median(values: list) -> Decimal:
    """The middle value, or the mean of the two middle ones."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def read_run(path: Path) -> list:
    """The rows of one run, times as exact decimals in seconds."""
    with gzip.open(path, "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        for column in ("arrival_s", "client_end_s", "fn_start_s", "fn_end_s"):
            row[column] = Decimal(row[column])
        row["response"] = row["client_end_s"] - row["arrival_s"]  # both read from the client's clock
        row["run"] = row["fn_end_s"] - row["fn_start_s"]  # both read from the container's clock
        row["cold"] = row["is_cold"] == "1"
    return rows


def convert(rows: list) -> dict:
    """The files of a native folder, name -> text."""
    warm = [row for row in rows if not row["cold"]]
    cold = [row for row in rows if row["cold"]]
    warm_ms = milliseconds(median([row["run"] for row in warm]))
    network_ms = milliseconds(median([row["response"] - row["run"] for row in warm]))
    cold_ms = milliseconds(median([row["response"] for row in cold])) - network_ms

    functions = io.StringIO()
    functions.write("function,memory_mb,cold_ms,warm_ms,kind\n")
    functions.write(f"workload,{MEMORY_MB},{plain(cold_ms)},{plain(warm_ms)},python:3.6\n")

    invocations = io.StringIO()
    invocations.write("time_ms,function,duration_ms,is_cold,container\n")
    for row in rows:
        arrival, run = milliseconds(row["arrival_s"]), milliseconds(row["run"])
        invocations.write(f"{plain(arrival)},workload,{plain(run)},{row['is_cold']},{row['container']}\n")
    return {"functions.csv": functions.getvalue(), "invocations.csv.gz": invocations.getvalue()}


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
    arguments.add_argument("--out", type=Path, default=HOME, help="folder to write the run folders into")
    arguments.add_argument("--check", action="store_true", help="only compare with what is in that folder")
    chosen = arguments.parse_args()

    different = []
    for raw in sorted((HOME / "raw").glob("res-*.csv.gz")):
        run = re.search(r"\d{4}-\d{2}-\d{2}", raw.name).group()
        for name, text in convert(read_run(raw)).items():
            path = chosen.out / run / name
            if not chosen.check:
                write_text(path, text)
            elif read_text(path) != text:
                different.append(path)
    for path in different:
        print(f"{path}: differs from what this script makes", file=sys.stderr)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
