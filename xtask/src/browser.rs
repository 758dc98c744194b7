//! The browsers that the tests drive, with their WebDriver servers.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, bail};

use crate::{command, tool};

/// A browser or a driver that the operating system provides.
struct Installed {
    /// The variable that names it, both for us and for the tests.
    variable: &'static str,
    /// What it is called on different systems.
    names: &'static [&'static str],
    /// The oldest major version with JavaScript Promise Integration, which the interpreter needs to block.
    oldest: u32,
    /// Its package in Debian.
    package: &'static str,
}

const CHROMIUM: Installed = Installed {
    variable: "CHROMIUM",
    names: &[
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    ],
    oldest: 137,
    package: "chromium",
};

const CHROMEDRIVER: Installed = Installed {
    variable: "CHROMEDRIVER",
    names: &["chromedriver"],
    oldest: 137,
    package: "chromium-driver",
};

const FIREFOX: Installed = Installed {
    variable: "FIREFOX",
    names: &["firefox-esr", "firefox"],
    oldest: 153,
    package: "firefox-esr",
};

const FROM_SYSTEM: [Installed; 3] = [CHROMIUM, CHROMEDRIVER, FIREFOX];

/// The variables that tell the tests where the browsers and their drivers are.
pub(crate) fn provide() -> Result<Vec<(&'static str, PathBuf)>> {
    let is_missing = |browser: &&Installed| browser.find().is_none();
    let missing: Vec<&Installed> = FROM_SYSTEM.iter().filter(is_missing).collect();
    if let Some(named) = missing
        .iter()
        .find(|browser| env::var_os(browser.variable).is_some())
    {
        bail!(
            "what {} names is no {} of version {} or newer",
            named.variable,
            named.names[0],
            named.oldest
        );
    }
    if !missing.is_empty() {
        install(
            &missing
                .iter()
                .map(|browser| browser.package)
                .collect::<Vec<_>>(),
        )?;
    }
    let mut found = Vec::new();
    for browser in &FROM_SYSTEM {
        let Some(path) = browser.find() else {
            bail!(
                "{} is still missing or older than version {}: install it, or name it in the variable {}",
                browser.names[0],
                browser.oldest,
                browser.variable
            );
        };
        found.push((browser.variable, path));
    }
    let geckodriver = match env::var_os("GECKODRIVER") {
        Some(path) => path.into(),
        None => tool::geckodriver().provide()?,
    };
    found.push(("GECKODRIVER", geckodriver));
    Ok(found)
}

impl Installed {
    /// Where it is, if it is there and new enough.
    fn find(&self) -> Option<PathBuf> {
        let path = match env::var_os(self.variable) {
            Some(path) => path.into(),
            None => command::find(self.names)?,
        };
        let text = command::output(command::program(&path).arg("--version"))?;
        (self.oldest <= major(&text)?).then_some(path)
    }
}

/// Installs Debian packages, or says which to install.
fn install(packages: &[&str]) -> Result<()> {
    let list = packages.join(" ");
    let is_root = command::output(command::program("id").arg("-u")).is_some_and(|id| id == "0");
    if !is_root || !Path::new("/usr/bin/apt-get").exists() {
        bail!(
            "the browser tests need {list}; install them first, on Debian with \
             `sudo apt-get install --no-install-recommends {list}`"
        );
    }
    println!("installing {list} with apt-get (takes 1 to 2 minutes)");
    // Without a fresh index the packages' addresses may be out of date; a failure shows in the next command.
    let _ = command::run(apt_get().arg("update"));
    command::run(
        apt_get()
            .args(["install", "-y", "--no-install-recommends"])
            .args(packages),
    )
}

fn apt_get() -> Command {
    let mut command = command::program("apt-get");
    command
        .args(["-qq"])
        .env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// The first number in what a browser prints as its version.
fn major(text: &str) -> Option<u32> {
    text.split_whitespace()
        .find_map(|word| word.split('.').next()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_browsers_say_of_themselves() {
        assert_eq!(
            major("Chromium 156.0.8078.79 built on Debian GNU/Linux 12 (bookworm)"),
            Some(156)
        );
        assert_eq!(major("ChromeDriver 156.0.8078.79 (a21ce95c)"), Some(156));
        assert_eq!(major("Mozilla Firefox 153.7.0esr"), Some(153));
        assert_eq!(major("no number"), None);
    }
}
