//! Fuzzes the reader of OpenDC's serverless traces.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| faassim_fuzz::check("opendc", &["a.csv", "b.csv"], "", data));
