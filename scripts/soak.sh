#!/usr/bin/env bash
# A live run of small actions at a high rate, watched from outside: memory, file descriptors and threads of faassim, and
# containers, every ten seconds. Owns a trace made on the spot; must never be run beside anything that is measured.
#
#   scripts/soak.sh [RATE [MINUTES [BACKEND]]]     arrivals a second [50], how long [15], docker or process [docker]
#
# docs/live.md has the figures of such runs.
set -euo pipefail
cd "$(dirname "$0")/.."
rate=${1:-50} minutes=${2:-15} backend=${3:-docker}
faassim=${FAASSIM:-target/release/faassim}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Forty functions of skewed popularity, Poisson arrivals, at a rate that grows over the first minute (as cold
# containers on an idle machine would be started by the dozen otherwise). Idle ones expire, so some start all the time.
mkdir "$work/trace"
python3 - "$rate" "$minutes" "$work/trace" <<'END'
import random
import sys

rate, minutes, folder = float(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
draw, many, now = random.Random(1), 40, 0.0
weights = [(ix + 1) ** -1.5 for ix in range(many)]
with open(f"{folder}/functions.csv", "w") as file:
    print("function,memory_mb,cold_ms,warm_ms", file=file)
    for ix in range(many):
        print(f"f{ix:02},64,500,2", file=file)
with open(f"{folder}/invocations.csv", "w") as file:
    print("time_ms,function", file=file)
    while now < minutes * 60_000:
        print(f"{now:.3f},f{draw.choices(range(many), weights)[0]:02}", file=file)
        now += draw.expovariate(rate * min(1, 0.05 + now / 60_000)) * 1_000
END
cat >"$work/soak.toml" <<END
question = "Does anything grow in a long run at a high rate?"
[trace]
path = "trace"
[pool]
memory = "6 GiB"
[rules]
preset = "openwhisk"
[keep-alive.fixed]
keep = "15 s"
[live]
backend = "$backend"
actions = "$PWD/actions"
END

"$faassim" live "$work/soak.toml" -o "results/soak-$backend" >"$work/summary" 2>"$work/said" &
pid=$!
printf '%8s %10s %6s %8s %12s\n' "s" "memory KiB" "files" "threads" "containers"
begun=$SECONDS
while kill -0 "$pid" 2>/dev/null; do
    if [ "$backend" = docker ]; then
        there=$(docker ps --quiet --all --filter label=faassim.run | wc -l)
    else
        there=$(pgrep --count --full -- '--label faassim.run=' || true)
    fi
    rss=$(awk '/VmRSS/ { print $2 }' "/proc/$pid/status" 2>/dev/null || true)
    files=$(find "/proc/$pid/fd" -mindepth 1 2>/dev/null | wc -l)
    threads=$(find "/proc/$pid/task" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l)
    [ -z "$rss" ] || printf '%8s %10s %6s %8s %12s\n' "$((SECONDS - begun))" "$rss" "$files" "$threads" "$there"
    sleep 10
done
code=0
wait "$pid" || code=$?
cat "$work/summary"
tail -5 "$work/said"
if [ "$backend" = docker ]; then docker ps --all --filter label=faassim.run; fi
exit "$code"
