//! Why tests do not pass in the product that pass natively.

use crate::log::{Outcome, Told};

/// A reason, and how the tests are known that it holds for.
struct Known {
    /// What the test's name contains.
    name: &'static str,
    /// What its own words contain.
    words: &'static str,
    /// The reason, as the document says it.
    reason: &'static str,
}

const fn known(name: &'static str, words: &'static str, reason: &'static str) -> Known {
    Known {
        name,
        words,
        reason,
    }
}

/// The first that fits counts.
const KNOWN: &[Known] = &[
    known(
        "",
        "does not support processes",
        "it starts another program, and there is none (issue 4)",
    ),
    known(
        "orking",
        "",
        "it needs `os.fork`, which cannot exist in a worker",
    ),
    known(
        "",
        "requires working os.fork",
        "it needs `os.fork`, which cannot exist in a worker",
    ),
    known(
        "",
        "requires subprocess support",
        "it starts another program, and there is none (issue 4)",
    ),
    known(
        "SCMRights",
        "",
        "a descriptor cannot be passed to another worker",
    ),
    known(
        "FDPass",
        "",
        "a descriptor cannot be passed to another worker",
    ),
    known("test_ssl", "", "TLS is not built yet (issue 4)"),
    known("sslproto", "", "TLS is not built yet (issue 4)"),
    known("SSL", "", "TLS is not built yet (issue 4)"),
    known("Https", "", "TLS is not built yet (issue 4)"),
    known(
        "",
        "No module named '_ssl'",
        "TLS is not built yet (issue 4)",
    ),
    known(
        "",
        "No module named 'ssl'",
        "TLS is not built yet (issue 4)",
    ),
    known(
        "multiprocessing",
        "",
        "`multiprocessing` is not built yet (issue 4)",
    ),
    known(
        "",
        "_multiprocessing",
        "`multiprocessing` is not built yet (issue 4)",
    ),
    known(
        "",
        "test requires",
        "CPython's Emscripten build lacks what the test asks for",
    ),
];

/// The reason, if it is known; what the test itself says otherwise.
pub(crate) fn of(name: &str, told: &Told) -> String {
    let fits = |known: &&Known| name.contains(known.name) && told.why.contains(known.words);
    if let Some(known) = KNOWN.iter().find(fits) {
        return known.reason.to_owned();
    }
    let words = match told.why.split_once(" (test_") {
        Some((words, _)) => words,
        None => &told.why,
    };
    let words: String = words.chars().take(120).collect();
    let words = words.replace(['\n', '|', '`'], " ");
    match told.outcome {
        Outcome::Hung => "not understood yet: it hangs".to_owned(),
        Outcome::Died => format!("not understood yet: the process ends ({words})"),
        Outcome::Skipped => format!("it leaves itself out: {words}"),
        Outcome::Failed | Outcome::Passed => format!("not understood yet: {words}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_said_and_everything_else_in_the_words_of_the_test() {
        let told = |outcome, why: &str| Told {
            outcome,
            why: why.to_owned(),
        };
        let of = |name, outcome, why| of(name, &told(outcome, why));
        assert!(of("a.ForkingServer", Outcome::Failed, "").contains("os.fork"));
        assert_eq!(
            of("a", Outcome::Failed, "OSError: no (test_socket.py:3)"),
            "not understood yet: OSError: no"
        );
        assert_eq!(of("a", Outcome::Hung, "x"), "not understood yet: it hangs");
        assert_eq!(
            of("a", Outcome::Skipped, "no pipe"),
            "it leaves itself out: no pipe"
        );
    }
}
