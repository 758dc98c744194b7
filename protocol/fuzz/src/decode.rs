//! Reads what libFuzzer makes up. The body is also run by the protocol's own tests, on mutated valid frames.

#![no_main]

#[path = "../../tests/wire/decode_anything.rs"]
mod decode_anything;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| decode_anything::decode_anything(bytes));
