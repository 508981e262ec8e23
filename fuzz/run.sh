#!/usr/bin/env bash
# A bounded run of every fuzz target: fuzz/run.sh [SECONDS per target, default 60]. Needs `cargo install cargo-fuzz`.
# No sanitizer: the program is safe Rust, and without one any toolchain will do. Stops at the first crash.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-60}
cargo fuzz build --sanitizer none --codegen-units 16
built=${CARGO_TARGET_DIR:-target}/$(rustc -vV | sed -n 's/^host: //p')/release
for target in fuzz_targets/*.rs; do
    target=$(basename "$target" .rs)
    mkdir -p "corpus/$target" "artifacts/$target"
    log=$(mktemp)
    if ! "$built/$target" "corpus/$target" "seeds/$target" -artifact_prefix="artifacts/$target/" \
        -max_total_time="$seconds" -rss_limit_mb=2048 -max_len=4096 -timeout=20 -seed=1 -print_final_stats=1 \
        >"$log" 2>&1; then
        tail -40 "$log"
        exit 1
    fi
    awk -v target="$target" '/number_of_executed_units/ {runs = $2} /peak_rss_mb/ {rss = $2}
        / cov: / {for (i = 1; i < NF; i++) if ($i == "cov:") cov = $(i + 1)}
        END {printf "| `%s` | %s | %s | %s MiB | none |\n", target, runs, cov, rss}' "$log"
    rm -f "$log"
done
