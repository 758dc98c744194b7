//! One process: what it is doing, and what follows from what happens to it.
//!
//! The path is idle → booting → starting → running ⇄ waiting, and it ends in exited, failed or stopped; from there it
//! begins anew. Stop is Ctrl-C first; only when the program has not ended after [`STOP_GRACE_MS`], or on a second Stop,
//! is its worker terminated.

use crate::model::message::{BootStep, Report, Stream};

/// How long a program has to end after Ctrl-C, in milliseconds.
pub const STOP_GRACE_MS: u32 = 1_500;

/// What a process is doing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum State {
    /// It has not run yet.
    #[default]
    Idle,
    /// Its interpreter loads; without a step it waits for its turn.
    Booting(Option<BootStep>),
    /// The interpreter has the program, whose first line has not run.
    Starting,
    /// The program computes.
    Running,
    /// The program's main thread waits in a call.
    Waiting {
        /// The call's name, as in `accept`.
        call: String,
    },
    /// The program ended.
    Exited {
        /// The exit status that a shell would show.
        status: i32,
    },
    /// It could not be started, lost its relay, or broke down.
    Failed,
    /// Its worker was terminated on request.
    Stopped,
}

impl State {
    /// The state's name, for `data-state`; the same in every language.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Booting(_) => "booting",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Waiting { .. } => "waiting",
            Self::Exited { .. } => "exited",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }

    /// Says whether there is something to stop.
    pub fn is_active(&self) -> bool {
        matches!(
            self,
            Self::Booting(_) | Self::Starting | Self::Running | Self::Waiting { .. }
        )
    }
}

/// Whether the worker that a process was given has its interpreter already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// It was waiting warm.
    Booted,
    /// It has just begun to boot.
    Booting,
}

/// What happens to a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The person wants it to run.
    Run,
    /// It has a worker, which has been told to start the program.
    Assigned(Readiness),
    /// Its worker said something.
    Report(Report),
    /// The person typed a line.
    Input(String),
    /// The person ended the input.
    Eof,
    /// The person wants it to stop.
    Stop,
    /// The time to end after Ctrl-C is over.
    GraceOver,
}

/// Why a console needs a sentence of the page's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The worker gave a reason for ending.
    Reason(String),
    /// The worker could not be loaded: there is no relay that it could come from.
    Unloaded,
    /// The worker broke down; the text is what the browser knows.
    Crashed(String),
    /// The program did not react to Ctrl-C.
    Terminated,
    /// The connection to the relay was lost for too long.
    Lost,
}

/// What has to be done for a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Empty its console.
    ClearConsole,
    /// Find it a worker.
    WantWorker,
    /// It no longer wants a worker.
    WithdrawWorker,
    /// Add to its console.
    Print(Stream, String),
    /// Show typed text in its console.
    Echo(String),
    /// Explain in its console.
    Explain(Notice),
    /// Pass on typed text.
    SendInput(String),
    /// Pass on the end of input.
    SendEof,
    /// Press Ctrl-C.
    Interrupt,
    /// Begin counting [`STOP_GRACE_MS`].
    ArmGrace,
    /// Stop counting.
    DisarmGrace,
    /// Terminate its worker: it is finished.
    Dismiss,
    /// The program's first line runs.
    Begun,
    /// Others may start now: it listens or waits for them.
    Ready,
    /// It has come to an end.
    Over,
}

/// One process.
#[derive(Debug, Clone, Default)]
pub struct Process {
    /// What it is doing.
    state: State,
    /// How far a stop has come.
    stop: Stop,
    /// What was typed before the program began; a worker that boots is told nothing.
    typed: Vec<Effect>,
    /// Whether standard input takes more.
    input: Input,
    /// Whether the relay can be reached.
    link: Link,
}

/// How far a stop has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stop {
    /// Nobody wants it.
    #[default]
    NotAsked,
    /// Ctrl-C was sent.
    Interrupted,
}

/// Whether the relay can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Link {
    /// It can, or nobody has tried yet.
    #[default]
    Whole,
    /// Its connection is lost, and another one is tried.
    Cut,
}

/// Whether standard input takes more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Input {
    /// It does.
    #[default]
    Open,
    /// It was ended.
    Ended,
}

impl Process {
    /// What it is doing.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Says whether Ctrl-C was sent and the end is awaited.
    pub fn is_stopping(&self) -> bool {
        self.stop == Stop::Interrupted && self.state.is_active()
    }

    /// Says whether the connection to the relay is lost and another one is tried.
    pub fn is_cut(&self) -> bool {
        self.link == Link::Cut && self.state.is_active()
    }

    /// Says whether typed lines reach the program.
    pub fn takes_input(&self) -> bool {
        self.state.is_active() && self.input == Input::Open
    }

    /// Takes an event and says what has to be done, in order.
    pub fn apply(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Run if !self.state.is_active() => {
                *self = Self {
                    state: State::Booting(None),
                    ..Self::default()
                };
                vec![Effect::ClearConsole, Effect::WantWorker]
            }
            Event::Run => Vec::new(),
            Event::Assigned(readiness) => self.assigned(readiness),
            Event::Report(report) => self.report(report),
            Event::Input(text) if self.takes_input() => {
                let mut effects = vec![Effect::Echo(text.clone())];
                effects.extend(self.send(Effect::SendInput(text)));
                effects
            }
            Event::Eof if self.takes_input() => {
                self.input = Input::Ended;
                self.send(Effect::SendEof)
            }
            Event::Input(_) | Event::Eof => Vec::new(),
            Event::Stop => self.stop(),
            Event::GraceOver if self.is_stopping() => {
                self.finish(State::Stopped, vec![Effect::Explain(Notice::Terminated)])
            }
            Event::GraceOver => Vec::new(),
        }
    }

    fn assigned(&mut self, readiness: Readiness) -> Vec<Effect> {
        if let (State::Booting(_), Readiness::Booted) = (&self.state, readiness) {
            self.state = State::Starting;
        }
        Vec::new()
    }

    fn report(&mut self, report: Report) -> Vec<Effect> {
        if !self.state.is_active() {
            return Vec::new();
        }
        match report {
            Report::Progress(step) => {
                if let State::Booting(_) = self.state {
                    self.state = State::Booting(Some(step));
                }
                Vec::new()
            }
            Report::Booted => {
                if let State::Booting(_) = self.state {
                    self.state = State::Starting;
                }
                Vec::new()
            }
            Report::EngineKept => Vec::new(),
            Report::Started => {
                self.state = State::Running;
                let mut effects = vec![Effect::Begun];
                effects.append(&mut self.typed);
                effects
            }
            Report::Output { stream, text } => vec![Effect::Print(stream, text)],
            Report::Waiting { call } => {
                let effects = if waits_for_others(&call) {
                    vec![Effect::Ready]
                } else {
                    Vec::new()
                };
                self.state = State::Waiting { call };
                effects
            }
            Report::Running => {
                self.state = State::Running;
                Vec::new()
            }
            Report::Ready { .. } => vec![Effect::Ready],
            Report::Paused => {
                self.link = Link::Cut;
                Vec::new()
            }
            Report::Resumed => {
                self.link = Link::Whole;
                Vec::new()
            }
            Report::Lost => self.finish(State::Failed, vec![Effect::Explain(Notice::Lost)]),
            Report::Unloaded => self.finish(State::Failed, vec![Effect::Explain(Notice::Unloaded)]),
            Report::Exit { status } => self.finish(State::Exited { status }, Vec::new()),
            Report::Failed { reason } => {
                self.finish(State::Failed, vec![Effect::Explain(Notice::Reason(reason))])
            }
            Report::Crashed { detail } => self.finish(
                State::Failed,
                vec![Effect::Explain(Notice::Crashed(detail))],
            ),
        }
    }

    /// Passes on what was typed, now or when the program begins.
    fn send(&mut self, typed: Effect) -> Vec<Effect> {
        if let State::Running | State::Waiting { .. } = self.state {
            vec![typed]
        } else {
            self.typed.push(typed);
            Vec::new()
        }
    }

    fn stop(&mut self) -> Vec<Effect> {
        match (&self.state, self.stop) {
            (State::Running | State::Waiting { .. }, Stop::NotAsked) => {
                self.stop = Stop::Interrupted;
                vec![Effect::Interrupt, Effect::ArmGrace]
            }
            (state, _) if state.is_active() => {
                self.finish(State::Stopped, vec![Effect::WithdrawWorker])
            }
            _ => Vec::new(),
        }
    }

    fn finish(&mut self, state: State, mut effects: Vec<Effect>) -> Vec<Effect> {
        *self = Self {
            state,
            ..Self::default()
        };
        effects.extend([Effect::DisarmGrace, Effect::Dismiss, Effect::Over]);
        effects
    }
}

/// Says whether a process that waits in this call is ready for others.
///
/// One that sleeps, or waits for its own threads, may still have its sockets to open.
fn waits_for_others(call: &str) -> bool {
    !matches!(call, "sleep" | "lock")
}

#[cfg(test)]
mod tests;
