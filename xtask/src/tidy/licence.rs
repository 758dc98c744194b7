//! Nothing comes in under terms that bind whoever copies the binary.

use std::{collections::BTreeSet, process::Command};

use super::{assert_none, between, read};
use crate::workspace::root;

/// The licences that deny.toml allows.
fn allowed_licences() -> BTreeSet<String> {
    let text = read("deny.toml");
    let list = between(&text, "allow = [", ']');
    list.split(',')
        .map(|item| item.trim().trim_matches('"').to_owned())
        .filter(|item| !item.is_empty())
        .collect()
}

/// Whether an SPDX expression can be met with the allowed licences alone.
fn is_allowed(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let plain = expression.replace(['(', ')'], " ").replace('/', " OR ");
    // Without precedence: a parenthesised OR below an AND is met if one alternative of each OR is.
    if expression.contains('(') {
        return plain
            .split(" AND ")
            .all(|part| part.split(" OR ").any(|name| allowed.contains(name.trim())));
    }
    plain.split(" OR ").any(|part| {
        part.split(" AND ")
            .all(|name| allowed.contains(name.trim()))
    })
}

#[test]
fn understands_licence_expressions() {
    let allowed =
        BTreeSet::from(["MIT", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned));
    for good in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-3.0-only OR MIT",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception OR Apache-2.0",
    ] {
        assert!(is_allowed(good, &allowed), "{good}");
    }
    for bad in [
        "",
        "GPL-3.0-only",
        "MIT AND GPL-3.0-only",
        "(MIT OR Apache-2.0) AND LGPL-3.0-only",
    ] {
        assert!(!is_allowed(bad, &allowed), "{bad}");
    }
}

#[test]
fn every_crate_has_an_allowed_licence() {
    let allowed = allowed_licences();
    let output = Command::new("cargo")
        .args([
            "tree",
            "--workspace",
            "--edges",
            "normal,build,dev",
            "--target",
            "all",
            "--prefix",
            "none",
            "--format",
            "{p}\t{l}",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let packages: BTreeSet<&str> = text.lines().filter(|line| line.contains('\t')).collect();
    assert!(packages.len() > 10, "cargo tree lists {packages:?}");
    let other = packages.into_iter().filter(|line| {
        let licence = line
            .split('\t')
            .nth(1)
            .unwrap_or_default()
            .trim_end_matches(" (*)");
        !is_allowed(licence, &allowed)
    });
    assert_none("deny.toml does not allow", other.map(str::to_owned));
}

#[test]
fn every_npm_package_has_an_allowed_licence() {
    let allowed = allowed_licences();
    let lock = read("www/package-lock.json");
    let licences = lock.lines().filter_map(|line| {
        line.trim()
            .strip_prefix("\"license\": \"")?
            .split('"')
            .next()
    });
    let other: BTreeSet<&str> = licences
        .filter(|licence| !is_allowed(licence, &allowed))
        .collect();
    assert_none(
        "deny.toml does not allow",
        other.into_iter().map(str::to_owned),
    );
}
