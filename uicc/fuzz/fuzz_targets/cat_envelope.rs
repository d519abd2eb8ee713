//! Fuzzes the decoder of envelopes: no panic, and what is accepted reads back the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| uicc_fuzz::reads_back!(uicc::cat::Envelope, bytes));
