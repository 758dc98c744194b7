//! The page as a whole, from a click to what the workers are told.

use super::*;
use crate::model::message::Stream;

/// A page whose effects are gathered, so that a test can ask what was done.
struct Page {
    playground: Playground,
    done: Vec<Effect>,
}

impl Page {
    fn new() -> Self {
        Self {
            playground: Playground::new(Exchange::article(), Language::English),
            done: Vec::new(),
        }
    }

    fn apply(&mut self, event: Event) -> Vec<Effect> {
        let effects = self.playground.apply(event);
        self.done.extend(effects.iter().cloned());
        effects
    }

    fn id(&self, name: &str) -> ProcessId {
        self.playground
            .exchange()
            .process_named(name)
            .expect("the process is on the page")
            .id
    }

    fn state(&self, name: &str) -> &'static str {
        self.playground
            .process(self.id(name))
            .expect("the process has a seat")
            .state()
            .name()
    }

    fn report(&mut self, worker: u32, report: Report) -> Vec<Effect> {
        self.apply(Event::Report(WorkerId(worker), report))
    }

    fn begin(&mut self, worker: u32) {
        self.report(worker, Report::Booted);
        self.report(worker, Report::EngineKept);
        self.report(worker, Report::Started);
    }

    /// The processes whose programs were sent to a worker, with the worker.
    fn started(&self) -> Vec<(u32, &str)> {
        let start = |effect: &'_ Effect| matches!(effect, Effect::Tell(_, Command::Start(_)));
        let starts = self.done.iter().filter(|effect| start(effect));
        starts
            .filter_map(|effect| match effect {
                Effect::Tell(worker, Command::Start(program)) => {
                    Some((worker.0, program.process.as_str()))
                }
                _ => None,
            })
            .collect()
    }
}

#[test]
fn run_all_starts_the_client_when_the_server_listens() {
    let mut page = Page::new();
    page.apply(Event::RunAll);
    assert_eq!(page.started(), [(0, "server")]);
    page.begin(0);
    assert_eq!(page.started(), [(0, "server")]);
    page.report(
        0,
        Report::Ready {
            address: "127.0.0.1:8888".to_owned(),
        },
    );
    assert_eq!(page.started(), [(0, "server"), (1, "client")]);
    page.report(
        0,
        Report::Output {
            stream: Stream::Stdout,
            text: "hi\n".to_owned(),
        },
    );
    page.report(0, Report::Exit { status: 0 });
    assert_eq!(
        (page.state("server"), page.state("client")),
        ("exited", "booting")
    );
    let console = page
        .playground
        .console(page.id("server"))
        .expect("the server has a console");
    assert_eq!(console.stream(Stream::Stdout), "hi\n");
}

#[test]
fn a_second_run_all_during_the_boot_changes_nothing() {
    let mut page = Page::new();
    page.apply(Event::RunAll);
    assert_eq!(page.apply(Event::RunAll), []);
}

#[test]
fn run_all_again_stops_what_runs_first() {
    let mut page = Page::new();
    page.apply(Event::Run(page.id("server")));
    page.begin(0);
    let effects = page.apply(Event::RunAll);
    assert!(effects.contains(&Effect::Tell(WorkerId(0), Command::Interrupt)));
    assert_eq!(page.started().len(), 1);
    page.report(0, Report::Exit { status: 130 });
    assert_eq!(page.started(), [(0, "server"), (1, "server")]);
}

#[test]
fn the_program_is_what_the_editor_shows() {
    let mut page = Page::new();
    page.apply(Event::Edited {
        file: "server.py".to_owned(),
        text: "print(1)".to_owned(),
    });
    page.apply(Event::Run(page.id("server")));
    let text = page.done.iter().find_map(|effect| match effect {
        Effect::Tell(_, Command::Start(program)) => Some(program.files.clone()),
        _ => None,
    });
    let files = text.expect("a program was started");
    assert!(files.contains(&("server.py".to_owned(), "print(1)".to_owned())));
}

#[test]
fn a_worker_that_has_ended_is_terminated_once() {
    let mut page = Page::new();
    page.apply(Event::Run(page.id("server")));
    page.begin(0);
    page.report(0, Report::Exit { status: 0 });
    page.report(
        0,
        Report::Crashed {
            detail: String::new(),
        },
    );
    let terminated = page
        .done
        .iter()
        .filter(|effect| **effect == Effect::Terminate(WorkerId(0)))
        .count();
    // Once for the process, and once more for the stray report, which is harmless.
    assert_eq!(terminated, 2);
    assert_eq!(page.state("server"), "exited");
}

#[test]
fn a_program_deaf_to_ctrl_c_is_terminated_when_its_time_is_over() {
    let mut page = Page::new();
    let server = page.id("server");
    page.apply(Event::Run(server));
    page.begin(0);
    let effects = page.apply(Event::Stop(server));
    assert!(effects.contains(&Effect::Arm(Timer::Grace(server), STOP_GRACE_MS)));
    let effects = page.apply(Event::Expired(Timer::Grace(server)));
    assert!(effects.contains(&Effect::Terminate(WorkerId(0))));
    assert_eq!(page.state("server"), "stopped");
    let console = page
        .playground
        .console(server)
        .expect("the server has a console");
    assert!(
        console
            .tail(1)
            .any(|line| line.runs[0].text.contains("Ctrl-C"))
    );
}

#[test]
fn stop_all_stops_the_lineup_too() {
    let mut page = Page::new();
    page.apply(Event::RunAll);
    page.apply(Event::StopAll);
    assert_eq!(
        (page.state("server"), page.state("client")),
        ("stopped", "idle")
    );
    page.apply(Event::Expired(Timer::Patience));
    assert_eq!(page.started(), [(0, "server")]);
}

#[test]
fn a_failed_boot_lets_the_next_process_try() {
    let mut page = Page::new();
    page.apply(Event::RunAll);
    page.report(
        0,
        Report::Failed {
            reason: "Python could not be loaded.".to_owned(),
        },
    );
    assert_eq!(page.state("server"), "failed");
    assert_eq!(page.started(), [(0, "server"), (1, "client")]);
}

#[test]
fn a_cached_engine_boots_a_spare_at_once() {
    let mut page = Page::new();
    let effects = page.apply(Event::CacheFound);
    let boot = Command::Boot(EngineSource::Own);
    let expected = [
        Effect::Create {
            worker: WorkerId(0),
            engine: EngineSource::Own,
        },
        Effect::Tell(WorkerId(0), boot),
        Effect::Arm(Timer::FirstWord(WorkerId(0)), FIRST_WORD_MS),
    ];
    assert_eq!(effects, expected);
    assert_eq!(
        page.report(
            0,
            Report::Crashed {
                detail: String::new()
            }
        ),
        [Effect::Terminate(WorkerId(0))]
    );
}

#[test]
fn a_worker_that_never_speaks_is_not_waited_for() {
    let mut page = Page::new();
    page.apply(Event::Run(page.id("server")));
    let effects = page.apply(Event::Expired(Timer::FirstWord(WorkerId(0))));
    assert!(effects.contains(&Effect::Terminate(WorkerId(0))));
    assert_eq!(page.state("server"), "failed");
}

#[test]
fn a_worker_that_has_spoken_has_all_the_time() {
    let mut page = Page::new();
    page.apply(Event::Run(page.id("server")));
    page.report(0, Report::Progress(BootStep::Download));
    let expired = Event::Expired(Timer::FirstWord(WorkerId(0)));
    assert_eq!(page.apply(expired), []);
    assert_eq!(page.state("server"), "booting");
}

#[test]
fn a_spare_that_still_boots_does_not_outlive_the_relay() {
    let mut page = Page::new();
    page.apply(Event::Run(page.id("server")));
    page.begin(0);
    let effects = page.report(0, Report::Paused);
    assert!(effects.contains(&Effect::Terminate(WorkerId(1))));
    page.report(0, Report::Lost);
    page.apply(Event::Run(page.id("server")));
    assert_eq!(page.started(), [(0, "server"), (2, "server")]);
}

#[test]
fn a_client_is_added_and_leaves_with_the_restored_exchange() {
    let mut page = Page::new();
    page.apply(Event::AddClient);
    let added = page.id("client2");
    page.apply(Event::Run(added));
    page.begin(0);
    let effects = page.apply(Event::Restore);
    assert!(effects.contains(&Effect::Terminate(WorkerId(0))));
    assert!(effects.contains(&Effect::ShowTexts));
    assert!(page.playground.process(added).is_none());
    assert_eq!(page.state("server"), "idle");
}

#[test]
fn an_unchanged_text_is_not_saved_again() {
    let mut page = Page::new();
    let edit = |text: &str| Event::Edited {
        file: "server.py".to_owned(),
        text: text.to_owned(),
    };
    assert_eq!(page.apply(edit("x")), [Effect::Save]);
    assert_eq!(page.apply(edit("x")), []);
}
