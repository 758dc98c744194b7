//! What `cargo test` said, counted.

use std::fmt;

/// The results of all test binaries of a run.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    /// Tests that passed.
    passed: usize,
    /// Tests that failed.
    failed: usize,
    /// The runner's own result lines, with the step that they belong to.
    results: Vec<String>,
    /// The names of the tests that failed, with the step.
    failures: Vec<String>,
}

impl Summary {
    /// Takes note of a line of the test runner's standard output.
    pub(crate) fn read(&mut self, step: &str, line: &str) {
        if let Some(result) = line.strip_prefix("test result: ") {
            self.passed += count(result, "passed");
            self.failed += count(result, "failed");
            // Most doc-test runs are empty; saying so each time hides the others.
            if !result.starts_with("ok. 0 passed") {
                self.results.push(format!("{step}: {line}"));
            }
        } else if let Some(name) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.strip_suffix(" ... FAILED"))
        {
            self.failures.push(format!("{step}: {name}"));
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for failure in &self.failures {
            writeln!(f, "FAILED {failure}")?;
        }
        for result in &self.results {
            writeln!(f, "{result}")?;
        }
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// The number before a word, as in `ok. 12 passed; 0 failed; …`.
fn count(result: &str, word: &str) -> usize {
    let words: Vec<&str> = result
        .split([' ', ';'])
        .filter(|word| !word.is_empty())
        .collect();
    let pair = words.windows(2).find(|pair| pair[1] == word);
    pair.and_then(|pair| pair[0].parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_up_and_names_failures() {
        let mut summary = Summary::default();
        for line in [
            "running 3 tests",
            "test codec::round_trip ... ok",
            "test codec::golden ... FAILED",
            "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.02s",
        ] {
            summary.read("tests", line);
        }
        summary.read(
            "tests",
            "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out",
        );
        summary.read(
            "browser",
            "test result: ok. 40 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out",
        );
        let text = summary.to_string();
        assert_eq!(text.lines().next(), Some("FAILED tests: codec::golden"));
        assert_eq!(text.lines().count(), 4);
        assert_eq!(text.lines().last(), Some("42 passed, 1 failed"));
    }
}
