//! Fuzzes the reader of libCacheSim's CSV.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| faassim_fuzz::check("libcachesim", &["t.csv"], "t.csv", data));
