//! What the process tells of its calls while its lab is watched: which, for how long, and with what result.
//!
//! Only the process knows how long a call has waited. A state machine without a clock: it is told what time it is.
//! It never holds up data: reports leave with what leaves anyway, and calls for which there is no room are counted.

use std::collections::BTreeMap;

use protocol::SocketId;
use protocol::event::{Call, CallReport, MAX_REPORTS, Report, Watch};

/// The most calls that wait at a time and are remembered.
const WAITING: usize = 1024;

/// A call that is being tried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Noted {
    call: Call,
    socket: SocketId,
    /// When it began, in milliseconds of the page's clock.
    begun: f64,
}

/// What is to be reported.
#[derive(Debug, Default)]
pub(crate) struct Reporter {
    watched: bool,
    /// Calls that wait, by the tokens of their next tries.
    waiting: BTreeMap<i32, Noted>,
    /// Calls that are done, and when they were.
    done: Vec<(CallReport, f64)>,
    missed: u64,
    /// The call that is being tried now.
    current: Option<Noted>,
}

impl Reporter {
    /// Takes over whether somebody watches. The answer to being watched is a report, if an empty one: so the relay knows
    /// that the process tells of its calls.
    pub(crate) fn watch(&mut self, watch: Watch) -> Option<Report> {
        let watched = watch == Watch::On;
        if self.watched == watched {
            return None;
        }
        *self = Self {
            watched,
            ..Self::default()
        };
        watched.then(Report::default)
    }

    /// Whether somebody watches.
    pub(crate) fn is_on(&self) -> bool {
        self.watched
    }

    /// A call is tried, for the first time if its token is zero.
    pub(crate) fn tried(&mut self, token: i32, call: Call, socket: SocketId, now: f64) {
        let begun = self.waiting.remove(&token);
        self.current = Some(begun.unwrap_or(Noted {
            call,
            socket,
            begun: now,
        }));
    }

    /// Forgets the call that was tried last, if it never came to its end.
    pub(crate) fn drop_current(&mut self) {
        self.current = None;
    }

    /// The call that was tried waits, and will be tried again with this token.
    pub(crate) fn waits(&mut self, token: i32) {
        if let Some(noted) = self.current.take()
            && self.waiting.len() < WAITING
        {
            self.waiting.insert(token, noted);
        }
    }

    /// The call that was tried is done.
    pub(crate) fn returned(&mut self, result: i64, now: f64) {
        let Some(noted) = self.current.take() else {
            return;
        };
        if MAX_REPORTS <= self.done.len() {
            self.missed += 1;
            return;
        }
        let report = CallReport {
            socket: noted.socket,
            call: noted.call,
            ago: 0,
            micros: micros(now - noted.begun),
            result,
        };
        self.done.push((report, now));
    }

    /// What there is to report now, if anything.
    pub(crate) fn take(&mut self, now: f64) -> Option<Report> {
        if self.done.is_empty() {
            return None;
        }
        let calls = std::mem::take(&mut self.done);
        let calls = calls.into_iter().map(|(report, at)| CallReport {
            ago: micros(now - at),
            ..report
        });
        Some(Report {
            calls: calls.collect(),
            missed: std::mem::take(&mut self.missed),
        })
    }
}

/// Milliseconds as whole microseconds. The clock of a page may stand still, but does not go back.
fn micros(milliseconds: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a cast from a float saturates, and a negative one is no duration"
    )]
    let micros = (milliseconds * 1000.0) as u64;
    micros
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOCKET: SocketId = SocketId(3);

    fn watched() -> Reporter {
        let mut reporter = Reporter::default();
        assert_eq!(reporter.watch(Watch::On), Some(Report::default()));
        reporter
    }

    #[test]
    fn a_call_that_waits_is_told_with_the_time_it_waited() {
        let mut reporter = watched();
        reporter.tried(0, Call::Accept, SOCKET, 10.0);
        reporter.waits(7);
        reporter.tried(0, Call::Send, SocketId(4), 11.0);
        reporter.returned(5, 11.5);
        reporter.tried(7, Call::Accept, SOCKET, 2010.0);
        reporter.returned(9, 2010.0);
        let report = reporter.take(2012.0).unwrap();
        let [send, accept] = report.calls[..] else {
            panic!("{report:?}")
        };
        assert_eq!((send.call, send.micros, send.result), (Call::Send, 500, 5));
        assert_eq!((accept.call, accept.socket), (Call::Accept, SOCKET));
        assert_eq!((accept.micros, accept.ago), (2_000_000, 2000));
        assert_eq!(reporter.take(2013.0), None);
    }

    #[test]
    fn what_there_is_no_room_for_is_counted() {
        let mut reporter = watched();
        for _ in 0..MAX_REPORTS + 3 {
            reporter.tried(0, Call::Poll, SOCKET, 1.0);
            reporter.returned(0, 1.0);
        }
        let report = reporter.take(1.0).unwrap();
        assert_eq!((report.calls.len(), report.missed), (MAX_REPORTS, 3));
    }

    #[test]
    fn nothing_is_left_when_nobody_watches_any_more() {
        let mut reporter = watched();
        reporter.tried(0, Call::Poll, SOCKET, 1.0);
        reporter.returned(0, 1.0);
        assert_eq!(reporter.watch(Watch::Off), None);
        assert!(!reporter.is_on());
        assert_eq!(reporter.take(1.0), None);
    }
}
