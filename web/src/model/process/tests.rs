//! The life of one process.

use super::*;

fn begun() -> Process {
    let mut process = Process::default();
    process.apply(Event::Run);
    process.apply(Event::Assigned(Readiness::Booting));
    process.apply(Event::Report(Report::Booted));
    process.apply(Event::Report(Report::Started));
    process
}

fn tell(process: &mut Process, report: Report) -> Vec<Effect> {
    process.apply(Event::Report(report))
}

const END: [Effect; 3] = [Effect::DisarmGrace, Effect::Dismiss, Effect::Over];

#[test]
fn a_run_passes_through_every_state_in_order() {
    let mut process = Process::default();
    let mut seen = vec![process.state().name()];
    let waiting = Report::Waiting {
        call: "accept".to_owned(),
    };
    let events = [
        Event::Run,
        Event::Assigned(Readiness::Booting),
        Event::Report(Report::Progress(BootStep::Download)),
        Event::Report(Report::Booted),
        Event::Report(Report::EngineKept),
        Event::Report(Report::Started),
        Event::Report(waiting),
        Event::Report(Report::Running),
        Event::Report(Report::Exit { status: 0 }),
    ];
    for event in events {
        process.apply(event);
        seen.push(process.state().name());
    }
    seen.dedup();
    assert_eq!(
        seen,
        [
            "idle", "booting", "starting", "running", "waiting", "running", "exited"
        ]
    );
    assert_eq!(process.state(), &State::Exited { status: 0 });
}

#[test]
fn a_warm_worker_needs_no_boot() {
    let mut process = Process::default();
    assert_eq!(
        process.apply(Event::Run),
        [Effect::ClearConsole, Effect::WantWorker]
    );
    process.apply(Event::Assigned(Readiness::Booted));
    assert_eq!(process.state(), &State::Starting);
}

#[test]
fn running_twice_runs_once() {
    let mut process = begun();
    assert_eq!(process.apply(Event::Run), []);
    assert_eq!(process.state(), &State::Running);
}

#[test]
fn an_exit_dismisses_the_worker_and_allows_another_run() {
    let mut process = begun();
    assert_eq!(tell(&mut process, Report::Exit { status: 3 }), END);
    assert_eq!(
        process.apply(Event::Run),
        [Effect::ClearConsole, Effect::WantWorker]
    );
}

#[test]
fn stop_is_ctrl_c_first() {
    let mut process = begun();
    assert_eq!(
        process.apply(Event::Stop),
        [Effect::Interrupt, Effect::ArmGrace]
    );
    assert!(process.is_stopping());
    tell(&mut process, Report::Exit { status: 130 });
    assert_eq!(process.state(), &State::Exited { status: 130 });
    assert!(!process.is_stopping());
    assert_eq!(process.apply(Event::GraceOver), []);
}

#[test]
fn a_program_that_ignores_ctrl_c_is_terminated() {
    let mut process = begun();
    process.apply(Event::Stop);
    tell(&mut process, Report::Running);
    let mut expected = vec![Effect::Explain(Notice::Terminated)];
    expected.extend(END);
    assert_eq!(process.apply(Event::GraceOver), expected);
    assert_eq!(process.state(), &State::Stopped);
}

#[test]
fn a_second_stop_does_not_wait() {
    let mut process = begun();
    process.apply(Event::Stop);
    assert!(process.apply(Event::Stop).contains(&Effect::Dismiss));
    assert_eq!(process.state(), &State::Stopped);
}

#[test]
fn a_boot_is_stopped_at_once() {
    let mut process = Process::default();
    process.apply(Event::Run);
    assert_eq!(process.apply(Event::Stop)[0], Effect::WithdrawWorker);
    assert_eq!(process.state(), &State::Stopped);
}

#[test]
fn reports_after_the_end_are_ignored() {
    let mut process = begun();
    tell(&mut process, Report::Exit { status: 0 });
    let late = Report::Output {
        stream: Stream::Stdout,
        text: "late".to_owned(),
    };
    assert_eq!(tell(&mut process, late), []);
    assert_eq!(
        tell(
            &mut process,
            Report::Crashed {
                detail: String::new()
            }
        ),
        []
    );
    assert_eq!(process.state(), &State::Exited { status: 0 });
}

#[test]
fn a_crash_is_a_failure_with_a_sentence() {
    let mut process = begun();
    let effects = tell(
        &mut process,
        Report::Crashed {
            detail: "out of memory".to_owned(),
        },
    );
    assert_eq!(
        effects[0],
        Effect::Explain(Notice::Crashed("out of memory".to_owned()))
    );
    assert_eq!(process.state(), &State::Failed);
}

#[test]
fn a_process_is_ready_when_it_listens_or_waits_for_others() {
    let mut process = begun();
    assert_eq!(
        tell(
            &mut process,
            Report::Ready {
                address: "127.0.0.1:8888".to_owned()
            }
        ),
        [Effect::Ready]
    );
    assert_eq!(
        tell(
            &mut process,
            Report::Waiting {
                call: "recv".to_owned()
            }
        ),
        [Effect::Ready]
    );
    assert_eq!(
        tell(
            &mut process,
            Report::Waiting {
                call: "sleep".to_owned()
            }
        ),
        []
    );
}

#[test]
fn what_is_typed_early_reaches_the_program_when_it_begins() {
    let mut process = Process::default();
    process.apply(Event::Run);
    let echoed = process.apply(Event::Input("Bob\n".to_owned()));
    assert_eq!(echoed, [Effect::Echo("Bob\n".to_owned())]);
    process.apply(Event::Eof);
    assert!(!process.takes_input());
    tell(&mut process, Report::Booted);
    let effects = tell(&mut process, Report::Started);
    assert_eq!(
        effects,
        [
            Effect::Begun,
            Effect::SendInput("Bob\n".to_owned()),
            Effect::SendEof
        ]
    );
}

#[test]
fn nothing_is_typed_after_the_end_of_input() {
    let mut process = begun();
    assert_eq!(process.apply(Event::Eof), [Effect::SendEof]);
    assert_eq!(process.apply(Event::Input("more\n".to_owned())), []);
    assert_eq!(
        Process::default().apply(Event::Input("idle\n".to_owned())),
        []
    );
}
