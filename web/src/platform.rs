//! The browser: everything that touches JavaScript, and nothing that decides.
//!
//! - [`conductor`]: carries out what the playground wants done; the view talks to it alone.
//! - [`worker_port`]: a worker and its messages.
//! - `intake`: output that waits to be taken in.
//! - [`editor`]: the CodeMirror shim.
//! - [`store`]: what survives a reload.
//! - [`lab`]: which lab this tab belongs to, and where its relay is.
//! - [`engine_cache`]: whether Python was kept on an earlier visit.
//! - [`clock`]: countdowns and animation frames.
//! - [`browser`]: languages, the theme, shortcuts, what the browser can do.
//! - [`hook`]: `window.socketpad`, for tests and for pages that embed this one.

pub mod browser;
pub mod clock;
pub mod conductor;
pub mod editor;
pub mod engine_cache;
pub mod hook;
mod intake;
pub mod lab;
pub mod store;
pub mod worker_port;
