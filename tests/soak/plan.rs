//! What the command line asks for.

use std::{str::FromStr, time::Duration};

use anyhow::{Result, bail};

const USAGE: &str = "usage: cargo xtask soak [--labs N] [--processes N] [--minutes N]

  --labs N       how many labs, 200 unless told otherwise
  --processes N  how many processes in each, an even number: 2
  --minutes N    for how long, which may have decimals: 10";

/// The longest that it may run, in minutes.
const LONGEST: f64 = 24.0 * 60.0;

/// How much is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// How many labs.
    pub(crate) labs: u32,
    /// How many pairs of processes in each.
    pub(crate) pairs: u16,
    /// For how long they echo.
    pub(crate) time: Duration,
}

impl Plan {
    /// Reads the arguments.
    pub(crate) fn read(arguments: &[String]) -> Result<Self> {
        let (mut labs, mut processes, mut minutes) = (200, 2, 10.0);
        let mut words = arguments.iter().map(String::as_str);
        while let Some(word) = words.next() {
            match word {
                "--labs" => labs = number(words.next())?,
                "--processes" => processes = number(words.next())?,
                "--minutes" => minutes = number(words.next())?,
                _ => bail!("{USAGE}"),
            }
        }
        let fits = 1 <= labs && 2 <= processes && processes % 2 == 0;
        if !fits || !(0.01..=LONGEST).contains(&minutes) {
            bail!("{USAGE}");
        }
        Ok(Self {
            labs,
            pairs: processes / 2,
            time: Duration::from_secs_f64(60.0 * minutes),
        })
    }
}

fn number<T: FromStr>(word: Option<&str>) -> Result<T> {
    match word.and_then(|word| word.parse().ok()) {
        Some(number) => Ok(number),
        None => bail!("{USAGE}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Plan> {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        Plan::read(&words)
    }

    #[test]
    fn the_issues_load_is_the_default() {
        let plan = Plan {
            labs: 200,
            pairs: 1,
            time: Duration::from_secs(600),
        };
        assert_eq!(read(&[]).unwrap(), plan);
        let short = read(&["--minutes", "0.5", "--processes", "4"]).unwrap();
        assert_eq!((short.pairs, short.time.as_secs()), (2, 30));
        for wrong in [
            &["--labs", "0"][..],
            &["--processes", "3"],
            &["--minutes", "NaN"],
            &["--labs"],
        ] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}
