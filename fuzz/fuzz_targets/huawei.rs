//! Fuzzes the reader of Huawei's traces.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| faassim_fuzz::check("huawei", &["requests_minute/day_000.csv", "function_delay_minute/day_000.csv"], "requests_minute", data));
