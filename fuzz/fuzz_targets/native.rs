//! Fuzzes the reader of native traces.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| faassim_fuzz::check("native", &["functions.csv", "invocations.csv"], "", data));
