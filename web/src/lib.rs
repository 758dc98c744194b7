//! The page: what a person sees and does.
//!
//! # Layout
//!
//! - [`model`]: what the page knows and decides; no browser, no framework.
//! - [`platform`]: everything of the browser: workers, editor, storage, clocks.
//! - [`view`]: draws the model, and turns what a person does into the model's events.
//!
//! The process kernel lies beside it, in `kernel/`, and is a module of its own.

pub mod model;
pub mod platform;
pub mod view;
