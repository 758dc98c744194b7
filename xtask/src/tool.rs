//! Tools that come from crates.io, at exact versions.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::{command, workspace};

/// A program from crates.io.
#[derive(Debug)]
pub(crate) struct Tool {
    /// The crate.
    package: &'static str,
    /// The program that the crate installs.
    program: &'static str,
    /// The only version that will do.
    version: String,
    /// Whether the versions in the crate's own lock file are used.
    dependencies: Dependencies,
    /// Cargo features, or none for the crate's default ones.
    features: Option<&'static str>,
    /// Roughly how long its build takes on two cores.
    duration: &'static str,
}

/// Which versions of its dependencies a tool is built with.
#[derive(Debug, Clone, Copy)]
enum Dependencies {
    /// Those that its author published it with.
    Locked,
    /// The newest compatible ones.
    Newest,
}

/// Trunk. Version 0.22 needs a newer Rust than the workspace states.
pub(crate) fn trunk() -> Tool {
    Tool {
        package: "trunk",
        program: "trunk",
        version: "0.21.14".to_owned(),
        dependencies: Dependencies::Locked,
        features: Some("rustls"),
        duration: "3 to 8 minutes",
    }
}

/// The wasm-bindgen command line, which must be of the library's version to the last digit.
pub(crate) fn wasm_bindgen() -> Result<Tool> {
    Ok(Tool {
        package: "wasm-bindgen-cli",
        program: "wasm-bindgen",
        version: workspace::locked_version("wasm-bindgen")?,
        // Its published lock file names a version that not every registry has.
        dependencies: Dependencies::Newest,
        features: None,
        duration: "1 to 2 minutes",
    })
}

/// The WebDriver server for Firefox, which Debian does not package.
pub(crate) fn geckodriver() -> Tool {
    Tool {
        package: "geckodriver",
        program: "geckodriver",
        version: "0.37.1".to_owned(),
        dependencies: Dependencies::Locked,
        features: None,
        duration: "1 to 2 minutes",
    }
}

impl Tool {
    /// Where the tool is, if it is there at the right version.
    pub(crate) fn find(&self) -> Option<PathBuf> {
        let path = command::find(&[self.program])?;
        let text = command::output(command::program(&path).arg("--version"))?;
        states_version(&text, &self.version).then_some(path)
    }

    /// Where the tool is, after installing it if need be.
    pub(crate) fn provide(&self) -> Result<PathBuf> {
        if let Some(path) = self.find() {
            return Ok(path);
        }
        let mut install = command::cargo();
        install
            .args(["install", self.package, "--version"])
            .arg(format!("={}", self.version));
        // Unoptimised, because building the tool takes longer than all the work that it will ever do here.
        install
            .args(["--debug", "--force", "--quiet", "--root"])
            .arg(workspace::tools());
        if matches!(self.dependencies, Dependencies::Locked) {
            install.arg("--locked");
        }
        if let Some(features) = self.features {
            install.args(["--no-default-features", "--features", features]);
        }
        // One directory for all of them: what two tools need is built once.
        install
            .env("CARGO_TARGET_DIR", workspace::tools().join("build"))
            .env("CARGO_PROFILE_DEV_DEBUG", "0");
        let what = format!("installing {} {}", self.program, self.version);
        command::step(&what, self.duration, &mut install).with_context(|| {
            format!(
                "cannot install {} {}; it needs the network once",
                self.program, self.version
            )
        })?;
        self.find().with_context(|| {
            format!(
                "{} was installed but does not say it is {}",
                self.program, self.version
            )
        })
    }
}

/// Whether the first line of a tool's `--version` has the version as its second word.
fn states_version(text: &str, version: &str) -> bool {
    text.lines()
        .next()
        .and_then(|line| line.split_whitespace().nth(1))
        == Some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_tools_say_of_themselves() {
        assert!(states_version("trunk 0.21.14", "0.21.14"));
        assert!(states_version(
            "geckodriver 0.37.1 (abc 2026-01-01)\n\nThe source …",
            "0.37.1"
        ));
        assert!(!states_version("wasm-bindgen 0.2.13", "0.2.130"));
        assert!(!states_version("", "0.21.14"));
    }

    #[test]
    fn wasm_bindgen_is_the_lock_files() {
        assert_eq!(
            wasm_bindgen().unwrap().version,
            workspace::locked_version("wasm-bindgen").unwrap()
        );
    }
}
