//! What the whole-product tests are made of.
//!
//! Nothing here imitates the product: a test has a real relay on a port of its own, and drives it with a client that
//! speaks the real protocol or with a real browser; and what a program prints in the browser is compared with what
//! the same file prints under the machine's own Python.
//!
//! # Layout
//!
//! - [`TestRelay`], [`MortalRelay`], [`Metrics`]: a relay, one that can be killed, and its counts; [`Standalone`]: one as a program of its own.
//! - [`Ask`], [`Answer`]: a request over HTTP.
//! - [`Raw`], [`Dial`], [`Wire`], [`Client`]: the protocol, from single bytes to a process that keeps it.
//! - [`Detour`]: a way to the relay on which connections can be lost.
//! - [`Viewer`]: a stream of events.
//! - [`Exchange`]: the programs under `tests/exchanges`.
//! - [`Engine`], [`Page`]: a page in a browser.
//! - [`Native`]: the machine's own Python, on a loopback of its own.
//! - [`Stage`], [`Twin`]: where an exchange is played, page or native, so that a test tells its story once.
//! - [`Console`]: what a process printed, in a form that can be compared.
//! - [`program`], [`figures`]: other programs that are measured, and tables of what was found.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, and everything here is for tests"
)]

mod client;
mod console;
mod detour;
mod exchange;
pub mod figures;
mod http;
mod metrics;
mod mortal;
mod native;
mod page;
pub mod program;
mod raw;
mod relay;
mod stage;
mod standalone;
mod viewer;
mod wait;
mod wire;

pub use client::{Client, Datagram, Names, Node, at, local, unix};
pub use console::Console;
pub use detour::{Detour, Way};
pub use exchange::Exchange;
pub use http::{Answer, Ask};
pub use metrics::Metrics;
pub use mortal::MortalRelay;
pub use native::{Cards, Native, Rights, python};
pub use page::{Engine, Page, browse};
pub use raw::{Opcode, Raw};
pub use relay::TestRelay;
pub use stage::{Stage, Twin, compare, compare_on_both, compare_on_namespaces};
pub use standalone::{Descriptors, Standalone};
pub use viewer::Viewer;
pub use wait::{DEADLINE, eventually};
pub use wire::{Dial, Wire};
