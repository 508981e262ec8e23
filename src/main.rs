//! The `faassim` command. Owns nothing but the exit code; every command lives in `cli`.

fn main() -> std::process::ExitCode {
    faassim::cli::main()
}
