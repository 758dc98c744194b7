//! The same two programs under the machine's own Python and in the browser.

use std::{
    env,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result};

use crate::{
    load::{Sample, Workload},
    program::Program,
};

/// The port in the browser, whose lab is its own.
pub(crate) const PORT: u16 = 8888;

/// The text of the far end.
pub(crate) fn server(port: u16, work: Workload) -> String {
    with_settings(include_str!("server.py"), port, work)
}

/// The text of the near end.
pub(crate) fn client(port: u16, work: Workload) -> String {
    with_settings(include_str!("client.py"), port, work)
}

fn with_settings(text: &str, port: u16, Workload { echoes, bytes }: Workload) -> String {
    format!("PORT, ECHOES, BYTES = {port}, {echoes}, {bytes}\n{text}")
}

/// Runs both under the machine's own Python.
pub(crate) fn measure(work: Workload) -> Result<Sample> {
    let start = |text: String| Program::start(Command::new(python()).args(["-c", &text]));
    let (_server, line) = start(server(0, work))?;
    let port = line
        .strip_prefix("listening ")
        .context("the server says no port")?;
    let (_client, found) = start(client(port.parse()?, work))?;
    read(&found)
}

/// Reads what the near end has found.
pub(crate) fn read(found: &str) -> Result<Sample> {
    serde_json::from_str(found).with_context(|| format!("the near end says {found:?}"))
}

/// What the machine's own Python says it is.
pub(crate) fn version() -> Result<String> {
    let mut command = Command::new(python());
    let output = command.arg("--version").stderr(Stdio::inherit()).output();
    let output = output.context("a native Python is needed to compare with")?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// What `SOCKETPAD_PYTHON` names, or the one on the PATH.
fn python() -> String {
    env::var("SOCKETPAD_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}
