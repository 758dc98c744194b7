//! What a reviewer would otherwise have to look for: the house rules that can be checked by reading the files.
//!
//! - [`source`]: what every source file is like, and who may import what.
//! - [`document`]: what the documents link to is there.
//! - [`panic`]: what a peer can reach is checked for panics.
//! - [`protocol`]: the document describes what the code says.
//! - [`version`]: what must be of the same version is.
//! - [`licence`]: nothing comes in under terms that bind whoever copies the binary.

mod document;
mod licence;
mod panic;
mod protocol;
mod source;
mod version;

use std::{fs, path::Path, process::Command};

use crate::workspace::root;

/// What counts as source.
const SOURCES: [&str; 6] = ["rs", "js", "mjs", "cjs", "py", "css"];

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All files of the project, those not yet committed included, relative to its root.
fn files() -> Vec<String> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git is needed to list the project's files");
    let text = String::from_utf8(output.stdout).unwrap();
    let files: Vec<String> = text
        .lines()
        .filter(|path| root().join(path).is_file())
        .map(str::to_owned)
        .collect();
    assert!(
        files.iter().any(|path| path == "Cargo.toml"),
        "git lists no files"
    );
    files
}

fn extension(path: &str) -> &str {
    Path::new(path)
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default()
}

fn sources() -> impl Iterator<Item = String> {
    files()
        .into_iter()
        .filter(|path| SOURCES.contains(&extension(path)))
}

#[track_caller]
fn assert_none(complaint: &str, found: impl IntoIterator<Item = String>) {
    let found: Vec<String> = found.into_iter().collect();
    assert!(found.is_empty(), "{complaint}:\n  {}", found.join("\n  "));
}

/// The text between the first occurrence of `before` and the next of `after`.
fn between<'a>(text: &'a str, before: &str, after: char) -> &'a str {
    let start = text
        .find(before)
        .unwrap_or_else(|| panic!("{before} is not there"))
        + before.len();
    text[start..].split(after).next().unwrap()
}
