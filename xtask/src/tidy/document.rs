//! The documents lead somewhere: what they link to is there.

use std::path::{Component, Path, PathBuf};

use super::{assert_none, extension, files, read};
use crate::workspace::root;

/// The targets of a document's links, without those of other sites and without code blocks.
fn targets(document: &str) -> Vec<&str> {
    document
        .split("```")
        .step_by(2)
        .flat_map(|text| text.split("](").skip(1))
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target)
        .filter(|target| !target.contains("://"))
        .collect()
}

/// The name by which a heading is linked to, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter_map(|letter| match letter {
        ' ' => Some('-'),
        letter if letter.is_alphanumeric() || "-_".contains(letter) => Some(letter),
        _ => None,
    });
    kept.flat_map(char::to_lowercase).collect()
}

/// The path without its `..`, relative to the root.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

#[test]
fn every_link_leads_somewhere() {
    let mut broken = Vec::new();
    for path in files().into_iter().filter(|path| extension(path) == "md") {
        let text = read(&path);
        for target in targets(&text) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let place = match file {
                "" => PathBuf::from(&path),
                file => plain(&Path::new(&path).with_file_name("").join(file)),
            };
            let is_there = root().join(&place).exists()
                && (heading.is_empty()
                    || read(&place.to_string_lossy())
                        .lines()
                        .filter_map(|line| line.strip_prefix('#'))
                        .any(|line| anchor(line.trim_start_matches('#')) == heading));
            if !is_there {
                broken.push(format!("{path}: {target}"));
            }
        }
    }
    assert_none("these links lead nowhere", broken);
}

#[test]
fn finds_links_and_names_headings() {
    let document = "[a](x.md#b) ![](y.png)\n```\n[no](z)\n```\n[c](https://example.org) [d](#e)";
    assert_eq!(targets(document), ["x.md#b", "y.png", "#e"]);
    assert_eq!(anchor(" How one `recv()` travels"), "how-one-recv-travels");
}
