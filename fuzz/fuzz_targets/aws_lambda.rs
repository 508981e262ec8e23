//! Fuzzes the reader of runs on AWS Lambda.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| faassim_fuzz::check("aws-lambda", &["t.csv"], "t.csv", data));
