//! What has been told of a module's tests: no I/O, lines are passed in.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// Every line of the report begins with it, because tests print too; `suite.py` has it as well.
const MARK: char = '\u{2}';

/// What became of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    /// It passed.
    Passed,
    /// It was left out, by its own decision.
    Skipped,
    /// It failed.
    Failed,
    /// Nothing was heard of it any more.
    Hung,
    /// The process ended in the middle of it.
    Died,
}

/// What became of a test, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    /// What became of it.
    pub(crate) outcome: Outcome,
    /// The test's own words.
    pub(crate) why: String,
}

/// The tests of a module by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Results(BTreeMap<String, Told>);

impl Results {
    /// The tests' names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The tests and what became of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Told)> {
        self.0.iter().map(|(name, told)| (name.as_str(), told))
    }

    /// What became of a test, if it was there.
    pub(crate) fn of(&self, name: &str) -> Option<&Told> {
        self.0.get(name)
    }

    /// How many came to this.
    pub(crate) fn count(&self, outcome: Outcome) -> usize {
        self.iter()
            .filter(|(_, told)| told.outcome == outcome)
            .count()
    }

    /// The counts in words.
    pub(crate) fn counts(&self) -> Counts<'_> {
        Counts(self)
    }
}

/// How many tests passed, failed and were left out.
pub(crate) struct Counts<'a>(&'a Results);

impl fmt::Display for Counts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |outcome| self.0.count(outcome);
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            count(Outcome::Passed),
            count(Outcome::Failed) + count(Outcome::Hung) + count(Outcome::Died),
            count(Outcome::Skipped),
        )
    }
}

/// How far a module has come.
#[derive(Debug, Default)]
pub(crate) struct Log {
    results: Results,
    /// The test that has begun and not ended.
    running: Option<String>,
    /// Whether the module has said that it is done.
    is_done: bool,
}

/// A line of the report.
#[derive(Deserialize)]
struct Line {
    test: String,
    outcome: String,
    why: String,
}

impl Log {
    /// What was told so far.
    pub(crate) fn results(&self) -> &Results {
        &self.results
    }

    /// Whether the module has told everything.
    pub(crate) fn is_done(&self) -> bool {
        self.is_done
    }

    /// A line of what the program has printed. Says whether it was one of the report.
    pub(crate) fn line(&mut self, line: &str) -> bool {
        let Some(line) = line.strip_prefix(MARK) else {
            return false;
        };
        let Ok(Line { test, outcome, why }) = serde_json::from_str(line) else {
            return false;
        };
        let outcome = match outcome.as_str() {
            "begin" => {
                self.running = Some(test);
                return true;
            }
            "end" => {
                self.is_done = true;
                self.running = None;
                return true;
            }
            "passed" => Outcome::Passed,
            "skipped" => Outcome::Skipped,
            _ => Outcome::Failed,
        };
        if self.running.as_ref() == Some(&test) {
            self.running = None;
        }
        self.results.0.insert(test, Told { outcome, why });
        true
    }

    /// Nothing more comes of this run. The test that was running is to blame, and the rest can run again; if there was
    /// none, the module itself is broken and nothing can.
    pub(crate) fn broke_off(&mut self, outcome: Outcome, why: &str) {
        self.is_done = self.running.is_none();
        let test = self
            .running
            .take()
            .unwrap_or_else(|| "(the module)".to_owned());
        let why = why.to_owned();
        self.results.0.insert(test, Told { outcome, why });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(test: &str, outcome: &str) -> String {
        format!("{MARK}{{\"test\": \"{test}\", \"outcome\": \"{outcome}\", \"why\": \"w\"}}")
    }

    #[test]
    fn what_tests_print_themselves_is_no_report() {
        let mut log = Log::default();
        assert!(!log.line("test passed"));
        assert!(!log.line("\u{2}not JSON"));
        assert_eq!(log.results(), &Results::default());
    }

    #[test]
    fn a_module_tells_each_test_and_its_end() {
        let mut log = Log::default();
        for (test, outcome) in [("a", "begin"), ("a", "passed"), ("b", "skipped")] {
            assert!(log.line(&line(test, outcome)));
        }
        assert!(!log.is_done());
        assert!(log.line(&line("", "end")));
        assert!(log.is_done());
        assert_eq!(log.results().count(Outcome::Passed), 1);
        assert_eq!(log.results().count(Outcome::Skipped), 1);
    }

    #[test]
    fn the_test_that_was_running_is_to_blame() {
        let mut log = Log::default();
        log.line(&line("a", "begin"));
        log.broke_off(Outcome::Hung, "silence");
        assert!(!log.is_done());
        assert_eq!(
            log.results().of("a").map(|told| told.outcome),
            Some(Outcome::Hung)
        );
        log.broke_off(Outcome::Died, "no import");
        assert!(log.is_done());
    }
}
