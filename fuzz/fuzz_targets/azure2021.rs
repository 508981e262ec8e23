//! Fuzzes the reader of Azure Functions 2021.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| faassim_fuzz::check("azure2021", &["t.csv"], "t.csv", data));
