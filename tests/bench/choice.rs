//! What the command line asks for.

use anyhow::{Result, bail};

/// A part of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// One small message to and fro.
    Echo,
    /// Many bytes one way.
    Bulk,
    /// From the page's address to the first output.
    Start,
    /// What the relay needs for idle processes and sockets.
    Memory,
}

/// How much work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Enough for figures that mean something.
    Full,
    /// Enough to see that everything works.
    Quick,
}

/// Whether browsers take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Browsers {
    /// They do.
    Included,
    /// Native programs only.
    Excluded,
}

/// What is measured.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// The only part, unless all are wanted.
    only: Option<Part>,
    /// How much work is done.
    pub(crate) effort: Effort,
    /// Whether browsers take part in `echo` and `bulk`.
    pub(crate) browsers: Browsers,
}

const USAGE: &str = "usage: cargo xtask bench [--only echo|bulk|start|memory] [--quick] [--native]

  --only PART  measures this part alone
  --quick      does little, only to see that everything works
  --native     leaves the browser out of echo and bulk";

impl Choice {
    /// Reads the arguments.
    pub(crate) fn read(arguments: &[String]) -> Result<Self> {
        let mut choice = Self {
            only: None,
            effort: Effort::Full,
            browsers: Browsers::Included,
        };
        let mut words = arguments.iter().map(String::as_str);
        while let Some(word) = words.next() {
            match word {
                "--quick" => choice.effort = Effort::Quick,
                "--native" => choice.browsers = Browsers::Excluded,
                "--only" => {
                    choice.only = Some(match words.next() {
                        Some("echo") => Part::Echo,
                        Some("bulk") => Part::Bulk,
                        Some("start") => Part::Start,
                        Some("memory") => Part::Memory,
                        Some(_) | None => bail!("{USAGE}"),
                    });
                }
                _ => bail!("{USAGE}"),
            }
        }
        Ok(choice)
    }

    /// Whether a part is wanted.
    pub(crate) fn has(&self, part: Part) -> bool {
        self.only.is_none_or(|only| only == part)
    }

    /// The first number, or the second one when little is to be done.
    pub(crate) fn amount<T>(&self, full: T, quick: T) -> T {
        match self.effort {
            Effort::Full => full,
            Effort::Quick => quick,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Choice> {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        Choice::read(&words)
    }

    #[test]
    fn everything_is_measured_unless_one_part_is_named() {
        let all = read(&[]).unwrap();
        assert!(all.has(Part::Echo) && all.has(Part::Memory));
        let one = read(&["--quick", "--only", "memory"]).unwrap();
        assert!(!one.has(Part::Echo) && one.has(Part::Memory));
        assert_eq!(one.amount(10, 1), 1);
        assert!(read(&["--only"]).is_err());
        assert!(read(&["memory"]).is_err());
    }
}
