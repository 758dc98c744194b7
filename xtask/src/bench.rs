//! `cargo xtask bench`: runs the measurements of `tests/` against the release build.

use anyhow::Result;

use crate::{browser, command, peers, relay, workspace};

/// Builds what is measured and prints the table. The arguments go to the benchmark program.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let binary = relay::release()?;
    let mut cargo = command::cargo();
    if arguments.iter().any(|argument| argument == "peers") {
        cargo.env("SOCKETPAD_PEERS", peers::install()?);
    }
    cargo
        .env("SOCKETPAD_BINARY", binary)
        .env("SOCKETPAD_DIST", workspace::dist())
        .envs(browser::provide()?);
    cargo
        .args([
            "run",
            "--release",
            "--package",
            "tests",
            "--bin",
            "bench",
            "--",
        ])
        .args(arguments);
    command::run(&mut cargo)
}
