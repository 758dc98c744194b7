//! Tells whether files changed since they were last built from.

use std::{
    fmt, fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context, Result};

/// Directories that are results, not sources.
const NOT_SOURCES: [&str; 4] = ["node_modules", "__pycache__", "target", ".git"];

/// A number that changes when the files change. Another compiler may compute another one: then it is built again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint(u64);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Fingerprint {
    /// Of the names and contents of all files below these paths.
    pub(crate) fn of_sources(paths: impl IntoIterator<Item = PathBuf>) -> Result<Self> {
        let mut files = Vec::new();
        for path in paths {
            collect(&path, &mut files)?;
        }
        files.sort();
        Self::of_files(files)
    }

    /// Of the names and contents of these files.
    pub(crate) fn of_files(files: impl IntoIterator<Item = PathBuf>) -> Result<Self> {
        let mut hasher = DefaultHasher::new();
        for file in files {
            let bytes =
                fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            (file, bytes).hash(&mut hasher);
        }
        Ok(Self(hasher.finish()))
    }

    /// Of the names, sizes and times of all files below a directory: for results, which are large and only need to be
    /// recognised as those that were left there.
    pub(crate) fn of_results(directory: &Path) -> Result<Self> {
        let mut files = Vec::new();
        collect(directory, &mut files)?;
        files.sort();
        let mut hasher = DefaultHasher::new();
        for file in files {
            let entry = file.metadata()?;
            let modified = entry.modified()?.duration_since(SystemTime::UNIX_EPOCH)?;
            (file, entry.len(), modified).hash(&mut hasher);
        }
        Ok(Self(hasher.finish()))
    }
}

/// Adds the file, or all files below the directory; what is not there adds nothing.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_dir() {
        for entry in
            fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?
        {
            let entry = entry?;
            if !NOT_SOURCES.iter().any(|name| entry.file_name() == *name) {
                collect(&entry.path(), files)?;
            }
        }
    } else if path.is_file() {
        files.push(path.to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An empty directory that goes away with the test.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let path =
                std::env::temp_dir().join(format!("socketpad-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn sources(&self) -> Fingerprint {
            Fingerprint::of_sources([self.0.clone()]).unwrap()
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn content_and_names_count_and_results_do_not() {
        let scratch = Scratch::new("fingerprint");
        fs::write(scratch.0.join("a.rs"), "one").unwrap();
        let first = scratch.sources();
        fs::create_dir(scratch.0.join("node_modules")).unwrap();
        fs::write(scratch.0.join("node_modules/x.js"), "package").unwrap();
        assert_eq!(scratch.sources(), first);
        fs::write(scratch.0.join("a.rs"), "two").unwrap();
        let second = scratch.sources();
        assert_ne!(second, first);
        fs::rename(scratch.0.join("a.rs"), scratch.0.join("b.rs")).unwrap();
        assert_ne!(scratch.sources(), second);
    }

    #[test]
    fn a_result_that_was_touched_is_noticed() {
        let scratch = Scratch::new("results");
        fs::write(scratch.0.join("page.html"), "one").unwrap();
        let first = Fingerprint::of_results(&scratch.0).unwrap();
        assert_eq!(Fingerprint::of_results(&scratch.0).unwrap(), first);
        fs::write(scratch.0.join("page.html"), "longer").unwrap();
        assert_ne!(Fingerprint::of_results(&scratch.0).unwrap(), first);
    }
}
