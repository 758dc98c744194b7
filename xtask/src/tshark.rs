//! The reader of packet captures that the tests compare ours with.

use std::path::PathBuf;

use anyhow::Result;

use crate::installed::{self, Installed};

const TSHARK: Installed = Installed {
    variable: "TSHARK",
    names: &["tshark"],
    // The first that shows all options of packets that the tests look at.
    oldest: 4,
    package: "tshark",
};

/// The variable that tells the tests where it is.
pub(crate) fn provide() -> Result<Vec<(&'static str, PathBuf)>> {
    installed::provide(&[TSHARK])
}
