//! Fuzzes the reader of native traces of counts.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| faassim_fuzz::check("native", &["functions.csv", "counts.csv"], "", data));
