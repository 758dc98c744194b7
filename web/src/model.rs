//! What the page knows and decides, without a browser.
//!
//! [`playground`] is the whole: it takes events and answers with effects, which `platform` carries out. Its parts are
//! state machines of their own:
//!
//! - [`exchange`]: the files and the processes that run them.
//! - [`saved`]: the exchange as it is kept between visits.
//! - [`process`]: what one process is doing.
//! - [`console`]: what one process printed and was given.
//! - [`workers`]: which worker boots when, and which one waits warm.
//! - [`lineup`]: "Run all", one process after the other.
//! - [`message`]: what page and worker say to each other.
//! - [`words`]: what people read, in their language; [`status`] puts states into them.

pub mod console;
pub mod exchange;
pub mod lineup;
pub mod message;
pub mod playground;
pub mod process;
pub mod saved;
pub mod status;
pub mod words;
pub mod workers;
