//! Builds and starts the binary `socketpad`.

use std::{
    path::PathBuf,
    process::{Command, ExitCode},
};

use anyhow::Result;

use crate::{command, page, workspace};

/// Makes the release binary, which contains the page, and says where it is.
pub(crate) fn release() -> Result<PathBuf> {
    page::build()?;
    command::run(command::cargo().args([
        "build",
        "--release",
        "--package",
        "relay",
        "--features",
        "embed",
    ]))?;
    Ok(binary("release"))
}

/// Makes the unoptimised binary without a page, and says where it is.
pub(crate) fn debug() -> Result<PathBuf> {
    command::run(command::cargo().args(["build", "--package", "relay"]))?;
    Ok(binary("debug"))
}

/// Builds what changed and becomes `socketpad`.
pub(crate) fn serve(arguments: &[String]) -> Result<ExitCode> {
    let binary = release()?;
    become_program(command::program(binary).args(arguments))
}

fn binary(profile: &str) -> PathBuf {
    workspace::target()
        .join(profile)
        .join("socketpad")
        .with_extension(std::env::consts::EXE_EXTENSION)
}

/// Replaces this process, so that signals go straight to the program.
#[cfg(unix)]
fn become_program(command: &mut Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(command.exec().into())
}

#[cfg(not(unix))]
fn become_program(command: &mut Command) -> Result<ExitCode> {
    let status = command.status()?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
