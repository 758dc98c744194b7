//! Builds the page: everything that a browser loads, in `dist/`.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::Command,
};

use anyhow::{Context, Result};

use crate::{command, fingerprint::Fingerprint, node, setup, workspace};

/// Builds the release page with its compressed siblings, unless it is there already.
pub(crate) fn build() -> Result<()> {
    // Until the end of this function: two builds at once would write into each other's staging directory.
    let _alone = wait_for_others()?;
    if is_fresh()? {
        return Ok(());
    }
    node::provide()?;
    // The interpreter is most of what there is to compress, and does not have to wait for the tools.
    let interpreter = compression().spawn().context("cannot start node")?;
    setup::for_build()?;
    let sources = sources()?;
    command::step(
        "building the page",
        "2 to 4 minutes the first time",
        command::program("trunk").args(["build", "--release"]),
    )?;
    interpreter
        .wait_with_output()
        .context("node ended strangely")?;
    command::step(
        "compressing the page",
        "up to a minute the first time",
        compression().arg(workspace::dist()),
    )?;
    let stamp = stamp();
    fs::write(&stamp, text(sources)?).with_context(|| format!("cannot write {}", stamp.display()))
}

/// Waits while another xtask builds the page; the lock goes with the returned file.
fn wait_for_others() -> Result<File> {
    fs::create_dir_all(workspace::stamps())?;
    let file = File::create(workspace::stamps().join("page.lock"))?;
    if file.try_lock().is_err() {
        println!("waiting for another build of the page …");
        file.lock().context("cannot lock the page's build")?;
    }
    Ok(file)
}

/// Whether `dist/` is what the last build left there, and the sources are what it was built from.
fn is_fresh() -> Result<bool> {
    let Ok(built) = fs::read_to_string(stamp()) else {
        return Ok(false);
    };
    Ok(workspace::dist().join("index.html").is_file() && built == text(sources()?)?)
}

fn text(sources: Fingerprint) -> Result<String> {
    Ok(format!(
        "{sources} {}",
        Fingerprint::of_results(&workspace::dist())?
    ))
}

fn stamp() -> PathBuf {
    workspace::stamps().join("page")
}

/// The state of everything that the page is made of.
fn sources() -> Result<Fingerprint> {
    let names = [
        "Cargo.lock",
        "Cargo.toml",
        "Trunk.toml",
        "rust-toolchain.toml",
        "protocol",
        "web",
        "www",
    ];
    Fingerprint::of_sources(names.map(|name| workspace::root().join(name)))
}

fn compression() -> Command {
    let mut command = command::program("node");
    command
        .arg("www/build/compress.mjs")
        .arg(workspace::target().join("compressed"));
    command
}
