//! What the command line asks for.

use anyhow::{Result, bail};

/// A part of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// One small message to and fro.
    Echo,
    /// Many bytes one way.
    Bulk,
    /// One small message to and fro beside many bytes on another socket of the same process.
    Neighbour,
    /// A new socket, and a connection from outside to one that listens.
    Opening,
    /// What the relay holds for those who do not read.
    Stall,
    /// Many bytes to and fro, every one compared.
    Exact,
    /// What the relay needs for idle processes and sockets.
    Memory,
    /// How fast labs come, and many at once.
    Labs,
    /// From host to host, through the switch.
    Switch,
    /// From the page's address to the first output.
    Start,
    /// The same load through other relays that registries carry.
    Peers,
}

/// The parts by their names.
const PARTS: [(&str, Part); 11] = [
    ("echo", Part::Echo),
    ("bulk", Part::Bulk),
    ("neighbour", Part::Neighbour),
    ("opening", Part::Opening),
    ("stall", Part::Stall),
    ("exact", Part::Exact),
    ("memory", Part::Memory),
    ("labs", Part::Labs),
    ("switch", Part::Switch),
    ("start", Part::Start),
    ("peers", Part::Peers),
];

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
    /// The parts that are named, or none for all of the product's own.
    parts: Vec<Part>,
    /// How many rounds, unless each part decides.
    rounds: Option<usize>,
    /// How much work is done.
    pub(crate) effort: Effort,
    /// Whether browsers take part in `echo` and `bulk`.
    pub(crate) browsers: Browsers,
}

const USAGE: &str = "usage: cargo xtask bench [PART…] [--rounds N] [--quick] [--native]

  PART        measures only what is named: echo, bulk, neighbour, opening, stall, exact, memory, labs, switch,
              start, peers;
              peers is measured only when it is named, because other relays are installed for it
  --rounds N  how often everything takes turns
  --quick     does little, only to see that everything works
  --native    leaves the browser out of echo and bulk";

impl Choice {
    /// Reads the arguments.
    pub(crate) fn read(arguments: &[String]) -> Result<Self> {
        let mut choice = Self {
            parts: Vec::new(),
            rounds: None,
            effort: Effort::Full,
            browsers: Browsers::Included,
        };
        let mut words = arguments.iter().map(String::as_str);
        while let Some(word) = words.next() {
            match word {
                "--quick" => choice.effort = Effort::Quick,
                "--native" => choice.browsers = Browsers::Excluded,
                "--rounds" => match words.next().map(str::parse) {
                    Some(Ok(rounds @ 1..)) => choice.rounds = Some(rounds),
                    Some(Ok(0) | Err(_)) | None => bail!("{USAGE}"),
                },
                name => match PARTS.iter().find(|(known, _)| *known == name) {
                    Some(&(_, part)) => choice.parts.push(part),
                    None => bail!("{USAGE}"),
                },
            }
        }
        Ok(choice)
    }

    /// Whether a part is wanted.
    pub(crate) fn has(&self, part: Part) -> bool {
        if self.parts.is_empty() {
            return part != Part::Peers;
        }
        self.parts.contains(&part)
    }

    /// How many rounds to do: as many as are asked for, or else the first number, or the second one when little is to be
    /// done.
    pub(crate) fn rounds(&self, full: usize, quick: usize) -> usize {
        self.rounds.unwrap_or_else(|| self.amount(full, quick))
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
    fn everything_is_measured_unless_parts_are_named() {
        let all = read(&[]).unwrap();
        assert!(
            PARTS
                .iter()
                .all(|&(_, part)| all.has(part) == (part != Part::Peers))
        );
        let two = read(&["--quick", "memory", "exact"]).unwrap();
        assert!(!two.has(Part::Echo) && two.has(Part::Memory) && two.has(Part::Exact));
        assert_eq!((two.amount(10, 1), two.rounds(9, 2)), (1, 2));
        assert_eq!(read(&["--rounds", "3"]).unwrap().rounds(9, 2), 3);
        for wrong in [&["--rounds"][..], &["--rounds", "0"], &["--only"], &["all"]] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}
