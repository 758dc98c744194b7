//! How much a browser downloads, from what the build left in `dist/`.

use std::{fmt, fs, path::Path};

use anyhow::{Context, Result, bail};

/// What a first visit may transfer before anything is run, in bytes.
const BEFORE_RUN: u64 = 600_000;

/// What a first visit may transfer in all, the interpreter included, in bytes.
const IN_ALL: u64 = 7_000_000;

/// Bytes on the wire: of each file its brotli form, where there is one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Weight {
    /// The page itself.
    page: u64,
    /// What the first Run adds: the interpreter, and what runs beside it.
    process: u64,
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [page, all] = [self.page, self.page + self.process].map(|bytes| bytes.div_ceil(1000));
        write!(
            f,
            "a first visit transfers {page} kB before Run and {all} kB in all"
        )
    }
}

impl Weight {
    /// Of a built page.
    pub(crate) fn of(dist: &Path) -> Result<Self> {
        let mut weight = Self::default();
        weight.add(dist, dist)?;
        Ok(weight)
    }

    /// Whether it is what we promise.
    pub(crate) fn check(self) -> Result<()> {
        if BEFORE_RUN < self.page || IN_ALL < self.page + self.process {
            bail!(
                "{self}; it may be {} kB and {} kB",
                BEFORE_RUN / 1000,
                IN_ALL / 1000
            );
        }
        Ok(())
    }

    fn add(&mut self, dist: &Path, directory: &Path) -> Result<()> {
        for entry in fs::read_dir(directory)
            .with_context(|| format!("cannot read {}", directory.display()))?
        {
            let path = entry?.path();
            if path.is_dir() {
                self.add(dist, &path)?;
                continue;
            }
            let name = path.strip_prefix(dist)?.to_string_lossy().into_owned();
            if name.ends_with(".br") || name.ends_with(".gz") || name == "licences.txt" {
                continue;
            }
            let compressed = fs::metadata(dist.join(format!("{name}.br")));
            let bytes = compressed.or_else(|_| path.metadata())?.len();
            let belongs_to_process = ["pyodide", "process", "kernel"]
                .iter()
                .any(|start| name.starts_with(start));
            *(if belongs_to_process {
                &mut self.process
            } else {
                &mut self.page
            }) += bytes;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_the_compressed_form_once() {
        let dist = std::env::temp_dir().join(format!("socketpad-weight-{}", std::process::id()));
        fs::create_dir_all(dist.join("pyodide")).unwrap();
        for (name, size) in [
            ("index.html", 900),
            ("app.wasm", 5000),
            ("app.wasm.br", 1000),
            ("app.wasm.gz", 1500),
            ("licences.txt", 9000),
            ("pyodide/stdlib.zip", 70),
            ("kernel.js", 7),
        ] {
            fs::write(dist.join(name), vec![b' '; size]).unwrap();
        }
        let weight = Weight::of(&dist);
        fs::remove_dir_all(&dist).unwrap();
        assert_eq!(
            weight.unwrap(),
            Weight {
                page: 1900,
                process: 77
            }
        );
    }

    #[test]
    fn the_limits_are_the_promised_ones() {
        assert!(
            Weight {
                page: BEFORE_RUN,
                process: IN_ALL - BEFORE_RUN
            }
            .check()
            .is_ok()
        );
        let error = Weight {
            page: BEFORE_RUN + 1,
            process: 0,
        }
        .check()
        .unwrap_err();
        assert!(error.to_string().contains("601 kB before Run"), "{error}");
        assert!(
            Weight {
                page: 1,
                process: IN_ALL
            }
            .check()
            .is_err()
        );
    }
}
