#!/usr/bin/env bash
# The whole test command: formatting, lints, every test, the cost of an invocation, the documentation, and the README's first command.
# One profile (release) for everything, so that the dependencies are built once.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

step "formatting"
cargo fmt --check
step "lints (warnings are errors)"
cargo clippy --release --all-targets -- -D warnings
step "the core without live mode"
cargo check --release --no-default-features
step "build"
cargo build --release
step "tests"
cargo test --release
step "python actions and their server"
python3 -m unittest discover -s tests/actions
step "live mode on Docker"
if docker image inspect faassim-python:plain >/dev/null 2>&1; then
    # They ran above; here they must not have been left out.
    FAASSIM_DOCKER=required cargo test --release --test live_docker --test live_runs
else
    echo "THE DOCKER TESTS DID NOT RUN: NO ENGINE ANSWERS, OR IT HAS NO IMAGE faassim-python:plain (scripts/build-images.sh)"
fi
step "instructions per invocation"
if command -v valgrind >/dev/null; then
    scripts/instructions.sh
else
    echo "VALGRIND IS MISSING: WHAT AN INVOCATION COSTS WAS NOT CHECKED (apt-get install valgrind)"
fi
step "documentation (warnings are errors)"
RUSTDOCFLAGS="-D warnings" cargo doc --release --no-deps
step "the quick start"
cargo run --release --quiet -- run scenarios/quickstart.toml --no-results
step "reports in a browser"
if command -v node >/dev/null && command -v chromium >/dev/null; then
    pages=$(mktemp -d)
    trap 'rm -rf --one-file-system "$pages"' EXIT
    faassim() { cargo run --release --quiet -- "$@" >/dev/null; }
    faassim run scenarios/quickstart.toml -o "$pages/a"
    faassim run scenarios/quickstart.toml --set eviction=greedy-dual -o "$pages/b"
    faassim report "$pages/a" "$pages/b" -o "$pages/runs.html"
    recorded=docs/validation/size-1500MiB-greedy-dual
    faassim validate scenarios/validate-size.toml --live $recorded.events.jsonl.zst --costs $recorded.costs.toml \
        --set eviction=greedy-dual -o "$pages/validation"
    node scripts/check-report.mjs "$pages/runs.html" "$pages/validation/report.html"
else
    echo "REPORTS WERE NOT OPENED IN A BROWSER: NODE OR CHROMIUM IS MISSING (apt-get install nodejs chromium)"
fi
step "all is well"
