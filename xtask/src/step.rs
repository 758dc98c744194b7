//! The steps of `cargo xtask test`: each checks one thing.

use std::{
    env,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::{
    binary, browser, command, node, page, setup, summary::Summary, toolchain, tshark,
    weight::Weight, workspace,
};

/// One step.
pub(crate) struct Step {
    /// What `--only` calls it.
    pub(crate) name: &'static str,
    /// Its headline.
    pub(crate) headline: &'static str,
    /// The step without whose success it makes no sense.
    pub(crate) needs: Option<&'static str>,
    /// Does it. Tests that fail are an error too, after they were counted.
    pub(crate) run: fn(&mut Summary) -> Result<()>,
}

/// All steps, in the order in which they run: what is quick and what others build on come first.
pub(crate) const STEPS: [Step; 13] = [
    Step {
        name: "setup",
        headline: "tools, browsers and tshark are there",
        needs: None,
        run: |_| setup::for_test(),
    },
    Step {
        name: "fmt",
        headline: "Rust is formatted",
        needs: None,
        run: fmt,
    },
    Step {
        name: "eslint",
        headline: "JavaScript passes eslint",
        needs: None,
        run: eslint,
    },
    Step {
        name: "python",
        headline: "Python compiles",
        needs: None,
        run: python,
    },
    Step {
        name: "tidy",
        headline: "xtask's own tests, and the tidy checks",
        needs: None,
        run: tidy,
    },
    Step {
        name: "clippy",
        headline: "clippy, native",
        needs: None,
        run: clippy,
    },
    Step {
        name: "clippy-wasm",
        headline: "clippy, as the browser gets it",
        needs: None,
        run: clippy_wasm,
    },
    Step {
        name: "doc",
        headline: "documentation builds without warnings",
        needs: None,
        run: doc,
    },
    Step {
        name: "tests",
        headline: "unit and integration tests",
        needs: None,
        run: tests,
    },
    Step {
        name: "wire",
        headline: "real hosts on the switch, and tshark reads what it recorded",
        needs: None,
        run: wire,
    },
    Step {
        name: "page",
        headline: "the page builds and is light",
        needs: None,
        run: page_builds,
    },
    Step {
        name: "browser",
        headline: "tests in real browsers",
        needs: Some("page"),
        run: browsers,
    },
    Step {
        name: "binary",
        headline: "the release binary contains the page",
        needs: Some("page"),
        run: |_| binary::check(),
    },
];

fn fmt(_: &mut Summary) -> Result<()> {
    toolchain::provide_components()?;
    command::run(command::cargo().args(["fmt", "--all", "--check"]))
}

fn eslint(_: &mut Summary) -> Result<()> {
    node::provide()?;
    command::run(
        command::program("eslint")
            .args(["--max-warnings", "0", "."])
            .current_dir(workspace::www()),
    )
}

fn python(_: &mut Summary) -> Result<()> {
    let mut files = Vec::new();
    python_files(&workspace::www().join("process"), &mut files)?;
    if files.is_empty() {
        bail!("found no Python in www/process");
    }
    let named = env::var_os("SOCKETPAD_PYTHON").map(PathBuf::from);
    let Some(python) = named.or_else(|| command::find(&["python3", "python"])) else {
        bail!("python3 is missing: install it, for the tests compare with it");
    };
    let mut compile = command::program(python);
    // Keeps what it compiles out of the source tree.
    compile.env("PYTHONPYCACHEPREFIX", workspace::target().join("pycache"));
    command::run(
        compile
            .args(["-W", "error", "-m", "py_compile"])
            .args(files),
    )
}

fn python_files(directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in directory
        .read_dir()
        .with_context(|| format!("cannot read {}", directory.display()))?
    {
        let path = entry?.path();
        if path.is_dir() {
            python_files(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "py") {
            files.push(path);
        }
    }
    Ok(())
}

fn clippy(_: &mut Summary) -> Result<()> {
    toolchain::provide_components()?;
    command::run(command::cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--keep-going",
        "--",
        "-D",
        "warnings",
    ]))
}

fn clippy_wasm(_: &mut Summary) -> Result<()> {
    toolchain::provide_components()?;
    toolchain::provide_wasm_target()?;
    let mut cargo = command::cargo();
    cargo.args([
        "clippy",
        "--package",
        "web",
        "--package",
        "protocol",
        "--target",
        "wasm32-unknown-unknown",
        "--keep-going",
    ]);
    command::run(cargo.args(["--", "-D", "warnings"]))
}

fn doc(_: &mut Summary) -> Result<()> {
    command::run(
        command::cargo()
            .args(["doc", "--workspace", "--no-deps", "--keep-going"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )
}

fn tidy(summary: &mut Summary) -> Result<()> {
    cargo_test(
        "tidy",
        command::cargo().args(["test", "--package", "xtask"]),
        summary,
    )
}

fn tests(summary: &mut Summary) -> Result<()> {
    cargo_test(
        "tests",
        command::cargo().args(["test", "--workspace", "--exclude", "xtask"]),
        summary,
    )
}

fn wire(summary: &mut Summary) -> Result<()> {
    let mut cargo = command::cargo();
    cargo.envs(tshark::provide()?);
    // The whole workspace is named so that its crates have the features that the other tests built them with.
    cargo.args([
        "test",
        "--workspace",
        "--exclude",
        "xtask",
        "--test",
        "wire",
    ]);
    cargo_test("wire", &mut cargo, summary)
}

fn page_builds(_: &mut Summary) -> Result<()> {
    page::build()?;
    let weight = Weight::of(&workspace::dist())?;
    println!("{weight}");
    weight.check()
}

fn browsers(summary: &mut Summary) -> Result<()> {
    page::build()?;
    let mut cargo = command::cargo();
    cargo
        .env("SOCKETPAD_DIST", workspace::dist())
        .envs(browser::provide()?);
    // The whole workspace is named so that its crates have the features that the other tests built them with.
    cargo.args([
        "test",
        "--workspace",
        "--exclude",
        "xtask",
        "--test",
        "browser",
    ]);
    cargo_test("browser", &mut cargo, summary)
}

/// Runs `cargo test`, shows what it prints and counts the results.
fn cargo_test(step: &str, command: &mut Command, summary: &mut Summary) -> Result<()> {
    let mut child = command
        .arg("--no-fail-fast")
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start cargo")?;
    let output = child
        .stdout
        .take()
        .context("cargo has no standard output")?;
    for line in BufReader::new(output).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        println!("{line}");
        summary.read(step, &line);
    }
    if !child.wait()?.success() {
        bail!("tests failed");
    }
    Ok(())
}
