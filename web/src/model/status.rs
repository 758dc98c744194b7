//! States and notices in words.

use crate::model::message::BootStep;
use crate::model::process::{Notice, Process, State};
use crate::model::words::{Language, Word};

/// The exit status of a program that ended by an exception it did not catch.
const UNCAUGHT: i32 = 1;
/// The exit status after Ctrl-C: 128 and the number of SIGINT, as shells show it.
const INTERRUPTED: i32 = 130;

/// What a process is doing, in words.
pub fn describe(process: &Process, language: Language) -> String {
    if process.is_stopping() {
        return language.text(Word::Stopping).to_owned();
    }
    if process.is_cut() {
        return language.text(Word::Reconnecting).to_owned();
    }
    let word = match process.state() {
        State::Idle => Word::Idle,
        State::Booting(None) => Word::BootWaiting,
        State::Booting(Some(BootStep::Download)) => Word::BootDownload,
        State::Booting(Some(BootStep::Compile)) => Word::BootCompile,
        State::Booting(Some(BootStep::Start)) => Word::BootStart,
        State::Booting(Some(BootStep::Snapshot)) => Word::BootSnapshot,
        State::Starting => Word::Starting,
        State::Running => Word::Running,
        State::Waiting { call } => return waiting(call, language),
        State::Exited { status } => return ended(*status, language),
        State::Failed => Word::Failed,
        State::Stopped => Word::Stopped,
    };
    language.text(word).to_owned()
}

/// A notice for the console, in words.
pub fn explain(notice: &Notice, language: Language) -> String {
    match notice {
        Notice::Reason(reason) => reason.clone(),
        Notice::Crashed(detail) => {
            let detail = detail.trim().trim_end_matches('.');
            language.fill(Word::CrashedDetail, &[("detail", detail)])
        }
        Notice::Unloaded => language.text(Word::UnloadedSentence).to_owned(),
        Notice::Lost => language.text(Word::LostSentence).to_owned(),
        Notice::Terminated => language.text(Word::StoppedSentence).to_owned(),
    }
}

fn waiting(call: &str, language: Language) -> String {
    match call {
        "input" => language.text(Word::WaitingInput).to_owned(),
        "sleep" => language.text(Word::WaitingSleep).to_owned(),
        "lock" => language.text(Word::WaitingLock).to_owned(),
        _ => language.fill(Word::Waiting, &[("call", call)]),
    }
}

fn ended(status: i32, language: Language) -> String {
    match status {
        0 => language.text(Word::Finished).to_owned(),
        UNCAUGHT => language.text(Word::EndedByError).to_owned(),
        INTERRUPTED => language.text(Word::Interrupted).to_owned(),
        _ => language.fill(Word::Ended, &[("status", &status.to_string())]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::message::Report;
    use crate::model::process::Event;

    fn after(reports: &[Report]) -> String {
        let mut process = Process::default();
        process.apply(Event::Run);
        for report in reports {
            process.apply(Event::Report(report.clone()));
        }
        describe(&process, Language::English)
    }

    #[test]
    fn every_end_has_its_words() {
        let ends = [0, 1, 3, 130].map(|status| after(&[Report::Exit { status }]));
        assert_eq!(
            ends,
            [
                "finished, exit status 0",
                "ended by an error, exit status 1",
                "ended, exit status 3",
                "interrupted, exit status 130"
            ]
        );
    }

    #[test]
    fn a_wait_names_its_call() {
        let waits = ["accept", "input", "lock"].map(|call| {
            after(&[Report::Waiting {
                call: call.to_owned(),
            }])
        });
        assert_eq!(
            waits,
            [
                "waiting in accept()",
                "waiting for your input",
                "waiting for a thread"
            ]
        );
    }

    #[test]
    fn a_lost_connection_shows_until_there_is_another() {
        let reports = [Report::Started, Report::Paused, Report::Resumed];
        assert_eq!(
            after(&reports[..2]),
            "waiting for its connection to the relay"
        );
        assert_eq!(after(&reports), "running");
        assert_eq!(
            after(&[Report::Started, Report::Paused, Report::Lost]),
            "could not go on"
        );
    }

    #[test]
    fn a_crash_is_explained_with_what_is_known() {
        let explained =
            |detail: &str| explain(&Notice::Crashed(detail.to_owned()), Language::English);
        assert_eq!(
            explained("out of memory. "),
            "The process broke down: out of memory. Run it again."
        );
    }
}
