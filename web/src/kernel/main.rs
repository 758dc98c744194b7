//! The process kernel: what stands between the interpreter's system calls and the relay.
//!
//! It is a module of its own and runs in the process's worker, beside the interpreter. It never suspends and
//! never holds payload: bytes go from the WebSocket's buffers to the program's memory and back in one copy, and the
//! kernel decides which.
//!
//! # Layout
//!
//! - `process`: the state machine, without I/O; `socket`, `inbox`, `epoll` and `wait` are its parts.
//! - `tape`: what is kept of what was said, so that a lost connection can be resumed.
//! - `sockaddr`, `addresses`, `inet6`, `kind`, `lookup`, `services`, `emscripten`: how addresses, kinds of socket, names
//!   and error numbers look to the interpreter.
//! - `reporter`: what the process tells of its calls while its lab is watched.
//! - `bridge`: the system calls as the worker's glue calls them, with `memory` and `outbox` for the bytes.
//! - `shim`: the module between the interpreter and the bridge, generated when this crate is built.

#![cfg_attr(
    not(target_arch = "wasm32"),
    allow(
        dead_code,
        unused_imports,
        reason = "only the bridge uses everything, and it needs a browser's memory"
    )
)]

#[cfg(any(test, target_arch = "wasm32"))]
mod addresses;
#[cfg(any(test, target_arch = "wasm32"))]
mod ancillary;
#[cfg(target_arch = "wasm32")]
mod bridge;
#[cfg(any(test, target_arch = "wasm32"))]
mod emscripten;
#[cfg(any(test, target_arch = "wasm32"))]
mod epoll;
#[cfg(any(test, target_arch = "wasm32"))]
mod inbox;
#[cfg(any(test, target_arch = "wasm32"))]
mod inet6;
#[cfg(any(test, target_arch = "wasm32"))]
mod kind;
#[cfg(any(test, target_arch = "wasm32"))]
mod lookup;
#[cfg(target_arch = "wasm32")]
mod memory;
#[cfg(target_arch = "wasm32")]
mod outbox;
#[cfg(any(test, target_arch = "wasm32"))]
mod process;
#[cfg(any(test, target_arch = "wasm32"))]
mod reporter;
#[cfg(any(test, target_arch = "wasm32"))]
mod services;
#[cfg(any(test, target_arch = "wasm32"))]
mod shim;
#[cfg(any(test, target_arch = "wasm32"))]
mod sockaddr;
#[cfg(any(test, target_arch = "wasm32"))]
mod socket;
#[cfg(any(test, target_arch = "wasm32"))]
mod tape;
#[cfg(any(test, target_arch = "wasm32"))]
mod thresholds;
#[cfg(any(test, target_arch = "wasm32"))]
mod wait;

/// Nothing happens at the start: the worker's glue calls the exports. On other machines there is nothing but the tests.
fn main() {}
