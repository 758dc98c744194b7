//! What rustup provides: the wasm target and the components that the checks need.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::command;

const WASM: &str = "wasm32-unknown-unknown";

/// Sees to it that the wasm target is there.
pub(crate) fn provide_wasm_target() -> Result<()> {
    let sysroot = command::output(command::program("rustc").args(["--print", "sysroot"]));
    if sysroot.is_some_and(|path| PathBuf::from(path).join("lib/rustlib").join(WASM).is_dir()) {
        return Ok(());
    }
    if command::find(&["rustup"]).is_none() {
        bail!(
            "the Rust target {WASM} is missing and there is no rustup to add it: install rustup (https://rustup.rs)"
        );
    }
    command::step(
        &format!("adding the Rust target {WASM}"),
        "seconds",
        command::program("rustup").args(["target", "add", WASM]),
    )
}

/// Sees to it that the formatter and the linter are there.
pub(crate) fn provide_components() -> Result<()> {
    for (component, program) in [("rustfmt", "cargo-fmt"), ("clippy", "cargo-clippy")] {
        if command::output(command::program(program).arg("--version")).is_none() {
            command::step(
                &format!("adding the Rust component {component}"),
                "seconds",
                command::program("rustup").args(["component", "add", component]),
            )?;
        }
    }
    Ok(())
}

/// Downloads the crates, because Trunk then builds without the network.
pub(crate) fn fetch_crates() -> Result<()> {
    command::run(command::cargo().args(["fetch", "--quiet"]))
}
