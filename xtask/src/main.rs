//! `cargo xtask`: all set-up and every chore of the project, in one place.
//!
//! # Layout
//!
//! - [`workspace`]: where everything lies.
//! - [`command`]: runs other programs, with the tools on their PATH.
//! - [`tool`], [`toolchain`], [`node`], [`browser`], [`setup`]: find what is needed or install it into `target/tools`.
//! - [`fingerprint`]: tells whether anything changed since the last build.
//! - [`page`], [`weight`], [`relay`], [`dev`], [`crossing`]: build, weigh and run the product.
//! - [`step`], [`summary`], [`binary`], [`mod@test`], [`mod@bench`], [`peers`], [`soak`], [`conformance`]: check and measure it.
//!
//! The tidy checks (what a reviewer would otherwise have to look for) are the tests in `tidy`.
//!
//! # What the browser tests and the benchmarks are told
//!
//! `cargo xtask test` and `cargo xtask bench` set these variables; each path is absolute.
//!
//! | variable | what it names |
//! |---|---|
//! | `SOCKETPAD_DIST` | the directory of the built page, with its compressed siblings |
//! | `CHROMIUM` | the Chromium (or Chrome) to drive |
//! | `CHROMEDRIVER` | the WebDriver server that fits it |
//! | `FIREFOX` | the Firefox to drive |
//! | `GECKODRIVER` | its WebDriver server |
//! | `SOCKETPAD_PYTHON` | read, not set: the native Python to compare with, when it is not the one on PATH |
//! | `SOCKETPAD_BINARY` | `bench` and `soak` only: the release binary |
//! | `SOCKETPAD_PEERS` | `bench peers` only: where other relays are installed |
//! | `SOCKETPAD_SUITE` | `conformance` only: where CPython's tests are unpacked and results are kept |
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "talking to the person at the terminal is what this program does"
)]

mod bench;
mod binary;
mod browser;
mod command;
mod conformance;
mod crossing;
mod dev;
mod fingerprint;
mod installed;
mod node;
mod page;
mod peers;
mod relay;
mod setup;
mod soak;
mod step;
mod summary;
mod test;
#[cfg(test)]
mod tidy;
mod tool;
mod toolchain;
mod tshark;
mod weight;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
cargo xtask COMMAND

  setup              finds what the build needs and installs what is missing into target/tools
  serve [ARGUMENTS]  builds what changed and starts Socketpad; ARGUMENTS go to the binary (try `serve --help`)
  build              makes target/release/socketpad, the one file to copy to a server
  dev                serves the page from its sources and rebuilds page and relay on every change
  test [--only STEP] runs every check and every test, those in real browsers included
  bench [ARGUMENTS]  builds for release and prints the table of measurements
  soak [ARGUMENTS]   builds for release and lets many labs echo for a while; fails if anything grows or is lost
  conformance [ARGUMENTS]
                     runs CPython's own tests natively and in the product, and writes docs/CONFORMANCE.md
  help               prints this
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<ExitCode> {
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", arguments),
    };
    match command {
        "setup" => setup::for_build()?,
        "build" => {
            let binary = relay::release()?;
            println!("{}", binary.display());
        }
        "serve" => return relay::serve(rest),
        "dev" => dev::run(rest)?,
        "test" => return test::run(rest),
        "bench" => bench::run(rest)?,
        "soak" => return soak::run(rest),
        "conformance" => conformance::run(rest)?,
        "help" | "--help" | "-h" => print!("{HELP}"),
        other => bail!("there is no command `{other}`\n\n{HELP}"),
    }
    Ok(ExitCode::SUCCESS)
}
