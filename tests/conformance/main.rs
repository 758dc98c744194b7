//! `cargo xtask conformance`: CPython's own tests, natively and in processes of the product, and what became of each.
//!
//! The tests are Debian's package of them, unmodified. [`suite.py`](../suite.py) runs one module and tells each result
//! in a line of its own; the same text runs in Debian's CPython and, in Chromium, in the product. A test that says
//! nothing for too long is given up, and the rest of its module runs again without it.
//!
//! Results are kept in `target/conformance/results`, one file for each module, and `docs/CONFORMANCE.md` is written from
//! all that are there; so a single module can be run again.
//!
//! # Layout
//!
//! - [`module`]: which modules there are, and what the command line asks for.
//! - [`log`]: what has been told of a module's tests, as a state machine.
//! - [`place`]: where a module runs: [`machine`] is native, [`product`] is the page.
//! - [`reason`]: why tests fail that do.
//! - [`report`]: the document.

#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it prints a report"
)]

mod log;
mod machine;
mod module;
mod place;
mod product;
mod reason;
mod report;

use std::{
    collections::VecDeque,
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Mutex, PoisonError},
    thread,
};

use anyhow::{Context as _, Result};

use crate::{
    log::Results,
    module::Choice,
    report::{Module, Report},
};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let choice = Choice::read(arguments)?;
    let home = PathBuf::from(env::var_os("SOCKETPAD_SUITE").context(
        "SOCKETPAD_SUITE does not name the unpacked tests: run `cargo xtask conformance`",
    )?);
    let results = home.join("results");
    fs::create_dir_all(&results)?;
    let waiting = Mutex::new(VecDeque::from(choice.modules));
    let failed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..choice.jobs.get() {
            scope.spawn(|| {
                while let Some(module) = next(&waiting) {
                    if let Err(error) = measure(module, &home, &results) {
                        lock(&failed).push(error.context(module));
                    }
                }
            });
        }
    });
    let report = Report::read(&results)?;
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/CONFORMANCE.md");
    fs::write(&document, report.to_string())?;
    println!("\n{}", report.table());
    println!("docs/CONFORMANCE.md is written");
    match lock(&failed).pop() {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

fn next(waiting: &Mutex<VecDeque<&'static str>>) -> Option<&'static str> {
    lock(waiting).pop_front()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a module in both places and keeps what was found.
fn measure(module: &'static str, home: &Path, results: &Path) -> Result<()> {
    let native = machine::run(module, &home.join("root"))?;
    let product = product::run(module)?;
    println!(
        "{module}: natively {}, here {}",
        native.counts(),
        product.counts()
    );
    let found = Module {
        name: module.to_owned(),
        native,
        product,
    };
    let path = results.join(format!("{module}.json"));
    fs::write(path, serde_json::to_string_pretty(&found)?)?;
    Ok(())
}

/// The program for a module: the plan, and the text that carries it out.
fn program(module: &str, done: &Results, archive: Option<&str>) -> String {
    let plan = serde_json::json!({
        "module": module,
        "done": done.names().collect::<Vec<_>>(),
        "archive": archive.unwrap_or_default(),
    });
    // A JSON text of strings and lists is a Python expression too.
    format!("PLAN = {plan}\n{}", include_str!("suite.py"))
}
