//! The relay on the network of real hosts: the stories that both networks tell alike, and those that only this one can.
//!
//! The shared ones are those of `tests/integration`, compiled once more, so that there is one text of them.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../integration/accept.rs"]
mod accept;
#[path = "../integration/addresses.rs"]
mod addresses;
#[path = "../integration/api.rs"]
mod api;
#[path = "../integration/casts.rs"]
mod casts;
#[path = "../integration/control.rs"]
mod control;
#[path = "../integration/datagram.rs"]
mod datagram;
#[path = "../integration/ending.rs"]
mod ending;
#[path = "../integration/events.rs"]
mod events;
#[path = "../integration/flow.rs"]
mod flow;
#[path = "../integration/hostile.rs"]
mod hostile;
mod hosts;
#[path = "../integration/labs.rs"]
mod labs;
mod link_api;
mod links;
#[path = "../integration/option.rs"]
mod option;
#[path = "../integration/pattern.rs"]
mod pattern;
mod raw;
mod record;
mod remains;
mod rights;
#[path = "../integration/stream.rs"]
mod stream;
#[path = "../integration/udplite.rs"]
mod udplite;
#[path = "../integration/unix.rs"]
mod unix;
#[path = "../integration/urgent.rs"]
mod urgent;

use relay::{NetworkKind, Options};
use tests::TestRelay;

/// What the relays of this binary have in common.
fn options() -> Options {
    Options {
        network: NetworkKind::Namespaces,
        ..Options::default()
    }
}

async fn relay() -> TestRelay {
    TestRelay::with(options()).await
}
