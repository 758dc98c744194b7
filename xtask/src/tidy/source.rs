//! What every source file is like, and who may import what.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use super::{assert_none, extension, files, read, sources};
use crate::workspace::root;

/// Lines that a source file may have.
const LONGEST: usize = 500;

/// Module names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 10] = [
    "utils", "util", "helpers", "helper", "manager", "common", "misc", "stuff", "lib2", "mod",
];

/// Comes together with `#![allow]` and its like.
const REASON: &str = "reason =";

#[test]
fn no_file_is_too_long() {
    let long = sources().filter_map(|path| {
        let lines = read(&path).lines().count();
        (LONGEST < lines).then(|| format!("{path}: {lines} lines"))
    });
    assert_none("split these by noun", long);
}

#[test]
fn names_say_what_is_inside() {
    let empty = sources().filter(|path| {
        Path::new(path)
            .with_extension("")
            .iter()
            .any(|part| EMPTY_NAMES.iter().any(|name| part == *name))
    });
    assert_none("these names say nothing", empty);
}

#[test]
fn every_source_begins_with_an_overview() {
    let silent = sources().filter(|path| {
        let text = read(path);
        let first = text
            .lines()
            .find(|line| !line.starts_with("#!"))
            .unwrap_or_default();
        let marks: &[&str] = match extension(path) {
            "rs" => &["//!"],
            "py" => &["\"\"\"", "#"],
            _ => &["//", "/*"],
        };
        !text.is_empty() && !marks.iter().any(|mark| first.starts_with(mark))
    });
    assert_none("these do not begin by saying what they are", silent);
}

#[test]
fn nothing_is_left_over() {
    // Written so that this file does not find itself.
    let marks = [
        "TO\x44O",
        "FIX\x4dE",
        "XX\x58",
        "to\x64o!(",
        "unimplemen\x74ed!(",
        "#[ign\x6fre",
        "db\x67!(",
    ];
    let mut found = Vec::new();
    for path in sources() {
        for (index, line) in read(&path).lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) {
                found.push(format!("{path}:{}: {}", index + 1, line.trim()));
            }
        }
    }
    assert_none("finish these, or delete them", found);
}

#[test]
fn every_exception_from_a_lint_has_a_reason() {
    let mut found = Vec::new();
    for path in sources().filter(|path| extension(path) == "rs") {
        let text = read(&path);
        for (at, _) in text
            .match_indices("[allow(")
            .chain(text.match_indices("[expect("))
        {
            let attribute = text[at..].split(']').next().unwrap_or_default();
            let is_attribute = text[..at].ends_with(['#', '!']);
            if is_attribute && !attribute.contains(REASON) {
                found.push(format!("{path}: {attribute}"));
            }
        }
    }
    assert_none("say why", found);
}

#[test]
fn no_file_names_this_machine() {
    // Whoever writes such a path writes it on the machine that it is of, so it is enough to look for this one's.
    let directories = [
        Some(root().to_owned()),
        root().parent().map(Path::to_owned),
        env::home_dir(),
    ];
    // Every machine has these.
    let is_everywhere = |path: &Path| env::temp_dir().starts_with(path);
    let named = directories
        .iter()
        .flatten()
        .filter(|path| !is_everywhere(path));
    let marks: Vec<String> = named.map(|path| format!("{}/", path.display())).collect();
    let mut found = Vec::new();
    for path in files() {
        // What is not text (pictures) has no paths.
        let Ok(text) = fs::read_to_string(root().join(&path)) else {
            continue;
        };
        for (index, line) in text
            .lines()
            .enumerate()
            .filter(|(_, line)| marks.iter().any(|mark| line.contains(mark)))
        {
            found.push(format!("{path}:{}: {}", index + 1, line.trim()));
        }
    }
    assert_none("these paths are of one machine", found);
}

#[test]
fn the_protocol_does_no_io() {
    let manifest = read("protocol/Cargo.toml");
    let forbidden = [
        "tokio",
        "web-sys",
        "js-sys",
        "wasm-bindgen",
        "axum",
        "socket2",
        "rustix",
        "leptos",
    ];
    let found = forbidden
        .iter()
        .filter(|name| manifest.contains(*name))
        .map(|name| (*name).to_owned());
    assert_none(
        "protocol/ is types and codec only, but its Cargo.toml names",
        found,
    );
}

#[test]
fn only_the_view_knows_the_framework() {
    let outside = sources().filter(|path| {
        path.starts_with("web/src/")
            && !path.starts_with("web/src/view/")
            && !["web/src/view.rs", "web/src/bin/app.rs"].contains(&path.as_str())
            && read(path).contains("leptos::")
    });
    assert_none(
        "only web/src/view and web/src/bin/app.rs may import leptos",
        outside,
    );
}

#[test]
fn the_scripts_that_machines_run_can_be_run() {
    let path: PathBuf = root().join(".ci/run");
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.contains("cargo xtask test"),
        ".ci/run does not run the tests"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert!(
            path.metadata().unwrap().permissions().mode() & 0o111 != 0,
            ".ci/run cannot be executed"
        );
    }
}
