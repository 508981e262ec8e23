//! Fuzzes the reader of Ilúvatar's traces.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| faassim_fuzz::check("iluvatar", &["t.csv", "metadata-t.csv"], "t.csv", data));
