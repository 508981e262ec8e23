//! Fuzzes the reader of Azure Functions 2019.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| faassim_fuzz::check("azure2019", &["invocations.d01.csv", "durations.d01.csv", "memory.d01.csv"], "", data));
