//! Installs the relays that `cargo xtask bench peers` compares with. Nothing else needs them.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::{command, workspace};

/// From PyPI.
const PYTHON: [&str; 2] = ["websockify==0.13.0", "wisp-python==0.9.0"];

/// From crates.io.
const RUST: &str = "wasmnet@0.2.0";

/// From npm.
const NODE: &str = "@mercuryworkshop/wisp-js@0.5.0";

/// Installs what is missing into `target/peers`, and says where that is.
pub(crate) fn install() -> Result<PathBuf> {
    let peers = workspace::target().join("peers");
    let python = peers.join("python");
    if !python.join("bin/websockify").exists() {
        let native = command::find(&["python3", "python"]).context("python3 is missing")?;
        command::run(command::program(native).args(["-m", "venv"]).arg(&python))?;
        let pip = python.join("bin/pip");
        command::run(
            command::program(pip)
                .args(["install", "--quiet"])
                .args(PYTHON),
        )?;
    }
    let node = peers.join("node");
    if !node.join("node_modules/.bin/wisp-js-server").exists() {
        let mut npm = command::program("npm");
        npm.args(["install", "--no-fund", "--no-audit", "--prefix"])
            .arg(&node);
        command::run(npm.arg(NODE))?;
    }
    let cargo = peers.join("cargo");
    if !cargo.join("bin/wasmnet-server").exists() {
        let mut install = command::cargo();
        install
            .args(["install", "--locked", "--quiet", "--root"])
            .arg(&cargo);
        command::run(install.arg(RUST))?;
    }
    Ok(peers)
}
