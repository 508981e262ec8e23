//! The `faassim` command. Owns nothing but the exit code; every command lives in `cli`.

fn main() {}
