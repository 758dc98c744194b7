//! The modules of CPython's tests that are run, and which of them this time.

use std::num::NonZeroUsize;

use anyhow::{Context as _, Result, bail};

/// The modules, in the order of the report; `xtask` makes the archive of the tests from the same list.
const LIST: &str = include_str!("modules.txt");

/// The modules.
pub(crate) fn modules() -> impl Iterator<Item = &'static str> {
    LIST.lines()
}

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Choice {
    /// What to run.
    pub(crate) modules: Vec<&'static str>,
    /// How many at a time.
    pub(crate) jobs: NonZeroUsize,
}

impl Choice {
    /// Reads `[--jobs N] [--report] [MODULE…]`; a module stands for itself and for what is inside.
    pub(crate) fn read(arguments: &[String]) -> Result<Self> {
        let mut jobs = NonZeroUsize::MIN.saturating_add(1);
        let mut chosen = Vec::new();
        let mut all = true;
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--jobs" => {
                    jobs = arguments
                        .next()
                        .and_then(|text| text.parse().ok())
                        .context("--jobs needs a number from 1 on")?;
                }
                "--report" => all = false,
                name => {
                    all = false;
                    let inside = format!("{name}.");
                    let named =
                        modules().filter(|module| *module == name || module.starts_with(&inside));
                    let before = chosen.len();
                    chosen.extend(named);
                    if chosen.len() == before {
                        bail!(
                            "there is no module `{name}`; there are {}",
                            LIST.trim_end().replace('\n', ", ")
                        );
                    }
                }
            }
        }
        if all {
            chosen = modules().collect();
        }
        Ok(Self {
            modules: chosen,
            jobs,
        })
    }
}
