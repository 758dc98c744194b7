//! Node.js and the npm packages.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::{command, fingerprint::Fingerprint, workspace};

/// The oldest major version of Node.js that will do.
const OLDEST: u32 = 20;

/// Sees to it that Node.js is there and the packages of the lock file are installed.
pub(crate) fn provide() -> Result<()> {
    let version = command::output(command::program("node").arg("--version"));
    let Some(version) = version else {
        bail!(
            "Node.js is missing: install version {OLDEST} or newer (https://nodejs.org), npm included"
        );
    };
    if major(&version).is_none_or(|major| major < OLDEST) {
        bail!(
            "Node.js is too old ({version}): install version {OLDEST} or newer (https://nodejs.org)"
        );
    }
    install()
}

/// Installs when the lock file changed since the last time; scripts of packages are never run.
fn install() -> Result<()> {
    let www = workspace::www();
    let wanted = Fingerprint::of_files([www.join("package-lock.json"), www.join("package.json")])?
        .to_string();
    let stamp = www.join("node_modules/.socketpad");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let npm = command::find(&["npm", "npm.cmd"])
        .context("npm is missing: it is part of Node.js, or a package beside it")?;
    command::step(
        "installing the npm packages",
        "about 10 seconds",
        command::program(npm)
            .args(["ci", "--ignore-scripts", "--silent"])
            .current_dir(&www),
    )
    .context("npm could not install the packages; it needs the network once")?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}

fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_nodes_version() {
        assert_eq!(major("v20.20.2"), Some(20));
        assert_eq!(major("v8.0.0"), Some(8));
        assert_eq!(major("20"), None);
    }
}
