//! Programs that the operating system provides: found, or installed where that is possible.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, bail};

use crate::command;

/// A program that the tests need.
pub(crate) struct Installed {
    /// The variable that names it, both for us and for the tests.
    pub(crate) variable: &'static str,
    /// What it is called on different systems.
    pub(crate) names: &'static [&'static str],
    /// The oldest major version that will do.
    pub(crate) oldest: u32,
    /// Its package in Debian.
    pub(crate) package: &'static str,
}

/// The variables that tell the tests where the programs are.
pub(crate) fn provide(programs: &[Installed]) -> Result<Vec<(&'static str, PathBuf)>> {
    let is_missing = |program: &&Installed| program.find().is_none();
    let missing: Vec<&Installed> = programs.iter().filter(is_missing).collect();
    if let Some(named) = missing
        .iter()
        .find(|program| env::var_os(program.variable).is_some())
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
                .map(|program| program.package)
                .collect::<Vec<_>>(),
        )?;
    }
    let mut found = Vec::new();
    for program in programs {
        let Some(path) = program.find() else {
            bail!(
                "{} is still missing or older than version {}: install it, or name it in the variable {}",
                program.names[0],
                program.oldest,
                program.variable
            );
        };
        found.push((program.variable, path));
    }
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
            "the tests need {list}; install them first, on Debian with \
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

/// The first number in what a program prints as its version.
fn major(text: &str) -> Option<u32> {
    text.split_whitespace()
        .find_map(|word| word.split('.').next()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_programs_say_of_themselves() {
        assert_eq!(
            major("Chromium 156.0.8078.79 built on Debian GNU/Linux 12 (bookworm)"),
            Some(156)
        );
        assert_eq!(major("ChromeDriver 156.0.8078.79 (a21ce95c)"), Some(156));
        assert_eq!(major("Mozilla Firefox 153.7.0esr"), Some(153));
        assert_eq!(
            major("TShark (Wireshark) 4.0.17 (Git v4.0.17 packaged as 4.0.17-0+deb12u3)."),
            Some(4)
        );
        assert_eq!(major("no number"), None);
    }
}
