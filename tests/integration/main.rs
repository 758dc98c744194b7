//! The relay over real WebSockets: what a process may ask, what it gets, and what becomes of those that misbehave.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accept;
mod access;
mod addresses;
mod api;
mod casts;
mod churn;
mod control;
mod cut;
mod datagram;
mod ending;
mod events;
mod flood;
mod flow;
mod half_open;
mod handshake;
mod hostile;
mod http;
mod inet6;
mod labs;
mod option;
mod pattern;
mod quota;
mod raw;
mod reach;
mod reset;
mod resume;
mod stream;
mod udplite;
mod unix;
mod urgent;

use relay::Options;
use tests::TestRelay;

/// What the relays of this binary have in common. `tests/namespaces` has the same stories on another network.
fn options() -> Options {
    Options::default()
}

async fn relay() -> TestRelay {
    TestRelay::with(options()).await
}
