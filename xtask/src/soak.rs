//! `cargo xtask soak`: lets many labs echo against the release build for a while.

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::{command, relay};

/// Builds what is needed and runs it. The arguments go to the program, whose status says whether anything was wrong.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let binary = relay::release()?;
    let mut cargo = command::cargo();
    cargo.env("SOCKETPAD_BINARY", binary);
    cargo.args([
        "run",
        "--release",
        "--package",
        "tests",
        "--bin",
        "soak",
        "--",
    ]);
    let status = cargo
        .args(arguments)
        .status()
        .context("cannot start cargo")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
