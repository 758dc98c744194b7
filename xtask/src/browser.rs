//! The browsers that the tests drive, with their WebDriver servers.

use std::{env, path::PathBuf};

use anyhow::Result;

use crate::{
    installed::{self, Installed},
    tool,
};

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
    let mut found = installed::provide(&FROM_SYSTEM)?;
    let geckodriver = match env::var_os("GECKODRIVER") {
        Some(path) => path.into(),
        None => tool::geckodriver().provide()?,
    };
    found.push(("GECKODRIVER", geckodriver));
    Ok(found)
}
