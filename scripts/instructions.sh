#!/usr/bin/env bash
# Instructions per invocation, counted under callgrind: the same on a quiet and on a busy machine. Fails where a figure
# is more than 10 % above the committed one (benches/instructions.csv).
#
#   scripts/instructions.sh           compare
#   scripts/instructions.sh --renew   write the figures anew, to be committed with the change that explains them
set -euo pipefail
cd "$(dirname "$0")/.."

figures=benches/instructions.csv
invocations=200000
# name, then the arguments of benches/instructions.rs: FUNCTIONS ZIPF GIB RULES EVICTION KEEP-ALIVE
cases="
lru-400              400   1.1 256  ideal     lru         fixed
greedy-dual-400      400   1.1 256  ideal     greedy-dual fixed
hybrid-histogram-400 400   1.1 256  ideal     lru         hybrid-histogram
openwhisk-400        400   1.1 256  openwhisk lru         fixed
lru-20000-short      20000 0.9 1536 ideal     lru         fixed
greedy-dual-20000-short 20000 0.9 1536 ideal  greedy-dual fixed
"

command -v valgrind >/dev/null || { echo "valgrind is missing: install it (apt-get install valgrind)" >&2; exit 1; }
program=$(cargo bench --bench instructions --no-run --message-format json 2>/dev/null |
    sed -n 's/.*"executable":"\([^"]*instructions-[^"]*\)".*/\1/p' | tail -1)
[ -x "$program" ] || { echo "the benchmark does not build: cargo bench --bench instructions --no-run" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "case,instructions_per_invocation" > "$work/new.csv"
while read -r name arguments; do
    [ -n "$name" ] || continue
    # shellcheck disable=SC2086 # the arguments are words
    valgrind --tool=callgrind --callgrind-out-file="$work/out" --toggle-collect=faassim_measured \
        "$program" $arguments $invocations >/dev/null 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
    awk -v name="$name" -v n=$invocations '/Collected/ { printf "%s,%.0f\n", name, $NF / n }' "$work/log" >> "$work/new.csv"
done <<< "$cases"

if [ "${1:-}" = --renew ]; then
    cp "$work/new.csv" $figures
    cat $figures
    exit
fi
awk -F, '
    NR == FNR { before[$1] = $2; next }
    FNR == 1 { printf "%-26s %10s %10s %8s\n", "instructions/invocation", "committed", "now", "change"; next }
    !($1 in before) { printf "%-26s %10s %10d   NEW: renew the figures\n", $1, "-", $2; bad = 1; next }
    {
        change = 100 * ($2 / before[$1] - 1)
        printf "%-26s %10d %10d %+7.1f %%%s\n", $1, before[$1], $2, change, (change > 10 ? "  TOO MUCH" : "")
        if (change > 10) bad = 1
    }
    END {
        if (bad) print "\nif the growth is worth it, renew the figures: scripts/instructions.sh --renew"
        exit bad
    }
' $figures "$work/new.csv"
