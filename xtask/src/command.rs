//! Running other programs.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// A program that runs in the project's root and finds the installed tools and the npm packages' tools first.
pub(crate) fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(workspace::root()).env("PATH", path());
    command
}

/// Cargo, the one that runs us.
pub(crate) fn cargo() -> Command {
    program(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs it to its end, its output going to the terminal; a failure is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    Ok(())
}

/// Runs a long step, with a line before it that says what it is and roughly how long it takes, and one after it.
pub(crate) fn step(what: &str, duration: &str, command: &mut Command) -> Result<()> {
    println!("{what} (takes {duration}) …");
    let start = Instant::now();
    run(command)?;
    println!("{what}: done in {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// What it prints on its standard output, trimmed; `None` when there is no such program or it fails.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// The first of these programs that is on PATH (the tools' directories included).
pub(crate) fn find(names: &[&str]) -> Option<PathBuf> {
    let path = path();
    names.iter().find_map(|name| {
        env::split_paths(&path)
            .map(|directory| {
                directory
                    .join(name)
                    .with_extension(env::consts::EXE_EXTENSION)
            })
            .find(|candidate| is_program(candidate))
    })
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|entry| entry.is_file() && entry.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

fn path() -> OsString {
    let ours = [
        workspace::tools().join("bin"),
        workspace::www().join("node_modules/.bin"),
    ];
    let inherited = env::var_os("PATH").unwrap_or_default();
    let all = ours.into_iter().chain(env::split_paths(&inherited));
    env::join_paths(all).unwrap_or(inherited)
}

fn shown(command: &Command) -> String {
    let name = Path::new(command.get_program())
        .file_name()
        .unwrap_or_default();
    let words = std::iter::once(name).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_command_that_failed() {
        let error = run(cargo().arg("no-such-subcommand").stderr(Stdio::null())).unwrap_err();
        assert!(
            error.to_string().contains("no-such-subcommand` failed"),
            "{error}"
        );
    }

    #[test]
    fn a_program_that_is_not_there_has_no_output() {
        assert_eq!(output(&mut program("socketpad-has-no-such-program")), None);
        assert_eq!(find(&["socketpad-has-no-such-program"]), None);
    }

    #[test]
    fn finds_cargo() {
        assert!(
            output(cargo().arg("--version"))
                .unwrap()
                .starts_with("cargo ")
        );
        assert!(find(&["no-such-program", "cargo"]).is_some());
    }
}
