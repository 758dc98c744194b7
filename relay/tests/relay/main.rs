//! The relay from outside: what only shows when all of its parts work together.

#![expect(
    clippy::unwrap_used,
    reason = "a failed step is a failed test, also outside of test functions"
)]

mod client;
mod endings;
mod page;
mod program;
mod sockets;
