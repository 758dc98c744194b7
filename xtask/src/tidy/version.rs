//! What must be of the same version is.

use super::{assert_none, between, read};

#[test]
fn versions_that_must_match_do() {
    let pinned = read("Cargo.toml");
    let pinned = between(&pinned, "\nwasm-bindgen = \"=", '"');
    let lock = read("Cargo.lock");
    let locked = between(&lock, "\nname = \"wasm-bindgen\"\nversion = \"", '"');
    assert_eq!(pinned, locked, "wasm-bindgen in Cargo.toml and Cargo.lock");

    let packages = read("www/package.json");
    let binaryen = between(&packages, "\"binaryen\": \"", '.');
    let trunk = read("Trunk.toml");
    assert_eq!(
        between(&trunk, "wasm_opt = \"version_", '"'),
        binaryen,
        "wasm-opt in Trunk.toml and package.json"
    );

    let pyodide = between(&packages, "\"pyodide\": \"", '"');
    assert!(
        read("www/build/notices.txt").contains(&format!("version {pyodide},")),
        "Pyodide in notices.txt"
    );
}

#[test]
fn npm_packages_are_exact_and_from_no_particular_registry() {
    let manifest = read("www/package.json");
    let ranges = manifest.lines().filter(|line| {
        ["\"^", "\"~", "\"*", "\"latest"]
            .iter()
            .any(|mark| line.contains(mark))
    });
    assert_none(
        "www/package.json has versions that may change",
        ranges.map(str::to_owned),
    );
    let lock = read("www/package-lock.json");
    assert!(
        !lock.contains("\"resolved\""),
        "www/package-lock.json names a registry: see www/.npmrc"
    );
}
