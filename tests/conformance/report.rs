//! What was found, as `docs/CONFORMANCE.md`.

use std::{collections::BTreeMap, fmt, fs, path::Path};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::{
    log::{Outcome, Results},
    module::modules,
    reason,
};

/// How many tests of a kind are named; the others are counted.
const NAMED: usize = 6;

/// What was found of one module.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Module {
    /// Its name, below `test`.
    pub(crate) name: String,
    /// In CPython on this machine.
    pub(crate) native: Results,
    /// In the product.
    pub(crate) product: Results,
}

impl Module {
    /// Of the tests that pass natively, how many there are and how many pass here.
    fn compared(&self) -> (usize, usize) {
        let native = self
            .native
            .iter()
            .filter(|(_, told)| told.outcome == Outcome::Passed);
        native.fold((0, 0), |(all, here), (name, _)| {
            let passes = self
                .product
                .of(name)
                .is_some_and(|told| told.outcome == Outcome::Passed);
            (all + 1, here + usize::from(passes))
        })
    }

    /// The tests that pass natively and not here, by the reason.
    fn missing(&self) -> BTreeMap<String, Vec<&str>> {
        let mut missing: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (name, told) in self.native.iter() {
            if told.outcome != Outcome::Passed {
                continue;
            }
            let reason = match self.product.of(name) {
                Some(here) if here.outcome == Outcome::Passed => continue,
                Some(here) => reason::of(name, here),
                None => match self
                    .product
                    .iter()
                    .find(|(_, told)| whole_module(told.outcome))
                {
                    Some((_, whole)) => reason::of(&self.name, whole),
                    None => "it is not there: the module or its class leaves it out".to_owned(),
                },
            };
            missing.entry(reason).or_default().push(name);
        }
        missing
    }
}

/// Whether a test that is not there may be missing because of another one with this outcome.
fn whole_module(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Died | Outcome::Failed | Outcome::Skipped)
}

/// What was found of all modules.
#[derive(Debug)]
pub(crate) struct Report(Vec<Module>);

impl Report {
    /// Reads what was kept, in the order of the list.
    pub(crate) fn read(results: &Path) -> Result<Self> {
        let mut found = Vec::new();
        for name in modules() {
            let path = results.join(format!("{name}.json"));
            if path.exists() {
                let text = fs::read_to_string(&path)?;
                let module = serde_json::from_str(&text)
                    .with_context(|| format!("{} is damaged", path.display()))?;
                found.push(module);
            }
        }
        Ok(Self(found))
    }

    /// The table alone.
    pub(crate) fn table(&self) -> String {
        let mut table = String::from(
            "| Module | Natively: passed | failed | skipped | Here: passed | failed | hung or died | skipped | Of those that pass natively |\n\
             |---|---|---|---|---|---|---|---|---|\n",
        );
        let mut sum = (0, 0);
        for module in &self.0 {
            let (native, product) = (&module.native, &module.product);
            let (all, here) = module.compared();
            sum = (sum.0 + all, sum.1 + here);
            table += &format!(
                "| {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
                module.name,
                native.count(Outcome::Passed),
                native.count(Outcome::Failed)
                    + native.count(Outcome::Hung)
                    + native.count(Outcome::Died),
                native.count(Outcome::Skipped),
                product.count(Outcome::Passed),
                product.count(Outcome::Failed),
                product.count(Outcome::Hung) + product.count(Outcome::Died),
                product.count(Outcome::Skipped),
                share(all, here),
            );
        }
        table + &format!("| **all** | | | | | | | | {} |\n", share(sum.0, sum.1))
    }
}

/// A share in words.
#[expect(clippy::cast_precision_loss, reason = "there are a few thousand tests")]
fn share(all: usize, here: usize) -> String {
    match all {
        0 => "–".to_owned(),
        _ => format!(
            "{here} of {all} ({:.1} %)",
            100.0 * here as f64 / all as f64
        ),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "# CPython's own tests\n\n\
             This page is written by `cargo xtask conformance`, which runs CPython's own tests in processes of the product, in headless Chromium, and natively beside that.\n\
             The tests are those of Debian's `libpython3.14-testsuite`, unmodified; nothing is left out but what the tests leave out themselves, and each test that passes natively and not here is counted below with its reason.\n\
             They are told that they are on Linux, with sockets and threads, instead of on Emscripten; Debian's package may be some patches newer than the CPython of the product.\n\n",
        )?;
        f.write_str(&self.table())?;
        let is_missing = |name: &&str| self.0.iter().all(|module| module.name != *name);
        let missing: Vec<&str> = modules().filter(is_missing).collect();
        if !missing.is_empty() {
            write!(f, "\nNot run yet: {}.\n", missing.join(", "))?;
        }
        f.write_str("\n## What does not pass, and why\n")?;
        for module in &self.0 {
            let missing = module.missing();
            if missing.is_empty() {
                continue;
            }
            write!(f, "\n### {}\n\n", module.name)?;
            for (reason, tests) in missing {
                let short = |name: &&str| {
                    format!(
                        "`{}`",
                        name.trim_start_matches("test.")
                            .trim_start_matches(&format!("{}.", module.name))
                    )
                };
                let named: Vec<String> = tests.iter().take(NAMED).map(short).collect();
                let more = tests.len().saturating_sub(NAMED);
                let more = match more {
                    0 => String::new(),
                    _ => format!(" and {more} more"),
                };
                writeln!(f, "- {reason}: {}{more}", named.join(", "))?;
            }
        }
        Ok(())
    }
}
