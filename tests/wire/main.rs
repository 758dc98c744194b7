//! Real hosts on the relay's switch: what its conditions do to TCP and UDP, and what tshark reads in its record.
//!
//! `cargo xtask test` finds or installs tshark and runs these.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod follow;
mod lab;
mod shark;
mod tcp;
mod udp;
