//! CPython's tests and the CPython they belong to, from Debian's packages; nothing of them is ever committed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use crate::{command, workspace};

/// The tests, the interpreter, and the libraries that it needs: the machine may be an older Debian.
const PACKAGES: &[&str] = &[
    "busybox-static",
    "libbz2-1.0",
    "libc-bin",
    "libc6",
    "libexpat1",
    "libffi8",
    "libgcc-s1",
    "liblzma5",
    "libncursesw6",
    "libpython3.14-minimal",
    "libpython3.14-stdlib",
    "libpython3.14-testsuite",
    "libreadline8t64",
    "libsqlite3-0",
    "libssl3t64",
    "libtinfo6",
    "libuuid1",
    "libzstd1",
    "media-types",
    "netbase",
    "openssl",
    "python3.14",
    "python3.14-minimal",
    "tzdata",
    "zlib1g",
];

/// Where Debian has them.
const SOURCE: &str = "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian sid main\n";

/// The modules' names begin with it; what else is in `test` is what they import.
const TEST: &str = "test_";

/// The modules that are run: a name, or names inside a package.
const MODULES: &str = include_str!("../../../tests/conformance/modules.txt");

/// Modules that those import.
const IMPORTED: &[&str] = &["test_contextlib", "test_urllib", "test_urllib2"];

/// Downloads and unpacks them below `target/conformance`, once, and says where that is.
pub(super) fn unpack() -> Result<PathBuf> {
    let home = workspace::target().join("conformance");
    let root = home.join("root");
    if root.join("usr/bin/python3.14").exists() {
        return Ok(home);
    }
    for directory in ["apt/lists/partial", "apt/cache/archives/partial", "debs"] {
        fs::create_dir_all(home.join(directory))?;
    }
    fs::write(home.join("apt/sources.list"), SOURCE)?;
    command::step(
        "finding CPython's tests in Debian",
        "half a minute",
        apt_get(&home).arg("update"),
    )
    .context("the tests are downloaded with apt-get, which only Debian and its kin have")?;
    command::step(
        "downloading CPython's tests",
        "half a minute",
        apt_get(&home)
            .current_dir(home.join("debs"))
            .arg("download")
            .args(PACKAGES),
    )?;
    let unpacked = home.join("root.part");
    for entry in fs::read_dir(home.join("debs"))? {
        let mut dpkg = command::program("dpkg-deb");
        command::run(dpkg.arg("-x").arg(entry?.path()).arg(&unpacked))?;
    }
    furnish(&unpacked)?;
    fs::rename(unpacked, root)?;
    Ok(home)
}

/// An apt-get that knows only this source and keeps to itself.
fn apt_get(home: &Path) -> std::process::Command {
    let mut apt = command::program("apt-get");
    apt.arg("-qq");
    for (option, place) in [
        ("Dir::Etc::sourcelist", "apt/sources.list"),
        ("Dir::State::lists", "apt/lists"),
        ("Dir::Cache", "apt/cache"),
    ] {
        apt.arg("-o")
            .arg(format!("{option}={}", home.join(place).display()));
    }
    apt.args(["-o", "Dir::Etc::sourceparts=-"]);
    apt.args(["-o", "Dir::State::status=/dev/null"]);
    apt.args(["-o", "APT::Sandbox::User=root"]);
    apt
}

/// Makes of the unpacked packages a machine that a program can be in.
fn furnish(root: &Path) -> Result<()> {
    for directory in ["dev", "proc", "tmp", "var/tmp"] {
        fs::create_dir_all(root.join(directory))?;
    }
    for (link, target) in [
        ("lib", "usr/lib"),
        ("lib64", "usr/lib64"),
        ("bin", "usr/bin"),
    ] {
        let link = root.join(link);
        if !link.exists() {
            std::os::unix::fs::symlink(target, link)?;
        }
    }
    let shell = root.join("usr/bin/sh");
    if !shell.exists() {
        std::os::unix::fs::symlink("busybox", shell)?;
    }
    for (file, text) in [
        ("etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"),
        ("etc/nsswitch.conf", "hosts: files\nservices: files\n"),
        (
            "etc/passwd",
            "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
        ),
        ("etc/group", "root:x:0:\nnogroup:x:65534:\n"),
    ] {
        fs::write(root.join(file), text)?;
    }
    Ok(())
}

/// A page that also serves the tests: the built one with `suite.zip`.
pub(super) fn page(home: &Path) -> Result<PathBuf> {
    let page = home.join("page");
    if page.exists() {
        fs::remove_dir_all(&page)?;
    }
    copy(&workspace::dist(), &page, &|_| true)?;
    let archive = home.join("suite.zip");
    if !archive.exists() {
        let tests = home.join("suite/test");
        copy(
            &home.join("root/usr/lib/python3.14/test"),
            &tests,
            &is_needed,
        )?;
        let python = command::find(&["python3", "python"]).context("python3 is missing")?;
        let mut zip = command::program(python);
        command::run(zip.args(["-m", "zipfile", "-c"]).arg(&archive).arg(&tests))?;
    }
    fs::copy(archive, page.join("suite.zip"))?;
    Ok(page)
}

/// Whether something in `test` is run, or is imported by what is.
fn is_needed(name: &str) -> bool {
    let module = name.strip_suffix(".py").unwrap_or(name);
    name != "__pycache__"
        && (!module.starts_with(TEST)
            || IMPORTED.contains(&module)
            || MODULES
                .lines()
                .any(|line| line.split('.').next() == Some(module)))
}

/// Copies a directory; what is directly inside is asked for by name.
fn copy(from: &Path, to: &Path, is_wanted: &dyn Fn(&str) -> bool) -> Result<()> {
    if !from.is_dir() {
        bail!("{} is missing", from.display());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if !is_wanted(&entry.file_name().to_string_lossy()) {
            continue;
        }
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target, &|name| name != "__pycache__")?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
