//! The protocol's promises: what is encoded is decoded, version 1 never changes its bytes, hostile bytes never panic,
//! and `docs/PROTOCOL.md` speaks of everything that exists.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod decode_anything;
mod golden;
mod hostile;
mod prose;
mod round_trip;
mod samples;
mod vocabulary;
