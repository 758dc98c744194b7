//! `cargo xtask conformance`: CPython's own tests, natively and in the product.

mod suite;

use anyhow::Result;

use crate::{browser, command, page};

/// Unpacks the tests, builds the page, and runs the program that runs them. The arguments go to it.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    page::build()?;
    let home = suite::unpack()?;
    let mut cargo = command::cargo();
    cargo
        .env("SOCKETPAD_DIST", suite::page(&home)?)
        .env("SOCKETPAD_SUITE", home)
        .envs(browser::provide()?)
        .args(["run", "--release", "--package", "tests"])
        .args(["--bin", "conformance", "--"])
        .args(arguments);
    command::run(&mut cargo)
}
